"""What passes between the stages of a search: queries, candidates, rankings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from pipelines.records.values import PADDING, BoolArray, FloatArray, IntArray, LongArray


@dataclass(frozen=True)
class Queries:
    """What is searched for: one or more texts a question. `question` is int32 [n_queries], in order of question."""

    question: IntArray
    texts: tuple[str, ...]
    n_questions: int

    @classmethod
    def of(cls, texts: Sequence[str]) -> Queries:
        """Build one query a question."""
        return cls(np.arange(len(texts), dtype=np.int32), tuple(texts), len(texts))


@dataclass(frozen=True)
class Candidates:
    """Which chunks a search may return, before it searches.

    `allowed` is bool [n_masks, n_chunks]; `mask` is int32 [n_questions], the row that holds for a question, or -1
    where every chunk may be returned.
    """

    mask: IntArray
    allowed: BoolArray

    @classmethod
    def everything(cls, n_questions: int, n_chunks: int) -> Candidates:
        """Return candidates that leave out nothing."""
        return cls(np.full(n_questions, PADDING, dtype=np.int32), np.zeros((0, n_chunks), dtype=np.bool_))

    def groups(self) -> list[tuple[LongArray, BoolArray | None]]:
        """Return the questions that share a mask, each with that mask [n_chunks] (None: every chunk)."""
        return [
            (np.flatnonzero(self.mask == m), None if m == PADDING else self.allowed[m]) for m in np.unique(self.mask)
        ]


@dataclass(frozen=True)
class Rankings:
    """For every question, chunks in order with falling scores; ranks start at 1, so rank r is column r - 1.

    `chunk` is int32 and `score` float32, both [n_questions, depth]; a row that is shorter ends in -1 (score 0).
    """

    chunk: IntArray
    score: FloatArray

    @classmethod
    def empty(cls, n_questions: int, depth: int) -> Rankings:
        """Return rankings without a single hit."""
        chunk = np.full((n_questions, depth), PADDING, dtype=np.int32)
        return cls(chunk, np.zeros((n_questions, depth), dtype=np.float32))

    @property
    def n_questions(self) -> int:
        """Number of rows."""
        return int(self.chunk.shape[0])

    @property
    def depth(self) -> int:
        """Greatest number of chunks in a row."""
        return int(self.chunk.shape[1])

    def cut(self, k: int) -> Rankings:
        """Return the first `k` ranks."""
        return Rankings(self.chunk[:, :k], self.score[:, :k])


class Searchable(Protocol):
    """An opened index."""

    def search(self, queries: FloatArray, depth: int, allowed: BoolArray | None) -> Rankings:
        """Return the nearest chunks of each query [n_queries, dimensions], at most `depth`, scores falling.

        Only chunks that `allowed` [n_chunks] marks are searched (None: all); never fewer than `depth` are returned
        while that many are allowed.
        """
        ...
