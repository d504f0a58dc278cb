"""Attributes every fragment of evidence, at every cut, to the first stage that lost it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipelines.losses.fates import Fates, StageArray
from pipelines.losses.fragments import Fragments
from pipelines.losses.stages import HANDED_ON, number
from pipelines.records import PADDING, BoolArray, Candidates, Chunks, IntArray, LongArray, Rankings
from pipelines.stages.score.intervals import low_part, pack
from pipelines.stages.score.retrieved import Cuts, Retrieved

_NEVER = 1 << 29
_CELLS_AT_ONCE = 1 << 22


@dataclass(frozen=True)
class Lists:
    """The rankings of one configuration, before and after its reranker, cut after so many chunks or tokens."""

    before: Rankings
    after: Rankings
    cutoffs: Sequence[int]
    budgets_tokens: Sequence[int]

    @property
    def names(self) -> tuple[str, ...]:
        """Return the recall that each cut has, in order."""
        budgets = (f"recall@{budget}tok" for budget in self.budgets_tokens)
        return (*(f"recall@{k}" for k in self.cutoffs), *budgets)

    @property
    def reranked(self) -> bool:
        """Whether the two rankings may differ."""
        return self.after is not self.before

    def cuts(self, rankings: Rankings, chunks: Chunks) -> LongArray:
        """Return the rank after which each question's list is cut, int64 [n_questions, n_cuts]."""
        return Cuts.of(Retrieved.of(rankings, chunks), self.cutoffs, self.budgets_tokens).rank


def attributed(fragments: Fragments, candidates: Candidates, lists: Lists, chunks: Chunks) -> Fates:
    """Return what became of every fragment.

    Of the fragments that are not handed on, the first of these that holds: `parse`, its evidence is not in the parsed
    text; `chunk`, no context span holds it, or another part of its evidence was handed on and no context span holds
    that evidence whole; `filter`, no chunk that holds it may be returned; `retrieve`, none of them was retrieved;
    `rerank`, the reranker dropped all of them, or one stood within the cut before; else `cut` or `budget`.
    """
    question = fragments.question
    open_ = _allowed(candidates, question[fragments.held_fragment], fragments.held_chunk)
    held_before = _ranks(lists.before, fragments)
    before = _least(held_before, fragments)
    after = _least(_ranks(lists.after, fragments), fragments) if lists.reranked else before
    cut_after = lists.cuts(lists.after, chunks)
    cut_before = lists.cuts(lists.before, chunks) if lists.reranked else cut_after
    within = after[:, None] <= cut_after[question]
    found = _Found(fragments, open_, before, after, within, before[:, None] <= cut_before[question])
    nearest = _nearest(fragments, open_, held_before)
    return Fates(
        cuts=lists.names,
        n_questions=fragments.n_questions,
        question=_small(question),
        evidence=_small(_first_item(fragments)),
        start=_small(fragments.start),
        end=_small(fragments.end),
        rank_before=_small(np.where(before < _NEVER, before, 0)),
        rank=_small(np.where(after < _NEVER, after, 0)),
        chunk=_small(nearest),
        chunk_start=np.append(chunks.context_start, np.int32(PADDING))[nearest],
        chunk_end=np.append(chunks.context_end, np.int32(PADDING))[nearest],
        stage=found.stages(len(lists.cutoffs)),
    )


@dataclass(frozen=True)
class _Found:
    """What a configuration makes of the fragments.

    `open_` is bool [n_held], whether the chunk may be returned; `before` and `after` are the first ranks [n_fragments];
    `within` and `was_within` are bool [n_fragments, n_cuts], whether these are within the cuts.
    """

    fragments: Fragments
    open_: BoolArray
    before: LongArray
    after: LongArray
    within: BoolArray
    was_within: BoolArray

    def stages(self, n_cutoffs: int) -> StageArray:
        """Return the number of the stage that lost each fragment at each cut; the first `n_cutoffs` count chunks."""
        held, n = self.fragments.held_fragment, len(self.fragments)
        stage = np.empty(self.within.shape, dtype=np.int8)
        stage[:, :n_cutoffs], stage[:, n_cutoffs:] = number("cut"), number("budget")
        # Later lines overrule earlier ones: the stages stand here in reverse.
        stage[self.was_within | (self.after == _NEVER)[:, None]] = number("rerank")
        stage[self.before == _NEVER] = number("retrieve")
        stage[~_marked(held[self.open_], n)] = number("filter")
        stage[~_marked(held, n)] = number("chunk")
        stage[self._apart()] = number("chunk")
        absent = ~self.fragments.item_located[self.fragments.member_item]
        stage[self.fragments.member_fragment[absent]] = number("parse")
        stage[self.within] = HANDED_ON
        return stage

    def _apart(self) -> BoolArray:
        """Return what belongs to evidence that no context span holds whole, and of which a part was handed on."""
        fragment, item = self.fragments.member_fragment, self.fragments.member_item
        split = ~self.fragments.item_whole[item]
        fragment, item = fragment[split], item[split]
        begun = np.zeros((len(self.fragments.item_whole), self.within.shape[1]), dtype=np.bool_)
        np.logical_or.at(begun, item, self.within[fragment])
        apart = np.zeros(self.within.shape, dtype=np.bool_)
        np.logical_or.at(apart, fragment, begun[item])
        return apart


def _allowed(candidates: Candidates, question: LongArray, chunk: LongArray) -> BoolArray:
    mask = candidates.mask[question]
    allowed: BoolArray = mask == PADDING
    masked = np.flatnonzero(~allowed)
    allowed[masked] = candidates.allowed[mask[masked], chunk[masked]]
    return allowed


def _ranks(rankings: Rankings, fragments: Fragments) -> LongArray:
    """Return the rank of the chunk of each row of `held` in its question's ranking, `_NEVER` where it has none."""
    question = fragments.question[fragments.held_fragment]
    rank = np.full(len(question), _NEVER, dtype=np.int64)
    step = max(1, _CELLS_AT_ONCE // max(1, rankings.depth))
    for at in range(0, len(question) if rankings.depth else 0, step):
        part = slice(at, at + step)
        hit = rankings.chunk[question[part]] == fragments.held_chunk[part, None]
        column = hit.argmax(axis=1)
        rank[part] = np.where(hit[np.arange(len(column)), column], column + 1, _NEVER)
    return rank


def _least(rank: LongArray, fragments: Fragments) -> LongArray:
    """Return the first rank of each fragment, int64 [n_fragments]."""
    least = np.full(len(fragments), _NEVER, dtype=np.int64)
    np.minimum.at(least, fragments.held_fragment, rank)
    return least


def _nearest(fragments: Fragments, open_: BoolArray, rank: LongArray) -> LongArray:
    """Return the holder that is ranked first, else the first one that the filter leaves, else the first."""
    order = pack(2 * rank + ~open_, fragments.held_chunk)
    none = np.iinfo(np.int64).max
    least = np.full(len(fragments), none)
    np.minimum.at(least, fragments.held_fragment, order)
    nearest: LongArray = np.where(least < none, low_part(least), PADDING)
    return nearest


def _first_item(fragments: Fragments) -> LongArray:
    first = np.full(len(fragments), np.iinfo(np.int64).max)
    np.minimum.at(first, fragments.member_fragment, fragments.item_evidence[fragments.member_item])
    return first


def _marked(rows: LongArray, n: int) -> BoolArray:
    marked = np.zeros(n, dtype=np.bool_)
    marked[rows] = True
    return marked


def _small(values: LongArray) -> IntArray:
    return values.astype(np.int32)
