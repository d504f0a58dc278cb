"""Metrics on a ranked list of graded items, one item a position: hit, mrr, map and ndcg, for spans and documents alike.

Positions start at 1. Definitions follow trec_eval; ndcg's gain is linear in the grade.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipelines.records import DoubleArray, LongArray

NEVER = 2**31 - 1
"""The rank of what is not on the list: greater than any cut-off."""


@dataclass(frozen=True)
class Items:
    """All relevant items: `question`, `grade` and `rank` (where it is gained, or NEVER) are [n_items], in any order."""

    n_questions: int
    question: LongArray
    grade: DoubleArray
    rank: LongArray


@dataclass(frozen=True)
class Placed:
    """Items on a list, one a position, ordered by question and position; item i of a question has `ordinal` i."""

    question: LongArray
    grade: DoubleArray
    position: LongArray
    ordinal: LongArray


def gained(items: Items) -> Placed:
    """Place what was gained: at its rank, or at the next free position if the rank is taken (higher grade first).

    position_i = max(rank_i, position_{i-1} + 1)
    """
    rows = np.flatnonzero(items.rank < NEVER)
    rows = rows[np.lexsort((-items.grade[rows], items.rank[rows], items.question[rows]))]
    question, ordinal = items.question[rows], _ordinals(items.question[rows])
    # position_i - i is the running maximum of rank_i - i within a question; a step of NEVER keeps questions apart.
    lead = np.maximum.accumulate(items.rank[rows] - ordinal + question * NEVER) - question * NEVER
    return Placed(question, items.grade[rows], lead + ordinal, ordinal)


def ideal(items: Items) -> Placed:
    """Place every item in the best order: the highest grade at position 1, and so on without a gap."""
    rows = np.lexsort((-items.grade, items.question))
    ordinal = _ordinals(items.question[rows])
    return Placed(items.question[rows], items.grade[rows], ordinal, ordinal)


def hit(items: Items, cut: LongArray) -> DoubleArray:
    """Whether every item is gained within the cut.

    hit = 1 if max rank_i <= k, else 0
    """
    last = np.zeros(items.n_questions, dtype=np.int64)
    np.maximum.at(last, items.question, items.rank)
    return (last[:, None] <= cut).astype(np.float64)


def found(placed: Placed, cut: LongArray) -> DoubleArray:
    """How many items are gained within the cut."""
    return _sum(placed, np.ones(len(placed.position)), cut)


def reciprocal_rank(placed: Placed, cut: LongArray) -> DoubleArray:
    """How early the first item comes.

    mrr = 1 / position_1 if position_1 <= k, else 0
    """
    first = placed.ordinal == 1
    return _sum(placed, np.where(first, 1 / placed.position, 0.0), cut)


def average_precision(placed: Placed, n_items: LongArray, cut: LongArray) -> DoubleArray:
    """How clean the list is down to each item, averaged over all n items.

    map = 1/n Σ i / position_i, over the items i with position_i <= k
    """
    return _sum(placed, placed.ordinal / placed.position, cut) / np.maximum(n_items, 1)[:, None]


def ndcg(placed: Placed, best: Placed, cut: LongArray) -> DoubleArray:
    """How much of the ideal list's discounted gain is reached.

    ndcg = Σ grade_i / log2(position_i + 1) over the gained items, divided by the same sum over the ideal list; both
    over positions up to k. Where no position is within the cut (a budget that nothing fits) it is 0.
    """
    reached = _sum(placed, placed.grade / np.log2(placed.position + 1), cut)
    reachable = _sum(best, best.grade / np.log2(best.position + 1), cut)
    return np.divide(reached, reachable, out=np.zeros_like(reached), where=reachable > 0)


def _sum(placed: Placed, values: DoubleArray, cut: LongArray) -> DoubleArray:
    """Sum `values` over each question's positions up to `cut` [n_questions, n_cuts]."""
    within = placed.position[:, None] <= cut[placed.question]
    cells = placed.question[:, None] * cut.shape[1] + np.arange(cut.shape[1])
    weights = np.where(within, values[:, None], 0.0)
    sums: DoubleArray = np.bincount(cells.ravel(), weights=weights.ravel(), minlength=cut.size).astype(np.float64)
    return sums.reshape(cut.shape)


def _ordinals(owner: LongArray) -> LongArray:
    """Number the rows of each owner from 1; `owner` is sorted."""
    return np.arange(1, len(owner) + 1) - np.searchsorted(owner, owner)
