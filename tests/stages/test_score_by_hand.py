"""Every metric of the standard scorer against arithmetic that a reader can check in the head."""

from __future__ import annotations

from math import log2

import numpy as np
import pytest

from pipelines.records import Candidates, Chunks, Document, Documents, Evidence, Gold, Question, Rankings, Scores
from pipelines.stages.score import Evaluation
from pipelines.stages.score.standard import StandardScorer

DOCUMENTS = Documents.of([Document("a", "x" * 100), Document("b", "y" * 50), Document("empty", "")])
# Document a in ten chunks of 10 characters (0 to 9), b in five (10 to 14); 100 tokens each.
TEN = Chunks.of([0] * 10 + [1] * 5, [*range(0, 100, 10), *range(0, 50, 10)], [*range(10, 101, 10), *range(10, 51, 10)])
TEN.tokens[:] = 100


def score(
    evidence: list[Evidence],
    ranked: list[int],
    chunks: Chunks = TEN,
    allowed: list[int] | None = None,
    **knobs: object,
) -> Scores:
    """Score one question whose ranking is `ranked`; `allowed` are the chunks that a filter leaves."""
    gold = Gold.of([Question("q", "?", evidence=tuple(evidence))], DOCUMENTS)
    chunk = np.asarray([ranked], dtype=np.int32).reshape(1, -1)
    candidates = Candidates.everything(1, len(chunks))
    if allowed is not None:
        candidates = Candidates(np.zeros(1, dtype=np.int32), np.isin(np.arange(len(chunks)), allowed)[None])
    rankings = Rankings(chunk, np.zeros(chunk.shape, dtype=np.float32))
    return StandardScorer(**knobs).score(Evaluation(gold, chunks, len(DOCUMENTS), rankings, candidates))


def value(scores: Scores, name: str) -> float | str:
    """The value of the one question, or why it has none."""
    index = [metric.name for metric in scores.metrics].index(name)
    reason = scores.reasons[scores.reason[0, index]]
    return reason or float(scores.values[0, index])


def test_recall_precision_and_iou() -> None:
    scores = score([Evidence("a", 5, 25)], [1, 12, 0])
    assert value(scores, "recall@1") == 10 / 20  # chunk 1 holds 10..20 of 5..25
    assert value(scores, "precision@1") == 10 / 10
    assert value(scores, "iou@1") == 10 / (10 + 10)  # 10 handed on, 10 missed
    assert value(scores, "recall@3") == 15 / 20  # and chunk 0 holds 5..10
    assert value(scores, "precision@3") == 15 / 30
    assert value(scores, "iou@3") == 15 / (30 + 5)
    assert value(scores, "recall@20") == 15 / 20  # past the depth: what there is


def test_overlap_counts_twice_below_and_once_above() -> None:
    chunks = Chunks.of([0, 0], [0, 5], [10, 15])
    scores = score([Evidence("a", 4, 12)], [0, 1], chunks)
    assert value(scores, "recall@3") == 1.0
    assert value(scores, "precision@3") == 8 / 20  # 10 + 10 characters handed on, 8 of them evidence
    assert value(scores, "precision_omega") == 8 / 15  # D = 0..15, its overlap once


def test_overlapping_evidence_counts_once_in_recall() -> None:
    scores = score([Evidence("a", 0, 20), Evidence("a", 10, 30)], [2])
    assert value(scores, "recall@1") == 10 / 30  # R = 0..30


def test_the_context_is_what_counts_not_the_chunk() -> None:
    ints = [np.asarray([n], dtype=np.int32) for n in (0, 40, 50, 20, 80, 7)]
    scores = score([Evidence("a", 20, 40)], [0], Chunks(*ints))
    assert value(scores, "recall@1") == 1.0  # 20..80 is handed on for a hit of 40..50
    assert value(scores, "precision@1") == 20 / 60
    assert value(scores, "context_tokens@1") == 7
    assert value(scores, "precision_omega") == 0.0  # the chunk itself does not touch the evidence


def test_a_hit_needs_every_group_and_one_alternative_of_each() -> None:
    alternatives = [Evidence("a", 0, 10, group="g"), Evidence("b", 0, 10, group="g"), Evidence("a", 50, 60)]
    scores = score(alternatives, [10, 3, 5])
    assert value(scores, "hit@1") == 0.0  # group g by its second alternative, the other not at all
    assert value(scores, "hit@3") == 1.0
    assert value(scores, "recall@3") == 20 / 30  # alternatives are all in R


