"""Where the difference between runs comes from: what each stage lost in the baseline and in the others, paired."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipelines.compare.paired import differences
from pipelines.compare.run_scores import RunScores
from pipelines.losses import STAGES, stages_at
from pipelines.records import DoubleArray
from pipelines.resampling.grid import column_means
from pipelines.resampling.means import Intervals, finite, mean_intervals


@dataclass(frozen=True)
class LossRow:
    """What one stage lost at one cut in a run and in the baseline, over the `n` questions with evidence.

    `difference` is run minus baseline, with its 95 % interval: above 0, the run loses more there. At one cut the
    differences of all stages add up to the difference in recall, with the sign turned.
    """

    run_id: str
    run_name: str
    cut: str
    stage: str
    baseline_mean: float | None
    mean: float | None
    difference: float | None
    low: float | None
    high: float | None
    n: int


def loss_rows(
    baseline: RunScores, others: Sequence[RunScores], resamples: int, seed: int
) -> tuple[tuple[LossRow, ...], str | None]:
    """Return a row a run, cut that both have and stage; and which runs have none, None where all have.

    All runs must have answered the same questions; these are put in the order of their ids first.
    """
    lacking = [str(run) for run in (baseline, *others) if run.fates is None]
    note = f"Where evidence was lost was not measured in {', '.join(lacking)}." if lacking else None
    if baseline.fates is None:
        return (), note
    ids = sorted(baseline.question_ids)
    rows = [row for run in others for row in _rows(baseline, run, ids, resamples, seed)]
    return tuple(rows), note


def _rows(baseline: RunScores, run: RunScores, ids: Sequence[str], resamples: int, seed: int) -> list[LossRow]:
    if baseline.fates is None or run.fates is None:
        return []
    shared = [cut for cut in baseline.fates.cuts if cut in run.fates.cuts]
    places = [(cut, stage) for cut in shared for stage in stages_at(cut)]
    if not places:
        return []
    old, new = (_table(one, ids, places) for one in (baseline, run))
    difference = differences(old, new)
    found = mean_intervals(difference, resamples=resamples, seed=seed)
    missing = np.isnan(difference)
    means = column_means(np.where(missing, np.nan, old)), column_means(np.where(missing, np.nan, new))
    return [_row(run, place, i, means, found) for i, place in enumerate(places)]


def _row(
    run: RunScores, place: tuple[str, str], i: int, means: tuple[DoubleArray, DoubleArray], found: Intervals
) -> LossRow:
    one = found[i]
    before, after = finite(means[0][i]), finite(means[1][i])
    return LossRow(run.run_id, run.name, *place, before, after, one.mean, one.low, one.high, one.n)


def _table(run: RunScores, ids: Sequence[str], places: Sequence[tuple[str, str]]) -> DoubleArray:
    """Return the shares lost, float64 [n_questions, n_places]."""
    if run.fates is None:
        return np.full((len(ids), len(places)), np.nan)
    shares, rows = run.fates.shares(), run.rows(ids)
    return np.stack([shares[rows, run.fates.cuts.index(cut), STAGES.index(stage)] for cut, stage in places], axis=1)
