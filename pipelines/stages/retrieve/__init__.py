"""Retrieve: the chunks that answer a query best, by vectors, by words, or by both."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, Protocol

import numpy as np
from pydantic import Field

from pipelines.component import Component
from pipelines.records import PADDING, Candidates, FloatArray, Rankings, Searchable


@dataclass(frozen=True)
class Lookup:
    """A batch of searches; row q of every part belongs to query q. `vectors` is None where none are needed.

    `depth` is how many chunks are wanted; None is the retriever's own depth.
    """

    texts: Sequence[str]
    candidates: Candidates
    vectors: FloatArray | None = None
    depth: int | None = None


class Searcher(Protocol):
    """A retriever that has read its corpus."""

    def search(self, lookup: Lookup) -> Rankings:
        """Return the ranking of every query."""
        ...


@dataclass(frozen=True)
class Corpus:
    """What is searched: the text of every chunk, and the opened index where a retriever needs vectors."""

    texts: Sequence[str]
    index: Searchable | None = None


class Retriever(Component, stage="retrieve"):
    """Ranks chunks for queries. `depth` is the greatest number returned; a smaller one gives a prefix of a larger.

    What a corpus is read into depends neither on `depth` nor on `min_score`: both only cut what was found.
    """

    needs_vectors: ClassVar[bool] = False
    needs_texts: ClassVar[bool] = False

    depth: int = Field(
        100, ge=1, le=10_000, description="Chunks returned for a question", json_schema_extra={"unit": "chunks"}
    )
    min_score: Annotated[float, Field(ge=-1e6, le=1e6)] | None = Field(
        None, description="Hits that score less are dropped; empty keeps all"
    )

    @abstractmethod
    def open(self, corpus: Corpus) -> Searcher:
        """Read the corpus once; the searcher then answers any number of batches."""

    def searches(self) -> str:
        """Return a digest of all that decides what is found, and not how much of it is returned."""
        return self.model_copy(update={"depth": 1, "min_score": None}).fingerprint()

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

    def fuse(self, rankings: Mapping[str, Rankings]) -> Rankings:
        """Fuse the rankings of `parts`."""
        raise TypeError(f"{self.name} fuses nothing")