def test_coverage_accumulates_over_ranks() -> None:
    scores = score([Evidence("a", 0, 40)], [0, 10, 1, 2], cutoffs=(1, 2, 3, 4))
    # 10 of 40 at rank 1, 20 of 40 (half) at rank 3
    assert [value(scores, f"hit@{k}") for k in (1, 2, 3, 4)] == [0, 0, 1, 1]
    assert value(scores, "mrr@2") == 0.0
    assert value(scores, "mrr@3") == 1 / 3


def test_the_needed_coverage_is_exact() -> None:
    # 0.07 * 100 is 7.000000000000001 in floating point; 7 characters are enough all the same.
    seven = Chunks.of([0, 0], [0, 7], [7, 100])
    assert value(score([Evidence("a", 0, 100)], [0], seven, coverage=0.07), "hit@1") == 1.0
    assert value(score([Evidence("a", 0, 100)], [0], seven, coverage=0.0701), "hit@1") == 0.0


def test_map_and_ndcg_on_graded_items() -> None:
    evidence = [Evidence("a", 0, 10, grade=1), Evidence("a", 20, 30, grade=3), Evidence("b", 0, 10, grade=2)]
    scores = score(evidence, [0, 1, 2], cutoffs=(1, 3))  # gained at ranks 1 (grade 1) and 3 (grade 3); b never
    assert value(scores, "mrr@3") == 1 / 1
    assert value(scores, "map@1") == pytest.approx((1 / 1) / 3)
    assert value(scores, "map@3") == pytest.approx((1 / 1 + 2 / 3) / 3)
    assert value(scores, "ndcg@1") == pytest.approx(1 / 3)  # the ideal has grade 3 at position 1
    reached, best = 1 / log2(2) + 3 / log2(4), 3 / log2(2) + 2 / log2(3) + 1 / log2(4)
    assert value(scores, "ndcg@3") == pytest.approx(reached / best)


def test_items_gained_at_one_rank_take_successive_positions() -> None:
    whole = Chunks.of([0, 1], [0, 0], [100, 50])
    evidence = [Evidence("a", 0, 10, grade=1), Evidence("a", 20, 30, grade=2), Evidence("b", 0, 10, grade=1)]
    scores = score(evidence, [0, 1], whole, cutoffs=(1, 2, 3))
    # Rank 1 gains grades 2 and 1: positions 1 and 2; b is gained at rank 2, which is taken: position 3.
    assert value(scores, "hit@2") == 1.0  # a hit is about ranks, not positions
    assert value(scores, "map@1") == pytest.approx((1 / 1) / 3)
    assert value(scores, "map@3") == 1.0
    assert [value(scores, f"ndcg@{k}") for k in (1, 2, 3)] == [1.0, 1.0, 1.0]


def test_the_number_of_chunks_does_not_move_the_ideal() -> None:
    one = score([Evidence("a", 0, 40)], [0, 1], Chunks.of([0, 0], [0, 50], [50, 100]))
    many = score([Evidence("a", 0, 40)], [0, 1, 2, 3])
    assert value(one, "ndcg@5") == 1.0  # found at rank 1
    assert value(many, "ndcg@5") == pytest.approx(1 / log2(3))  # half of it found at rank 2


def test_a_budget_ends_at_the_first_chunk_that_does_not_fit() -> None:
    chunks = Chunks.of([0, 0, 0], [0, 10, 20], [10, 20, 30])
    chunks.tokens[:] = [60, 50, 30]
    scores = score([Evidence("a", 0, 30)], [0, 1, 2], chunks, budgets_tokens=(59, 100, 110, 140))
    # 60, then 110 does not fit 100: the list ends there, though chunk 2 would fit.
    assert value(scores, "context_tokens@100tok") == 60
    assert value(scores, "recall@100tok") == 10 / 30
    assert value(scores, "context_tokens@110tok") == 110
    assert value(scores, "recall@140tok") == 1.0
    assert value(scores, "recall@59tok") == 0.0
    assert value(scores, "ndcg@59tok") == 0.0
    assert value(scores, "precision@59tok") == "no chunk fits the token budget"


def test_a_budget_cuts_the_ideal_where_it_cuts_the_list() -> None:
    scores = score([Evidence("a", 0, 10), Evidence("a", 10, 20)], [0, 1], budgets_tokens=(100, 200))
    assert value(scores, "ndcg@100tok") == 1.0  # one chunk fits, and it gains one item
    assert value(scores, "map@100tok") == (1 / 1) / 2
    assert value(scores, "map@200tok") == 1.0


