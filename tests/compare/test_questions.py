"""Question by question: the greatest loss first, what was unscored last and with its reason."""

from __future__ import annotations

import pytest

from pipelines.compare.questions import QuestionDifference, question_differences
from pipelines.errors import ComparisonError

from .runs import NAN, run

A = run("a", {"recall@5": [0.5, 0.5, 0.5, NAN, 0.5, NAN], "latency_ms": [10, 20, 30, 40, 50, 60]})
B = run("b", {"recall@5": [1.0, 0.0, 0.5, 1.0, 0.25, NAN], "latency_ms": [11, 20, 20, 40, 50, 90]})


def test_worst_first_then_ties_then_wins_then_unscored() -> None:
    found = question_differences(A, B, "recall@5")
    assert [(q.question_id, q.difference, q.outcome) for q in found] == [
        ("q1", -0.5, "loss"),
        ("q4", -0.25, "loss"),
        ("q2", 0.0, "tie"),
        ("q0", 0.5, "win"),
        ("q3", None, None),
        ("q5", None, None),
    ]
    assert found[4] == QuestionDifference("q3", None, 1.0, None, None, reason="baseline: unanswerable")
    assert found[5].reason == "unanswerable"
    assert found[0].reason is None


def test_lower_may_be_better() -> None:
    found = question_differences(A, B, "latency_ms")
    assert [(q.question_id, q.outcome) for q in found] == [
        ("q5", "loss"),
        ("q0", "loss"),
        ("q1", "tie"),
        ("q3", "tie"),
        ("q4", "tie"),
        ("q2", "win"),
    ]
    assert found[0].difference == 30


def test_ranks_of_the_first_hit() -> None:
    found = question_differences(A, B, "recall@5", baseline_first_hits={"q1": 1, "q4": None}, first_hits={"q1": 7})
    assert [(q.question_id, q.baseline_first_hit, q.first_hit) for q in found[:2]] == [("q1", 1, 7), ("q4", None, None)]


def test_order_of_questions_in_a_run_does_not_matter() -> None:
    turned = run("b", {"recall@5": [NAN, 0.25, 1.0, 0.5, 0.0, 1.0]}, ["q5", "q4", "q3", "q2", "q1", "q0"])
    assert question_differences(A, turned, "recall@5") == question_differences(A, B, "recall@5")


def test_refuses_as_the_comparison_does() -> None:
    with pytest.raises(ComparisonError, match="Did you mean 'recall@5'"):
        question_differences(A, B, "recall")
    with pytest.raises(ComparisonError, match="evaluate both on the same split"):
        question_differences(A, run("b", {"recall@5": [0.0] * 6}, split="dev"), "recall@5")
