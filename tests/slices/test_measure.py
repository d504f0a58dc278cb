"""Slices of runs: their figures are those of the questions alone, and what goes against the whole is told."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from pipelines.compare.comparison import compare
from pipelines.errors import ComparisonError
from pipelines.records import Document, Documents, Evidence, Question
from pipelines.resampling import mean_intervals
from pipelines.slices import SliceReport, slice_runs
from pipelines.slices.discovery import benjamini_hochberg

_spec = importlib.util.spec_from_file_location("compare_runs", Path(__file__).parents[1] / "compare" / "runs.py")
assert _spec and _spec.loader
runs = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(runs)

N = 60
DOCUMENTS = Documents.of([Document("left", "L" * 9, {"side": "left"}), Document("right", "R" * 9, {"side": "right"})])


def questions(n_left: int, n: int = N) -> tuple[Question, ...]:
    sides = ["left"] * n_left + ["right"] * (n - n_left)
    return tuple(Question(f"q{i}", "Why?", evidence=(Evidence(side, 0, 3),)) for i, side in enumerate(sides))


def report(old: list[float], new: list[float], n_left: int, **more: object) -> SliceReport:
    asked = questions(n_left, len(old))
    ids = [question.id for question in asked]
    a, b = (runs.run(name, {"recall@5": values}, ids) for name, values in (("a", old), ("b", new)))
    return slice_runs(b, asked, DOCUMENTS, baseline=a, by="side", **more)  # type: ignore[arg-type]


def row(found: SliceReport, value: str):
    return next(one for one in found.rows if one.value == value)


def test_a_slice_has_the_figures_of_its_questions_alone():
    values = np.random.default_rng(1).random(N)
    asked = questions(20)
    one = slice_runs(runs.run("a", {"recall@5": values.tolist()}), asked, DOCUMENTS, by="side", seed=3)
    alone = mean_intervals(values[:20, None], seed=3)[0]
    left = row(one, "left")
    assert (left.mean, left.low, left.high, left.n) == (alone.mean, alone.low, alone.high, 20)
    everything = mean_intervals(values[:, None], seed=3)[0]
    assert (one.overall[0].mean, one.overall[0].low) == (everything.mean, everything.low)


def test_the_row_of_all_questions_is_the_comparison_itself():
    random = np.random.default_rng(2)
    old, new = random.random(N).tolist(), random.random(N).tolist()
    found = report(old, new, 20)
    same = compare(runs.run("a", {"recall@5": old}), [runs.run("b", {"recall@5": new})]).rows[0]
    whole = found.overall[0]
    assert (whole.difference, whole.difference_low, whole.difference_high) == (same.difference, same.low, same.high)
    assert (whole.p, whole.wins, whole.losses) == (same.p, same.wins, same.losses)


def test_better_overall_and_worse_here_is_a_warning():
    old = [0.5] * N
    new = [0.2 + 0.001 * i for i in range(12)] + [0.8 + 0.001 * i for i in range(N - 12)]
    found = report(old, new, 12)
    left = row(found, "left")
    assert found.overall[0].verdict == "better"
    assert (left.verdict, left.warning) == ("worse", "against the whole")
    assert found.warnings[0] is left
    text = found.sentence(left)
    assert text.startswith("side = left: better overall (+")
    assert "worse here" in text


def test_a_slice_too_small_to_show_the_difference_says_so():
    random = np.random.default_rng(5)
    new = np.r_[0.5 + random.normal(0, 0.4, 6), 0.6 + random.normal(0, 0.05, N - 6)]
    found = report([0.5] * N, new.tolist(), 6)
    assert row(found, "left").warning == "too few to show it"
    assert "n is too small" in found.sentence(row(found, "left"))


def test_a_slice_whose_questions_all_lose_shows_the_difference_without_a_small_p():
    random = np.random.default_rng(5)
    new = np.r_[[0.1, 0.12, 0.14, 0.16, 0.18], 0.45 - random.normal(0, 0.05, N - 5)]
    left = row(report([0.5] * N, new.tolist(), 5), "left")
    assert left.p == pytest.approx(2 / 32, abs=0.01)  # five signs, two patterns as extreme
    assert left.difference_high is not None and left.difference_high < 0
    assert left.warning is None


def test_slices_under_five_questions_are_shown_and_not_tested():
    found = report([0.5] * N, [0.4] * 4 + [0.9] * (N - 4), 4)
    left = row(found, "left")
    assert left.few
    assert (left.mean, left.n) == (pytest.approx(0.4), 4)
    assert (left.low, left.p, left.p_adjusted, left.warning) == (None, None, None, None)
    assert "too few" in found.sentence(left)
    assert found.n_comparisons == 1


def test_an_unscored_slice_has_a_reason():
    values = [float("nan")] * 10 + [0.5] * (N - 10)
    found = slice_runs(runs.run("a", {"recall@5": values}), questions(10), DOCUMENTS, by="side")
    left = row(found, "left")
    assert (left.mean, left.n, left.unscored, left.reason) == (None, 0, 10, "unanswerable")


def test_a_slice_of_all_scored_questions_is_no_comparison_of_its_own():
    old, new = [0.5] * N, [0.5 + 0.01 * (i % 7 - 2) for i in range(N)]
    asked = tuple(Question(q.id, q.text, tags=("all",) if i else (), evidence=q.evidence)
                  for i, q in enumerate(questions(20)))  # fmt: skip
    old[0] = float("nan")
    a, b = runs.run("a", {"recall@5": old}), runs.run("b", {"recall@5": new})
    found = slice_runs(b, asked, DOCUMENTS, baseline=a, by="tag")
    assert found.n_comparisons == 0
    assert row(found, "all").p_adjusted == found.overall[0].p


def test_another_order_of_the_baseline_changes_nothing():
    random = np.random.default_rng(3)
    old, new = random.random(N), random.random(N)
    ids = [f"q{i}" for i in range(N)]
    order = random.permutation(N)
    a = runs.run("a", {"recall@5": old.tolist()}, ids)
    shuffled = runs.run("a", {"recall@5": old[order].tolist()}, [ids[i] for i in order])
    b = runs.run("b", {"recall@5": new.tolist()}, ids)
    found = [slice_runs(b, questions(20), DOCUMENTS, baseline=base, by="side").rows for base in (a, shuffled)]
    assert found[0] == found[1]


def test_the_table_and_json_hold_every_row():
    found = report([0.5] * N, [0.6] * N, 20)
    assert len(found.table().rows) == len(found.rows) + 1
    assert found.table().to_csv().count("\n") == len(found.rows) + 2
    json.dumps(found.to_dict(), allow_nan=False)


def test_another_dataset_version_is_refused(sentence):
    a = runs.run("a", {"recall@5": [0.5] * N}, dataset_version="other")
    with pytest.raises(ComparisonError) as error:
        slice_runs(runs.run("b", {"recall@5": [0.5] * N}), questions(20), DOCUMENTS, baseline=a)
    sentence(error.value)


def test_benjamini_hochberg_by_hand():
    # 4 p-values: 4 * 0.01 / 1 = 0.04, 4 * 0.02 / 2 = 0.04, 4 * 0.03 / 3 = 0.04, 4 * 0.9 / 4 = 0.9
    assert benjamini_hochberg(np.array([0.02, 0.9, 0.01, 0.03])) == pytest.approx([0.04, 0.9, 0.04, 0.04])
    assert len(benjamini_hochberg(np.array([]))) == 0
