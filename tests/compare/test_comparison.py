"""The comparison table: verdicts, sentences, alignment by question id, JSON."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from pipelines.compare.comparison import ComparisonRow, compare

from .runs import NAN, run

EIGHT = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]
ROW = ComparisonRow(
    run_id="b",
    run_name="run b",
    metric="recall@5",
    unit=None,
    higher_is_better=True,
    baseline_mean=0.5,
    mean=0.542,
    difference=0.042,
    low=0.011,
    high=0.073,
    p=0.004,
    p_holm=0.012,
    wins=11,
    ties=48,
    losses=3,
    n=62,
    dropped=0,
    smallest_detectable=0.045,
    verdict="better",
)


def test_verdicts_follow_the_direction_of_the_metric() -> None:
    shifted = [v + 0.1 + v / 10 for v in EIGHT]
    table = compare(
        run("a", {"recall@5": EIGHT, "latency_ms": EIGHT, "mrr@5": EIGHT}),
        [run("b", {"recall@5": shifted, "latency_ms": shifted, "mrr@5": EIGHT[::-1]})],
    )
    assert [(row.metric, row.verdict) for row in table.rows] == [
        ("recall@5", "better"),
        ("latency_ms", "worse"),
        ("mrr@5", "no difference shown"),
    ]
    # All eight higher: 2 of 2**8 patterns are as far from zero. Three comparisons: 3 * 2/256, 2 * 2/256 lifted to it.
    assert [row.p for row in table.rows] == [2 / 256, 2 / 256, 1.0]
    assert [row.p_holm for row in table.rows] == [6 / 256, 6 / 256, 1.0]
    assert (table.rows[0].wins, table.rows[1].losses) == (8, 8)
    assert table.rows[0].difference == pytest.approx(0.1 + 0.35 / 10)


def test_one_small_p_among_many_comparisons_is_not_enough() -> None:
    shifted = [v + 0.1 for v in EIGHT]
    others = [run("b", {"recall@5": shifted}), *(run(f"r{i}", {"recall@5": EIGHT[::-1]}) for i in range(9))]
    row = compare(run("a", {"recall@5": EIGHT}), others).rows[0]
    assert (row.p, row.p_holm) == (2 / 256, 20 / 256)
    assert row.verdict == "no difference shown"
    assert row.sentence().endswith("No difference shown: p = 0.008 alone, but not among all comparisons of the table.")


def test_runs_are_aligned_by_question_id() -> None:
    random = np.random.default_rng(0)
    old, new = random.random(30).tolist(), random.random(30).tolist()
    order = random.permutation(30).tolist()
    straight = compare(run("a", {"recall@5": old}), [run("b", {"recall@5": new})])
    ids = [f"q{i}" for i in order]
    turned = run("b", {"recall@5": [new[i] for i in order]}, ids)
    assert compare(run("a", {"recall@5": old}), [turned]) == straight
    both = compare(run("a", {"recall@5": [old[i] for i in order]}, ids), [turned])
    assert both == straight


def test_identical_numbers_under_another_id() -> None:
    row = compare(run("a", {"recall@5": EIGHT}), [run("b", {"recall@5": EIGHT})]).rows[0]
    assert (row.difference, row.low, row.high, row.p, row.p_holm) == (0, 0, 0, 1, 1)
    assert (row.wins, row.ties, row.losses, row.verdict) == (0, 8, 0, "no difference shown")
    assert row.smallest_detectable is None
    assert row.reason == "all questions differ by the same amount, which leaves no spread to judge by"
    assert row.sentence() == "recall@5 is equal on 8 questions."


def test_what_cannot_be_computed_is_none_with_a_reason() -> None:
    table = compare(
        run("a", {"recall@5": [NAN, 0.5, NAN], "mrr@5": [NAN, 1, 0]}),
        [run("b", {"recall@5": [1, NAN, 0], "mrr@5": [0, 1, NAN]})],
    )
    nothing, single = table.rows
    assert (nothing.n, nothing.dropped, nothing.p_holm, nothing.mean) == (0, 3, None, None)
    assert nothing.reason == "no question is scored in both runs"
    assert nothing.sentence() == "recall@5 cannot be compared: no question is scored in both runs."
    assert (single.n, single.dropped, single.low, single.difference, single.p) == (1, 2, None, 0, 1)
    assert single.reason == "a single question has no spread to judge by"
    assert table.n_comparisons == 1


def test_metrics_that_all_runs_share_are_compared_by_default() -> None:
    baseline = run("a", {"recall@5": EIGHT, "mrr@5": EIGHT, "map@5": EIGHT})
    b = run("b", {"map@5": EIGHT, "recall@5": EIGHT})
    table = compare(baseline, [b, run("c", {"recall@5": EIGHT, "map@5": EIGHT, "ndcg@5": EIGHT})])
    assert [(row.run_id, row.metric) for row in table.rows] == [
        ("b", "recall@5"),
        ("b", "map@5"),
        ("c", "recall@5"),
        ("c", "map@5"),
    ]
    chosen = compare(baseline, [b], ["map@5", "recall@5", "map@5"])
    assert [row.metric for row in chosen.rows] == ["map@5", "recall@5"]


def test_json_holds_finite_numbers_only() -> None:
    table = compare(
        run("a", {"recall@5": [NAN, 0.5], "mrr@5": [0.2, 0.5]}), [run("b", {"recall@5": [1, NAN], "mrr@5": [0, 1]})]
    )
    found = json.loads(json.dumps(table.to_dict(), allow_nan=False))
    assert found["baseline_id"] == "a"
    assert found["rows"][0]["p"] is None
    assert found["rows"][1]["sentence"] == table.rows[1].sentence()
    assert found["rows"][1]["difference"] == table.rows[1].difference


def test_a_dataset_without_questions_is_compared_to_nothing() -> None:
    row = compare(run("a", {"recall@5": []}), [run("b", {"recall@5": []})]).rows[0]
    assert (row.n, row.dropped, row.difference) == (0, 0, None)


def test_sentence_of_a_difference_that_was_shown() -> None:
    assert ROW.sentence() == (
        "recall@5 is 0.042 higher (95 % interval 0.011 to 0.073, p = 0.012 after Holm), on 62 questions; "
        "11 better, 48 equal, 3 worse."
    )


def test_sentence_where_lower_is_better_with_a_unit_and_dropped_questions() -> None:
    row = replace(
        ROW,
        metric="latency_ms",
        unit="ms",
        higher_is_better=False,
        difference=-12.34,
        low=-20.0,
        high=-4.5,
        p_holm=0.0004,
        dropped=3,
    )
    assert row.sentence() == (
        "latency_ms is 12.340 ms lower (lower is better; 95 % interval -20.000 to -4.500, p < 0.001 after Holm), on 62 "
        "questions (3 left out, unscored in at least one of the two runs); 11 better, 48 equal, 3 worse."
    )


def test_sentence_of_too_few_questions() -> None:
    row = replace(ROW, difference=0.01, low=-0.02, high=0.04, p=0.4, p_holm=1.0, verdict="no difference shown")
    assert row.sentence().endswith("No difference shown: 62 questions can show one of about 0.045 or more.")


def test_sentence_of_chance_and_of_a_single_question() -> None:
    row = replace(ROW, p=0.051, p_holm=0.3, smallest_detectable=0.04, verdict="no difference shown")
    assert row.sentence().endswith("No difference shown: chance alone could give as much.")
    single = compare(run("a", {"recall@5": [0.5]}), [run("b", {"recall@5": [1.0]})]).rows[0]
    assert single.sentence() == (
        "recall@5 is 0.500 higher (p = 1.000 after Holm), on 1 question; 1 better, 0 equal, 0 worse. "
        "No difference shown: a single question has no spread to judge by."
    )


def test_sentence_keeps_small_numbers_and_the_line_at_five_percent_apart() -> None:
    assert "is 0.00004 higher" in replace(ROW, difference=0.00004).sentence().replace("4e-05", "0.00004")
    assert "p = 0.0497" in replace(ROW, p_holm=0.04971).sentence()
    assert "has the same mean" in replace(ROW, difference=0.0).sentence()


def test_reported_settings() -> None:
    table = compare(run("a", {"recall@5": EIGHT}), [run("b", {"recall@5": EIGHT})], resamples=500, seed=3)
    assert (table.resamples, table.seed, table.patterns, table.n_questions) == (500, 3, 500, 8)
    assert (table.dataset_name, table.dataset_version, table.split) == ("meridian", "abc123", "test")
    assert not any(math.isnan(v) for row in table.rows for v in vars(row).values() if isinstance(v, float))
