"""The report as a whole: what it holds, that it is plain JSON, and that no order changes it."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from pipelines.errors import ComparisonError
from pipelines.records import Metric
from pipelines.sweeps.report import LeftOut, Report, Scored, TestResult, build_report

NAN = math.nan
NDCG, RECALL = Metric("ndcg@10", "ndcg", True), Metric("recall@5", "recall", True)
TOKENS = Metric("context_tokens@10", "context_tokens", False, "tokens")
LATENCY, USD = Metric("latency_ms_p50", "latency_ms", False, "ms"), Metric("usd", "usd", False, "USD")
IDS = [f"q{i:02}" for i in range(30)]


def _sweep() -> list[Scored]:
    """Return 2 x 2 configurations: size 256 is better and longer, depth changes next to nothing; q00 is unscored."""
    random = np.random.default_rng(0)
    ease, made = random.random(30) * 0.5, []
    for number, (size, depth) in enumerate([(128, 10), (128, 20), (256, 10), (256, 20)], start=1):
        ndcg = ease + 0.3 * (size == 256) + 0.02 * random.random(30)
        ndcg[0] = NAN
        values = {"ndcg@10": ndcg, "context_tokens@10": np.full(30, 10.0 * size), "recall@5": ndcg / 2}
        made.append(
            Scored(
                number,
                f"size {size}, depth {depth}",
                f"run-{number}",
                {"chunk.size": size, "retrieve.depth": depth},
                values,
                {"latency_ms_p50": 5.0 + depth, "usd": None},
            )
        )
    return made


def _report(sweep: list[Scored] | None = None, **changes: object) -> Report:
    settings: dict[str, object] = {"cost_metrics": [TOKENS, LATENCY, USD], "seed": 3, **changes}
    ids = settings.pop("question_ids", IDS)
    objectives = settings.pop("objectives", [NDCG])
    return build_report(sweep or _sweep(), objectives, ids, **settings)  # type: ignore[arg-type]


def test_what_it_holds() -> None:
    report = _report()
    winner = report.selection.winner
    assert winner in (3, 4)
    assert {row.number: row.standing for row in report.configurations}[1] == "worse"
    assert report.configurations[0].number == winner
    assert (report.n_configurations, report.n_questions, report.selection.n_questions) == (4, 30, 29)
    first = report.configurations[0]
    assert (first.n, first.unscored, first.n_ranked) == (29, 1, 29)
    assert first.means == {
        "ndcg@10": first.mean,
        "context_tokens@10": 2560.0,
        "latency_ms_p50": 5.0 + 10 * (winner - 2),
    }
    assert report.effects[0].knob == "chunk.size"
    assert report.effects[0].effect == pytest.approx(0.3, abs=0.02)
    assert report.notes == ("Ranked on 29 of 30 questions: the others are unscored in at least one configuration.",)
    # usd is known of none, so it is no cost of this sweep.
    assert [metric.name for metric in report.costs] == ["context_tokens@10", "latency_ms_p50"]


def test_fronts() -> None:
    report = _report(objectives=[NDCG, RECALL])
    fronts = {front.metrics: front for front in report.fronts}
    assert list(fronts) == [
        ("ndcg@10", "context_tokens@10"),
        ("ndcg@10", "latency_ms_p50"),
        ("ndcg@10", "recall@5"),
        ("ndcg@10", "recall@5", "context_tokens@10"),
        ("ndcg@10", "recall@5", "latency_ms_p50"),
    ]
    tokens = fronts["ndcg@10", "context_tokens@10"]
    best_short = max((row for row in report.configurations if row.number < 3), key=lambda row: row.mean or 0)
    assert tokens.numbers == (report.selection.winner, best_short.number)
    assert (tokens.n, tokens.excluded, tokens.reason) == (4, 0, None)


def test_unknown_costs_are_excluded_from_the_front_and_counted() -> None:
    sweep = _sweep()
    sweep[0] = replace(sweep[0], means={"latency_ms_p50": None})
    front = next(f for f in _report(sweep).fronts if "latency_ms_p50" in f.metrics)
    assert (front.n, front.excluded) == (3, 1) and 1 not in front.numbers
    assert "latency_ms_p50 unknown" in str(front.reason)


def test_without_test_questions_optimism_is_estimated() -> None:
    report = _report()
    estimate = report.optimism_estimate
    assert report.optimism == () and report.n_test_questions is None and estimate is not None
    assert estimate.expected is not None and estimate.difference == estimate.dev_mean - estimate.expected  # type: ignore[operator]
    assert estimate.sentence.startswith("Estimated without test questions")
    assert estimate.dev_mean == report.configurations[0].mean


def test_on_test_the_winner_and_the_proposal_come_first() -> None:
    results = [TestResult(number, f"test-{number}", {"ndcg@10": np.full(12, 0.4)}) for number in (1, 4, 3)]
    report = _report(test=results)
    chosen = list(dict.fromkeys([report.selection.winner, report.selection.proposal.number]))
    assert [row.number for row in report.optimism] == [*chosen, *sorted({1, 3, 4} - set(chosen))]
    assert report.optimism_estimate is None and report.n_test_questions == 12
    row = report.optimism[0]
    assert (row.n_dev, row.n_test, row.test_mean) == (29, 12, 0.4)
    assert row.difference == row.dev_mean - 0.4  # type: ignore[operator]
    assert row.run_id == f"test-{row.number}"
    untested = _report(test=[TestResult(1, "t", {"ndcg@10": np.ones(3)})]).optimism[0]
    assert (untested.number, untested.reason) == (report.selection.winner, "not measured on test")


def test_is_plain_json() -> None:
    sweep = _sweep()
    sweep.append(replace(sweep[0], number=9, values={"ndcg@10": np.full(30, NAN)}, means={}))
    left = [LeftOut(12, "twelve", "failed"), LeftOut(11, "eleven", "dropped after 6 of 30 questions")]
    for report in (
        _report(sweep, left_out=left, importance={"chunk.size": 0.9}),
        _report(sweep[:1], grid=False),
        _report(test=[TestResult(3, "t", {})]),
    ):
        plain = report.to_dict()
        assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    plain = _report(sweep, left_out=left, importance={"chunk.size": 0.9}).to_dict()
    assert [one["number"] for one in plain["left_out"]] == [11, 12]  # type: ignore[attr-defined]
    assert plain["importance"] == {"chunk.size": 0.9}


def test_what_has_no_values_is_set_aside_with_a_reason() -> None:
    sweep = _sweep()
    sweep.append(replace(sweep[0], number=9, values={"ndcg@10": np.full(30, NAN)}, means={}))
    report = _report(sweep)
    last = report.configurations[-1]
    assert (last.number, last.standing, last.mean, last.n) == (9, "set aside", None, 0)
    assert "scored on 0 questions only" in str(last.reason)
    assert "1 configuration is set aside: scored on fewer than half of the questions." in report.notes
    assert report.selection.n_comparisons == 3


def test_no_order_changes_it() -> None:
    sweep, order = _sweep(), np.random.default_rng(4).permutation(30)
    turned = [replace(one, values={name: v[order] for name, v in one.values.items()}) for one in reversed(sweep)]
    expected = json.dumps(_report(sweep).to_dict())
    assert json.dumps(_report(sweep).to_dict()) == expected
    assert json.dumps(_report(turned, question_ids=[IDS[i] for i in order]).to_dict()) == expected
    assert json.dumps(_report(sweep, seed=4).to_dict()) != expected


def test_effects_need_a_grid() -> None:
    report = _report(grid=False, importance={"chunk.size": 1.0})
    assert report.effects == () and "need a grid" in str(report.effects_reason)
    alone = _report(_sweep()[:1])
    assert alone.effects == () and "no two configurations differ" in str(alone.effects_reason)
    assert alone.optimism_estimate is not None and "only one configuration" in str(alone.optimism_estimate.reason)
    few = [replace(one, values={"ndcg@10": one.values["ndcg@10"][:9]}, means={}) for one in _sweep()]
    estimate = _report(few, question_ids=IDS[:9]).optimism_estimate
    assert estimate is not None and (estimate.expected, estimate.reason) == (None, "8 questions are too few")


def test_refusals() -> None:
    with pytest.raises(ComparisonError, match="without a finished configuration"):
        build_report([], [NDCG], IDS)
    with pytest.raises(ComparisonError, match="#1 twice"):
        _report([_sweep()[0], _sweep()[0]])
    with pytest.raises(ComparisonError, match=r"#1 has no values of latency_ms_p50, question by question"):
        _report(objectives=[LATENCY])
    with pytest.raises(ComparisonError, match="has 30 values of ndcg@10, but the sweep has 3 questions"):
        _report(question_ids=IDS[:3])
    nothing = [replace(one, values={"ndcg@10": np.full(30, NAN)}) for one in _sweep()]
    with pytest.raises(ComparisonError, match=r"No configuration of the sweep has a value of ndcg@10 on any of 30"):
        _report(nothing)
