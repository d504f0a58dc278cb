"""Runs that cannot honestly be set side by side: refused in one sentence that says what to do."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import pytest

from pipelines.compare.comparison import RunScores, compare
from pipelines.errors import ComparisonError
from pipelines.records import Metric

from .runs import run

COLUMNS = {"recall@5": [0.1, 0.2], "ndcg@10": [0.3, 0.4]}
A = run("a", COLUMNS)


def _refusal(others: Sequence[RunScores], metrics: Sequence[str] | None = None, baseline: RunScores = A) -> str:
    with pytest.raises(ComparisonError) as error:
        compare(baseline, others, metrics)
    return str(error.value)


def test_another_dataset_version() -> None:
    assert _refusal([run("b", COLUMNS, dataset_version="def456")]) == (
        "The run 'run a' (a) was evaluated on meridian version abc123 and run 'run b' (b) on meridian version def456; "
        "evaluate both on one version of one dataset."
    )


def test_another_split() -> None:
    assert _refusal([run("b", COLUMNS, split="dev")]) == (
        "The run 'run a' (a) was evaluated on split 'test' and run 'run b' (b) on split 'dev'; "
        "evaluate both on the same split."
    )
    assert "and run 'run b' (b) on all questions;" in _refusal([run("b", COLUMNS, split=None)])


def test_other_questions() -> None:
    assert _refusal([run("b", COLUMNS, ["q0", "q7"])]) == (
        "The run 'run a' (a) and run 'run b' (b) answered different questions (1, such as 'q1' only in the first, "
        "1, such as 'q7' only in the second); evaluate both on the same questions."
    )


def test_no_run_itself_or_twice() -> None:
    assert _refusal([]) == "No run was given to compare with run 'run a' (a); choose at least one other run."
    assert _refusal([A]) == "The baseline, run 'run a' (a), cannot be compared with itself; choose another run."
    b = run("b", COLUMNS)
    assert _refusal([b, b]) == "The run 'run b' (b) was given twice; give each run once."


def test_metrics() -> None:
    b = run("b", {"recall@5": [0.1, 0.2]})
    assert _refusal([b], ["recal@5"]) == (
        "Metric 'recal@5' was measured in none of the runs; choose among recall@5, ndcg@10. Did you mean 'recall@5'?"
    )
    assert _refusal([b], ["ndcg@10"]) == (
        "Metric 'ndcg@10' was not measured in run 'run b' (b); evaluate that run with it, or leave it out."
    )
    assert "none was asked for; choose a metric" in _refusal([b], [])
    assert "have none in common; choose a metric" in _refusal([run("c", {"map@5": [0.1, 0.2]})])


def test_a_metric_with_another_unit() -> None:
    b = run("b", {"recall@5": [0.1, 0.2]})
    in_ms = replace(b.scores, metrics=(Metric("recall@5", "recall", higher_is_better=False, unit="ms"),))
    assert "has another unit or direction in run 'run c' (c)" in _refusal([b, run("c", COLUMNS, scores=in_ms)])


def test_damaged_runs() -> None:
    assert "do not match its 3 questions" in _refusal([run("b", COLUMNS, ["q0", "q1", "q2"])])
    assert "do not match its 2 questions" in _refusal([run("b", COLUMNS, ["q0", "q0"])])
    assert "holds infinite values of 'recall@5'" in _refusal([run("b", {"recall@5": [0.1, math.inf]})])


def test_hostile_names_stay_on_one_short_line() -> None:
    message = _refusal([run("b" * 5_000, COLUMNS, name="<b>\n\u202e" + "x" * 10_000, split="dev")])
    assert len(message) < 400
    assert message.isprintable()
