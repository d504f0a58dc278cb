"""Each stage's loss, and the cases that one might decide otherwise, on rankings that a reader checks in the head."""

from __future__ import annotations

from typing import Any

import numpy as np

from pipelines.losses.attribution import Lists, attributed
from pipelines.losses.fates import Fates
from pipelines.losses.fragments import Fragments
from pipelines.losses.stages import STAGES
from pipelines.records import Candidates, Chunks, Document, Documents, Evidence, Gold, Question, Rankings

DOCUMENTS = Documents.of([Document("a", "x" * 100), Document("b", "y" * 50)])
# Document a in ten chunks of 10 characters (0 to 9), b in five (10 to 14); 100 tokens each.
TEN = Chunks.of([0] * 10 + [1] * 5, [*range(0, 100, 10), *range(0, 50, 10)], [*range(10, 101, 10), *range(10, 51, 10)])
TEN.tokens[:] = 100


def ranked(chunks: list[int]) -> Rankings:
    row = np.asarray([chunks], dtype=np.int32).reshape(1, -1)
    return Rankings(row, np.zeros(row.shape, dtype=np.float32))


def fates(evidence: list[Evidence], before: list[int], after: list[int] | None = None, **given: Any) -> Fates:
    """One question; `allowed` are the chunks that a filter leaves, `k` and `tokens` the cuts."""
    chunks = given.get("chunks", TEN)
    gold = Gold.of([Question("q", "?", evidence=tuple(evidence))], DOCUMENTS)
    candidates = Candidates.everything(1, len(chunks))
    if "allowed" in given:
        candidates = Candidates(np.zeros(1, np.int32), np.isin(np.arange(len(chunks)), given["allowed"])[None])
    first = ranked(before)
    lists = Lists(first, first if after is None else ranked(after), given.get("k", [3]), given.get("tokens", []))
    return attributed(Fragments.of(gold, chunks), candidates, lists, chunks)


def lost(found: Fates, cut: int = 0) -> dict[str, float]:
    """What each stage lost that lost anything."""
    return {stage: float(share) for stage, share in zip(STAGES, found.shares()[0, cut], strict=True) if share}


A, B = Evidence("a", 10, 20), Evidence("b", 0, 10)  # all of chunk 1, all of chunk 10


def test_nothing_is_lost() -> None:
    assert lost(fates([A], [5, 1, 6])) == {}


def test_each_stage() -> None:
    gone = Evidence("a", quote="?" * 10)
    assert lost(fates([A, gone], [1])) == {"parse": 10 / 20}
    assert lost(fates([A], [5, 6], allowed=[5, 6])) == {"filter": 1.0}
    assert lost(fates([A], [5, 6])) == {"retrieve": 1.0}
    assert lost(fates([A], [1, 5, 6], [5, 6])) == {"rerank": 1.0}  # dropped
    assert lost(fates([A], [1, 5, 6, 7], [5, 6, 7, 1])) == {"rerank": 1.0}  # at rank 1, then at 4, below 3
    assert lost(fates([A], [5, 6, 7, 1])) == {"cut": 1.0}
    assert lost(fates([A], [5, 6, 7, 8, 1], [5, 6, 7, 1, 8])) == {"cut": 1.0}  # below 3 before and after
    assert lost(fates([A], [5, 6, 1], k=[], tokens=[250])) == {"budget": 1.0}
    assert lost(fates([A], [5, 6], k=[1], tokens=[150]), 1) == {"retrieve": 1.0}


def test_no_chunk_holds_it() -> None:
    gap = Chunks.of([0, 0], [0, 15], [12, 40])
    assert lost(fates([A], [0, 1], chunks=gap)) == {"chunk": 3 / 10}  # 12 to 15


def test_cut_apart_where_one_half_is_handed_on() -> None:
    halves = Evidence("a", 15, 25)  # chunks 1 and 2
    assert lost(fates([halves], [1, 5, 6, 2])) == {"chunk": 5 / 10}  # not cut: its other half was handed on
    assert lost(fates([halves], [5, 6, 7, 1, 2])) == {"cut": 1.0}  # neither half was
    found = fates([halves], [1, 5, 6, 2], k=[1, 4])
    assert (lost(found, 0), lost(found, 1)) == ({"chunk": 5 / 10}, {})


def test_a_piece_that_some_context_holds_whole_was_not_cut_apart() -> None:
    wide = Chunks.of([0, 0], [0, 10], [15, 25])
    assert lost(fates([A], [0], chunks=wide)) == {"retrieve": 5 / 10}  # chunk 1 holds it all, and was not retrieved
    narrow = Chunks.of([0, 0], [0, 15], [15, 25])
    assert lost(fates([A], [0], chunks=narrow)) == {"chunk": 5 / 10}


def test_a_context_that_is_wider_than_its_chunk_counts() -> None:
    one = np.asarray([30], dtype=np.int32)
    parent = Chunks(one * 0, one, one + 10, one * 0, one + 70, one * 0 + 9)  # chunk 30..40, handed on 0..100
    assert lost(fates([A], [0], chunks=parent)) == {}
    assert lost(fates([A], [], chunks=parent, allowed=[])) == {"filter": 1.0}


def test_each_piece_of_evidence_is_lost_on_its_own() -> None:
    found = fates([A, B, Evidence("a", 40, 50)], [10, 5, 1], allowed=[1, 5, 10], k=[1])
    assert lost(found) == {"filter": 10 / 30, "cut": 10 / 30}  # b is handed on, 40..50 is in chunk 4


def test_alternatives_are_all_in_the_evidence() -> None:
    either = [Evidence("a", 10, 20, group="g"), Evidence("b", 0, 10, group="g")]
    assert lost(fates(either, [1])) == {"retrieve": 10 / 20}


def test_overlapping_evidence_counts_once_and_what_was_judged_irrelevant_never() -> None:
    twice = [A, Evidence("a", 15, 20), Evidence("a", 60, 70, grade=0)]
    found = fates(twice, [5])
    assert lost(found) == {"retrieve": 1.0}
    assert found.relevant.tolist() == [10]


def test_a_question_without_evidence_has_no_shares() -> None:
    assert np.isnan(fates([], [1]).shares()).all()


def test_ranks_and_the_nearest_chunk_are_told() -> None:
    found = fates([A, B], [5, 1, 6, 7], [5, 6, 7, 1], allowed=[1, 5, 6, 7])
    assert (found.rank_before.tolist(), found.rank.tolist()) == ([2, 0], [4, 0])
    assert found.chunk.tolist() == [1, 10]
    assert (found.chunk_start.tolist(), found.chunk_end.tolist()) == ([10, 0], [20, 10])
    assert found.evidence.tolist() == [0, 1]
