"""What passes between the stages of a search: queries, candidates, rankings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from pipelines.records.values import PADDING, BoolArray, ByteArray, FloatArray, IntArray, LongArray


@dataclass(frozen=True)
class Queries:
    """What is searched for: one or more texts a question. `question` is int32 [n_queries], in order of question.

    Several of a question are fused by reciprocal rank, 1 / (`rrf_k` + rank); so is a single one of a question whose
    neighbours have several, lest its scores depend on them. `rrf_k` None: each has one, which is not fused (or 60).

    `texts` are what words are looked for in; a query's vector is that of its text, unless there are `meant` and
    `passages`, one entry a query: then it is the mean of the vectors of `meant`, embedded as a query unless it is
    empty, and of the passages, embedded as documents.
    """

    question: IntArray
    texts: tuple[str, ...]
    n_questions: int
    rrf_k: int | None = None
    meant: tuple[str, ...] = ()
    passages: tuple[tuple[str, ...], ...] = ()

    @classmethod
    def of(cls, texts: Sequence[str]) -> Queries:
        """Build one query a question."""
        return cls(np.arange(len(texts), dtype=np.int32), tuple(texts), len(texts))

    @classmethod
    def several(cls, texts: Sequence[Sequence[str]], rrf_k: int = 60) -> Queries:
        """Build queries of several texts a question, one at least."""
        question = np.repeat(np.arange(len(texts), dtype=np.int32), [len(own) for own in texts])
        return cls(question, tuple(text for own in texts for text in own), len(texts), rrf_k)

    def of_question(self, row: int) -> tuple[Queries, LongArray]:
        """Return the queries of one question alone, and where they stand among all of them."""
        own = np.flatnonzero(self.question == row)
        texts = tuple(self.texts[i] for i in own)
        meant = tuple(self.meant[i] for i in own) if self.meant else ()
        passages = tuple(self.passages[i] for i in own) if self.passages else ()
        return Queries(np.zeros(len(own), dtype=np.int32), texts, 1, self.rrf_k, meant, passages), own


@dataclass(frozen=True)
class Candidates:
    """Which chunks a search may return, before it searches.

    `allowed` is bool [n_masks, n_chunks]; `mask` is int32 [n_questions], the row that holds for a question, or -1
    where every chunk may be returned.

    A soft filter gives chunks a bonus: `level` is uint8 [n_masks, n_chunks], and `bonus`, float32 [n_masks, n_levels],
    what each level adds to a chunk's score, as a share of the best score of the query. Without them there is none.

    Of a filter that reads the questions, `agreement` is int32 [n_questions, 3]: how many of the values that it read
    the question's labels hold, how many it read in fields that are labelled, and how many labels there are. `notes` say
    what its user should know.
    """

    mask: IntArray
    allowed: BoolArray
    level: ByteArray | None = None
    bonus: FloatArray | None = None
    agreement: IntArray | None = None
    notes: tuple[str, ...] = ()

    @classmethod
    def everything(cls, n_questions: int, n_chunks: int) -> Candidates:
        """Return candidates that leave out nothing."""
        return cls(np.full(n_questions, PADDING, dtype=np.int32), np.zeros((0, n_chunks), dtype=np.bool_))

    def rows(self, rows: LongArray | IntArray | slice) -> Candidates:
        """Return the candidates of some questions, or of each query's question; a question may come up repeatedly."""
        agreement = None if self.agreement is None else self.agreement[rows]
        return replace(self, mask=self.mask[rows], agreement=agreement, notes=())

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
