"""Retrieve: the chunks that answer a query best, by vectors, by words, or by both."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Self

import numpy as np
from pydantic import Field

from pipelines.component import Component
from pipelines.knobs import Day
from pipelines.records import PADDING, IntArray, Rankings
from pipelines.stages.retrieve.boosted import Boosted
from pipelines.stages.retrieve.lookup import FIRST_LINE, Corpus, Lookup, Searcher
from pipelines.stages.retrieve.recency import Curve, Recency
from pipelines.stages.retrieve.rules import RuledSearcher, Rules, reached_first

__all__ = ["FIRST_LINE", "Corpus", "Lookup", "Retriever", "Searcher"]

_RULES = ("per_document", "recency_field", "recency_curve", "recency_days", "recency_weight", "recency_from")
_AGEING = _RULES[2:]


class Retriever(Component, stage="retrieve"):
    """Ranks chunks for queries. `depth` is the greatest number returned; a smaller one gives a prefix of a larger.

    What a corpus is read into depends neither on `depth` nor on `min_score`: both only cut what was found. Rules
    (fading with age, a few chunks a document) act before the cut, exactly: see `RuledSearcher`.
    """

    needs_vectors: ClassVar[bool] = False
    needs_texts: ClassVar[bool] = False

    depth: int = Field(
        100, ge=1, le=10_000, description="Chunks returned for a question", json_schema_extra={"unit": "chunks"}
    )
    min_score: Annotated[float, Field(ge=-1e6, le=1e6)] | None = Field(
        None, description="Hits that score less are dropped; empty keeps all"
    )
    per_document: Annotated[int, Field(ge=1, le=1000)] | None = Field(
        None,
        description="Most chunks of one document, the best ones; empty takes any number",
        json_schema_extra={"unit": "chunks"},
    )
    recency_field: Annotated[str, Field(min_length=1, max_length=200)] | None = Field(
        None, description="Metadata field of dates by whose age scores fade; empty fades none"
    )
    recency_curve: Curve = Field("exponential", description="How scores fade: all three are at a half at recency_days")
    recency_days: float = Field(
        365.0,
        gt=0.0,
        le=100_000.0,
        description="Age at which a chunk has half its weight",
        json_schema_extra={"unit": "days"},
    )
    recency_weight: float = Field(0.5, ge=0.0, le=1.0, description="Share of the score that age can take away")
    recency_from: Day | None = Field(
        None, description="Day from which ages count, such as 2024-12-31; empty takes the newest in the corpus"
    )

    @abstractmethod
    def read(self, corpus: Corpus) -> Searcher:
        """Read the corpus once; the searcher then answers any number of batches, without any rule."""

    def open(self, corpus: Corpus) -> Searcher:
        """Read the corpus once, and search it under this retriever's rules."""
        searcher = self.read(corpus)
        return self.ruled(searcher if self.parts() else Boosted(searcher, len(corpus.texts)), corpus)

    def ruled(self, searcher: Searcher, corpus: Corpus) -> Searcher:
        """Put the rules, where there are any, over what `read` returned; parts of a fusion have their own.

        Raises:
            ConfigurationError: when the field of dates is not there or holds something else.
        """
        if not self.has_rules() or self.parts():
            return searcher
        return RuledSearcher(searcher, self.rules(corpus), self.depth, len(corpus.texts))

    def rules(self, corpus: Corpus) -> Rules:
        """Return the rules as they are over a corpus."""
        kept = None if self.recency_field is None else self._recency(self.recency_field).kept(corpus.columns)
        return Rules(kept, corpus.document, self.per_document)

    def _recency(self, name: str) -> Recency:
        return Recency(name, self.recency_curve, self.recency_days, self.recency_weight, self.recency_from)

    def has_rules(self) -> bool:
        """Whether anything is done to what was found before it is cut."""
        return self.per_document is not None or self.recency_field is not None

    def own_rules(self) -> Mapping[str, Any]:
        """Return the knobs of the rules, for a part of this retriever."""
        return {name: getattr(self, name) for name in _RULES}

    def bare(self) -> Self:
        """Return the retriever without its rules: what reads the corpus."""
        return self.model_copy(update={name: type(self).model_fields[name].default for name in _RULES})

    def reads_columns(self) -> bool:
        """Whether the corpus must come with documents and columns."""
        return self.has_rules()

    def asked_for(self) -> int:
        """Return how many chunks an index is asked for at first, where there are so many."""
        return reached_first(self.depth, 2 * self.depth) if self.has_rules() else self.depth

    def searches(self) -> str:
        """Return a digest of all that decides what is found, and not how much of it is returned."""
        idle = {name: type(self).model_fields[name].default for name in self.idle()}
        return self.model_copy(update={"depth": 1, "min_score": None, **idle}).fingerprint()

    def idle(self) -> tuple[str, ...]:
        """Return the knobs that decide nothing, as the others are set."""
        return () if self.recency_field is not None else _AGEING

    def above(self, rankings: Rankings) -> Rankings:
        """Return the rankings without the hits that score less than `min_score`, which are each row's last."""
        if self.min_score is None:
            return rankings
        kept = (rankings.chunk != PADDING) & (rankings.score >= self.min_score)
        return Rankings(
            np.where(kept, rankings.chunk, np.int32(PADDING)), np.where(kept, rankings.score, np.float32(0))
        )

    def parts(self) -> Mapping[str, Retriever]:
        """Return the retrievers whose rankings this one fuses, by name; none for one that searches itself."""
        return {}

    def leaves(self) -> tuple[Retriever, ...]:
        """Return the retrievers that search: itself, or those that its parts come down to."""
        return tuple(leaf for part in self.parts().values() for leaf in part.leaves()) or (self,)

    def fuse(self, rankings: Mapping[str, Rankings], document: IntArray | None = None) -> Rankings:
        """Fuse the rankings of `parts`; `document` [n_chunks] is needed where a document gives a few chunks at most."""
        raise TypeError(f"{self.name} fuses nothing")
