"""Refuses runs that cannot honestly be set side by side, and finds the metrics that they share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipelines.compare.run_scores import RunScores
from pipelines.errors import ComparisonError, did_you_mean, shorten
from pipelines.records import Metric

SHOWN_NAMES = 12


def check_comparable(baseline: RunScores, others: Sequence[RunScores]) -> None:
    """Refuse runs that were not measured on the same questions.

    Raises:
        ComparisonError: no other run, a run twice, other dataset versions, splits or questions, or a damaged run.
    """
    if not others:
        raise ComparisonError(f"No run was given to compare with {baseline}; choose at least one other run.")
    _check_sound(baseline)
    seen: set[str] = set()
    for run in others:
        if run.run_id == baseline.run_id:
            raise ComparisonError(f"The baseline, {run}, cannot be compared with itself; choose another run.")
        if run.run_id in seen:
            raise ComparisonError(f"The {run} was given twice; give each run once.")
        seen.add(run.run_id)
        _check_sound(run)
        _check_same_questions(baseline, run)


def chosen_metrics(runs: Sequence[RunScores], wanted: Sequence[str] | None) -> tuple[Metric, ...]:
    """Return the metrics to compare: those asked for, else all that every run has, in the order of the first run.

    Raises:
        ComparisonError: for a metric that is unknown, was not measured in every run, or means something else in one.
    """
    names = tuple(dict.fromkeys(m.name for m in runs[0].scores.metrics if all(run.metric(m.name) for run in runs)))
    if wanted is not None:
        names = tuple(dict.fromkeys(wanted))
        for name in names:
            _check_measured(name, runs)
    if not names:
        listed = "none was asked for" if wanted is not None else f"the runs, from {runs[0]} on, have none in common"
        raise ComparisonError(f"There is no metric to compare: {listed}; choose a metric that every run has measured.")
    return tuple(_agreed(name, runs) for name in names)


def _check_sound(run: RunScores) -> None:
    n = len(run.question_ids)
    if run.scores.values.shape != (n, len(run.scores.metrics)) or len(set(run.question_ids)) != n:
        raise ComparisonError(f"The scores of {run} do not match its {n} questions; evaluate that run again.")
    for i in np.flatnonzero(np.isinf(run.scores.values).any(axis=0)):
        name = shorten(run.scores.metrics[i].name)
        raise ComparisonError(f"The {run} holds infinite values of '{name}'; evaluate that run again.")


def _check_same_questions(baseline: RunScores, run: RunScores) -> None:
    if run.dataset_version != baseline.dataset_version:
        ours, theirs = (_dataset(r) for r in (baseline, run))
        raise ComparisonError(
            f"The {baseline} was evaluated on {ours} and {run} on {theirs}; "
            "evaluate both on one version of one dataset."
        )
    if run.split != baseline.split:
        raise ComparisonError(
            f"The {baseline} was evaluated on {_split(baseline)} and {run} on {_split(run)}; "
            "evaluate both on the same split."
        )
    ours_only, theirs_only = (
        set(baseline.question_ids) - set(run.question_ids),
        set(run.question_ids) - set(baseline.question_ids),
    )
    if ours_only or theirs_only:
        raise ComparisonError(
            f"The {baseline} and {run} answered different questions ({_some(ours_only)} only in the first, "
            f"{_some(theirs_only)} only in the second); evaluate both on the same questions."
        )


def _dataset(run: RunScores) -> str:
    return f"{shorten(run.dataset_name, 60)} version {shorten(run.dataset_version, 20)}"


def _split(run: RunScores) -> str:
    return "all questions" if run.split is None else f"split '{shorten(run.split, 20)}'"


def _some(question_ids: set[str]) -> str:
    return f"{len(question_ids)}, such as '{shorten(min(question_ids), 40)}'" if question_ids else "0"


def _check_measured(name: str, runs: Sequence[RunScores]) -> None:
    without = [run for run in runs if run.metric(name) is None]
    if len(without) == len(runs):
        known = list(dict.fromkeys(m.name for run in runs for m in run.scores.metrics))
        listed = ", ".join(shorten(k, 40) for k in known[:SHOWN_NAMES]) + (" …" if len(known) > SHOWN_NAMES else "")
        raise ComparisonError(
            f"Metric '{shorten(name)}' was measured in none of the runs; choose among {listed}."
            + did_you_mean(name, known)
        )
    if without:
        raise ComparisonError(
            f"Metric '{shorten(name)}' was not measured in {without[0]}; evaluate that run with it, or leave it out."
        )


def _agreed(name: str, runs: Sequence[RunScores]) -> Metric:
    declared = [(run, metric) for run in runs if (metric := run.metric(name)) is not None]
    first = declared[0][1]
    for run, metric in declared:
        if (metric.higher_is_better, metric.unit) != (first.higher_is_better, first.unit):
            raise ComparisonError(
                f"Metric '{shorten(name)}' has another unit or direction in {run} than in {runs[0]}; "
                "evaluate both with one version of the workbench."
            )
    return first
