"""What the ranks of an evaluation hold: document, context span and tokens of each chunk, and where a cut-off falls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pipelines.records import PADDING, BoolArray, Chunks, IntArray, LongArray, Rankings
from pipelines.stages.score.relevant import Relevant


@dataclass(frozen=True)
class Retrieved:
    """The retrieved chunks rank by rank: [n_questions, depth]; column r - 1 is rank r.

    `document` is -1, and a span empty, where the ranking is padded. Chunks may share a context span, such as their
    parent: it is handed on once, at its first rank, and costs no `tokens` at later ones.
    """

    document: IntArray
    start: IntArray
    end: IntArray
    tokens: IntArray

    @classmethod
    def of(cls, rankings: Rankings, chunks: Chunks) -> Retrieved:
        """Look up every ranked chunk."""
        tokens = _look_up(chunks.tokens, 0, rankings)
        return cls(
            _look_up(chunks.document, PADDING, rankings),
            _look_up(chunks.context_start, 0, rankings),
            _look_up(chunks.context_end, 0, rankings),
            tokens if _own_contexts(chunks) else np.where(_repeated(rankings, chunks), 0, tokens).astype(np.int32),
        )

    def n_chunks(self) -> LongArray:
        """Return how many chunks each ranking holds, int64 [n_questions]."""
        held: LongArray = np.count_nonzero(self.document != PADDING, axis=1).astype(np.int64)
        return held


@dataclass(frozen=True)
class Cuts:
    """The rank after which each question's list is cut, for every cut-off: int64 [n_questions, n_cuts].

    For `@k` it is k, even past the depth; for a budget it is the number of first chunks that together fit.
    """

    rank: LongArray

    @classmethod
    def of(cls, retrieved: Retrieved, cutoffs: Sequence[int], budgets_tokens: Sequence[int]) -> Cuts:
        """Find the ranks: the first chunk that does not fit a budget ends the list, nothing is skipped or cut short."""
        tokens = np.cumsum(retrieved.tokens, axis=1, dtype=np.int64)
        held = retrieved.n_chunks()
        fit = [np.minimum(np.count_nonzero(tokens <= budget, axis=1), held) for budget in budgets_tokens]
        fixed = [np.full_like(held, k) for k in cutoffs]
        return cls(np.stack([*fixed, *fit], axis=1))

    def total(self, values: npt.NDArray[Any]) -> LongArray:
        """Return the sum of `values` [n_questions, depth], integers, over the ranks within every cut."""
        n_questions, depth = values.shape
        sums = np.zeros((n_questions, depth + 1), dtype=np.int64)
        np.cumsum(values, axis=1, out=sums[:, 1:])
        totals: LongArray = np.take_along_axis(sums, np.minimum(self.rank, depth), axis=1)
        return totals


@dataclass(frozen=True)
class Matches:
    """Where a pair's document was retrieved: int64 [n_matches], ordered by pair and rank. Ranks start at 1."""

    pair: LongArray
    rank: LongArray

    @classmethod
    def of(cls, relevant: Relevant, retrieved: Retrieved) -> Matches:
        """Compare every pair's document with those of its question's ranks."""
        pair, column = np.nonzero(retrieved.document[relevant.question] == relevant.document[:, None])
        return cls(pair, column + 1)


def _look_up(column: IntArray, padding: int, rankings: Rankings) -> IntArray:
    # -1 is the padding of rankings and, to numpy, the last row: so the value of padding is put there.
    return np.append(column, np.int32(padding))[rankings.chunk]


def _own_contexts(chunks: Chunks) -> bool:
    """Whether every chunk is handed on as it is, and begins where no other does: then no two hand on the same."""
    own = (chunks.context_start == chunks.start) & (chunks.context_end == chunks.end)
    again = (np.diff(chunks.document) == 0) & (np.diff(chunks.start) == 0)
    return bool(own.all()) and not again.any()


def _repeated(rankings: Rankings, chunks: Chunks) -> BoolArray:
    """Return at which ranks the very context span of an earlier rank stands again, bool [n_questions, depth]."""
    spans = np.stack([chunks.document, chunks.context_start, chunks.context_end], axis=1)
    _, number = np.unique(spans, axis=0, return_inverse=True)
    ranked = np.append(number.reshape(-1), PADDING)[rankings.chunk]
    order = np.argsort(ranked, axis=1, kind="stable")
    ranked = np.take_along_axis(ranked, order, axis=1)
    again = np.zeros(ranked.shape, dtype=np.bool_)
    again[:, 1:] = (ranked[:, 1:] == ranked[:, :-1]) & (ranked[:, 1:] != PADDING)
    placed = np.zeros_like(again)
    np.put_along_axis(placed, order, again, axis=1)
    return placed