def test_precision_omega_counts_all_chunks_that_touch() -> None:
    scores = score([Evidence("a", 5, 25), Evidence("b", 12, 14)], [])
    assert value(scores, "precision_omega") == 22 / 40  # chunks 0, 1, 2 of a and 11 of b
    uncut = score([Evidence("a", 5, 25)], [], Chunks.of([0], [10], [20]))
    assert value(uncut, "precision_omega") == 10 / 20  # R sticks out of D = 10..20 on both sides


def test_precision_omega_finds_a_long_chunk_behind_short_ones() -> None:
    chunks = Chunks.of([0, 0, 0], [0, 10, 30], [90, 20, 40])  # ends are not in order
    assert value(score([Evidence("a", 80, 90)], [], chunks), "precision_omega") == 10 / 90


def test_documents_are_folded_by_best_rank_before_the_cut() -> None:
    scores = score([Evidence("b", 0, 10, grade=2)], [0, 1, 2, 10], cutoffs=(1, 2))
    assert value(scores, "doc_recall@1") == 0.0
    assert value(scores, "doc_recall@2") == 1.0  # the second document, though its chunk has rank 4
    assert value(scores, "doc_mrr@2") == 1 / 2
    assert value(scores, "doc_ndcg@2") == pytest.approx((2 / log2(3)) / (2 / log2(2)))
    assert value(scores, "hit@2") == 0.0


def test_doc_hit_needs_one_document_and_hit_needs_every_item() -> None:
    scores = score([Evidence("a", 0, 10), Evidence("b", 0, 10)], [0], cutoffs=(1,))
    assert (value(scores, "doc_hit@1"), value(scores, "hit@1")) == (1.0, 0.0)
    assert value(scores, "doc_recall@1") == 1 / 2


def test_a_whole_document_is_its_full_span() -> None:
    scores = score([Evidence("b")], [10, 11], cutoffs=(1, 3))
    assert value(scores, "recall@3") == 20 / 50
    assert value(scores, "hit@3") == 0.0  # 40 % of it
    assert value(scores, "doc_recall@1") == 1.0


def test_what_the_filter_leaves() -> None:
    scores = score([Evidence("a", 5, 25)], [0], allowed=[0, 10, 11])
    assert value(scores, "gold_survival") == 5 / 20  # 5..10 in chunk 0
    assert value(scores, "candidates_removed") == pytest.approx(12 / 15)
    unfiltered = score([Evidence("a", 5, 25)], [0])
    assert (value(unfiltered, "gold_survival"), value(unfiltered, "candidates_removed")) == (1.0, 0.0)


def test_an_unanswerable_question_has_cost_but_no_quality() -> None:
    scores = score([Evidence("a", 0, 10, grade=0)], [0, 1], allowed=[0, 1, 2])
    for metric in scores.metrics:
        if metric.family not in ("context_tokens", "candidates_removed", "filter_precision", "filter_recall"):
            assert value(scores, metric.name) == "unanswerable: no evidence"
    assert value(scores, "context_tokens@3") == 200
    assert value(scores, "candidates_removed") == pytest.approx(12 / 15)


@pytest.mark.parametrize("ranked", [[], [-1, -1]])
def test_nothing_retrieved(ranked: list[int]) -> None:
    scores = score([Evidence("a", 5, 25)], ranked)
    assert value(scores, "precision@5") == value(scores, "precision@500tok") == "nothing was retrieved"
    for family in ("recall", "iou", "hit", "mrr", "map", "ndcg", "doc_recall", "doc_ndcg", "context_tokens"):
        assert value(scores, f"{family}@5") == 0.0


def test_evidence_without_characters() -> None:
    scores = score([Evidence("empty")], [0])
    assert value(scores, "recall@1") == value(scores, "gold_survival") == "the evidence has no characters"
    assert value(scores, "doc_recall@1") == 0.0  # as a document it is relevant all the same
    beside = score([Evidence("empty"), Evidence("a", 0, 10)], [0])
    assert (value(beside, "recall@1"), value(beside, "hit@1")) == (1.0, 1.0)


def test_chunks_without_characters() -> None:
    scores = score([Evidence("a", 0, 10)], [0], Chunks.of([0, 0], [5, 20], [5, 30]))
    assert value(scores, "precision@1") == "the retrieved chunks have no characters"
    assert value(scores, "iou@1") == value(scores, "precision_omega") == 0.0


def test_a_corpus_without_chunks() -> None:
    scores = score([Evidence("a", 0, 10)], [], Chunks.of([], [], []))
    assert value(scores, "candidates_removed") == "there are no chunks"
    assert value(scores, "gold_survival") == value(scores, "precision_omega") == value(scores, "recall@1") == 0.0
