"""BM25: shared words, weighted by their rarity, by the bm25s library; and over several fields, BM25F."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from pydantic import Field

from pipelines.errors import ConfigurationError, did_you_mean, shorten
from pipelines.records import PADDING, Column, FloatArray, Rankings
from pipelines.stages.retrieve import FIRST_LINE, Corpus, Lookup, Retriever
from pipelines.stages.retrieve.fields import FieldWords, field_index
from pipelines.topk import padded, top_k

Stemmer = Literal[
    "none", "english", "german", "french", "spanish", "italian", "portuguese", "dutch", "swedish", "finnish"
]
StopWords = Literal["none", "english", "german", "french", "spanish", "italian", "portuguese", "dutch", "swedish"]
_SCORES_AT_ONCE = 4_000_000  # 16 MiB


class WordsRetriever(Retriever):
    """The knobs of searching by words, for BM25 and for what fuses it."""

    needs_texts = True

    k1: float = Field(1.5, ge=0.0, le=5.0, description="BM25: how much a word's repetition counts")
    b: float = Field(0.75, ge=0.0, le=1.0, description="BM25: how much long chunks are marked down")
    stemmer: Stemmer = Field(
        "english", description="BM25: language whose endings are cut off, so that 'banks' meets 'bank'"
    )
    stop_words: StopWords = Field("english", description="BM25: language whose most frequent words are ignored")
    title_weight: float = Field(
        0.0, ge=0.0, le=100.0, description="BM25: how often a word of the title counts, one of the body being 1"
    )
    title_field: str = Field(
        "title", min_length=1, description=f"Metadata field of the title; '{FIRST_LINE}' takes that of the document"
    )
    section_weight: float = Field(
        0.0, ge=0.0, le=100.0, description="BM25: how often a word of the section's headings counts"
    )
    section_field: str = Field("section", min_length=1, description="Metadata field of the section's headings")
    field_b: float = Field(0.5, ge=0.0, le=1.0, description="BM25: how much long titles and headings are marked down")

    def reads_columns(self) -> bool:
        """Whether the corpus must come with documents and columns."""
        return super().reads_columns() or self.title_weight > 0 or self.section_weight > 0

    def idle(self) -> tuple[str, ...]:
        """Return the knobs that decide nothing, as the others are set."""
        title = () if self.title_weight > 0 else ("title_field",)
        section = () if self.section_weight > 0 else ("section_field",)
        return (*super().idle(), *title, *section, *(("field_b",) if title and section else ()))


class BM25Retriever(WordsRetriever, name="bm25", version=1):
    """Rank by shared words, the rare ones first. Strong on names, codes and numbers; blind to other wordings.

    A chunk that shares no word with the query is no hit, so a ranking may be shorter than `depth`. With a weight for
    titles or sections it is BM25F: a word's occurrences in all fields are weighted and added before they saturate.

    Choose it for names and numbers, or without a model. A search costs a fraction of a millisecond.
    """

    def read(self, corpus: Corpus) -> BM25Searcher:
        """Tokenise and index the corpus.

        Raises:
            ConfigurationError: when no chunk has a field that is to count.
        """
        n_chunks = len(corpus.texts)
        return BM25Searcher(self, self._by_fields(corpus) if self._weights() else self._by_body(corpus), n_chunks)

    def _weights(self) -> dict[str, float]:
        """Return the fields besides the body that count, with their weights."""
        weights = {self.title_field: self.title_weight}
        weights[self.section_field] = weights.get(self.section_field, 0.0) + self.section_weight
        return {name: weight for name, weight in weights.items() if weight > 0}

    def _by_body(self, corpus: Corpus) -> Scores | None:
        import bm25s

        tokens = self.tokens(corpus.texts, as_ids=True)
        if not any(tokens.ids):
            return None
        index = bm25s.BM25(k1=self.k1, b=self.b)
        index.index(tokens, show_progress=False)

        def scores(words: Sequence[str]) -> FloatArray:
            ids = index.get_tokens_ids(words)
            if len(ids) == 0:
                return np.zeros(len(corpus.texts), dtype=np.float32)
            return np.asarray(index.get_scores_from_ids(ids), dtype=np.float32)

        return scores

    def _by_fields(self, corpus: Corpus) -> Scores | None:
        every = np.arange(len(corpus.texts), dtype=np.int32)
        fields = [FieldWords(self.tokens(corpus.texts), every, 1.0, self.b)]
        for name, weight in self._weights().items():
            column = _column(name, corpus)
            words = self.tokens([str(value) for value in column.values])
            fields.append(FieldWords(words, column.codes, weight, self.field_b))
        return field_index(fields, self.k1).scores if corpus.texts else None

    def tokens(self, texts: Sequence[str], as_ids: bool = False) -> Any:
        """Return the words of every text, list[list[str]], or as numbers in a vocabulary, which takes less to index."""
        import bm25s
        import Stemmer as stemmers

        return bm25s.tokenize(
            [unicodedata.normalize("NFKC", text).lower() for text in texts],
            token_pattern=r"(?u)\b\w+\b",  # noqa: S106
            stopwords=None if self.stop_words == "none" else self.stop_words,
            stemmer=None if self.stemmer == "none" else stemmers.Stemmer(self.stemmer),
            return_ids=as_ids,
            show_progress=False,
        )


Scores = Callable[[Sequence[str]], FloatArray]
"""From the words of a query to the score of every chunk, float32 [n_chunks]."""


@dataclass(frozen=True)
class BM25Searcher:
    """A corpus as BM25 has read it; `scores` is None where it holds no word at all."""

    retriever: BM25Retriever
    scores: Scores | None
    n_chunks: int

    def search(self, lookup: Lookup) -> Rankings:
        """Return the ranking of every query; a chunk without any of its words is no hit."""
        depth = min(lookup.depth or self.retriever.depth, self.n_chunks)
        rankings = Rankings.empty(len(lookup.texts), depth)
        if self.scores is None:
            return rankings
        tokens = self.retriever.tokens(lookup.texts) if lookup.terms is None else ()
        step = max(1, _SCORES_AT_ONCE // max(1, self.n_chunks))
        for rows, allowed in lookup.candidates.groups():
            left = None if allowed is None else allowed.astype(np.float32)
            for at in range(0, len(rows), step):
                part = rows[at : at + step]
                scores = np.empty((len(part), self.n_chunks), dtype=np.float32)
                for i, row in enumerate(part):
                    scores[i] = self.scores(tokens[row]) if lookup.terms is None else self._mixed(lookup.terms[row])
                if left is not None:
                    scores *= left
                columns, values = top_k(scores, depth)
                found = padded(columns, np.where(values > 0, values, np.float32(-np.inf)), depth)
                rankings.chunk[part], rankings.score[part] = found.chunk, found.score
        return rankings

    def _mixed(self, terms: Mapping[str, float]) -> FloatArray:
        """Return the sum over weighted words of weight x BM25 score, float32 [n_chunks]."""
        total = np.zeros(self.n_chunks)
        for word, weight in sorted(terms.items()):
            if self.scores is not None:
                total += weight * self.scores([word])
        return total.astype(np.float32)


def _column(name: str, corpus: Corpus) -> Column:
    column = corpus.columns.get(name)
    if column is not None and (column.codes != PADDING).any():
        return column
    there = ", ".join(sorted(set(corpus.columns) - {FIRST_LINE})[:20]) or "none"
    raise ConfigurationError(
        f"BM25 is to weigh the words of the field '{shorten(name)}', but no chunk has it; there are {there}: name one "
        f"of these, '{FIRST_LINE}' for the first line of the document, or set its weight to 0."
        f"{did_you_mean(name, corpus.columns)}"
    )
