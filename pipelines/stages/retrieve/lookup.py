"""What passes into and out of a retriever: what is searched, what is looked for, and who searches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from pipelines.records import Candidates, Column, FloatArray, IntArray, Rankings, Searchable


@dataclass(frozen=True)
class Lookup:
    """A batch of searches; row q of every part belongs to query q. `vectors` is None where none are needed.

    `depth` is how many chunks are wanted; None is the retriever's own depth. Where there are `terms`, weighted words as
    the retriever reads them, a retriever by words looks for these in place of the texts.
    """

    texts: Sequence[str]
    candidates: Candidates
    vectors: FloatArray | None = None
    depth: int | None = None
    terms: Sequence[Mapping[str, float]] | None = None

    def between(self, start: int, end: int) -> Lookup:
        """Return the searches from row `start` up to `end`."""
        candidates = self.candidates.rows(slice(start, end))
        vectors = None if self.vectors is None else self.vectors[start:end]
        terms = None if self.terms is None else self.terms[start:end]
        return replace(self, texts=self.texts[start:end], candidates=candidates, vectors=vectors, terms=terms)


class Searcher(Protocol):
    """A retriever that has read its corpus."""

    def search(self, lookup: Lookup) -> Rankings:
        """Return the ranking of every query."""
        ...


@dataclass(frozen=True)
class Corpus:
    """What is searched: the text of every chunk, and what else a retriever asks for.

    `index` is opened where vectors are needed. `document` is int32 [n_chunks], the document of each chunk; `columns`
    hold one row a chunk: the metadata, the section that a chunk begins in, and the first line of its document.
    """

    texts: Sequence[str]
    index: Searchable | None = None
    document: IntArray | None = None
    columns: Mapping[str, Column] = field(default_factory=dict)


FIRST_LINE = "first line"
"""The column that holds the first line of each chunk's document: what stands in for a title that no field holds."""
