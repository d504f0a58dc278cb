"""Compare runs with a baseline on every metric they share, and say what may be concluded."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipelines.compare.comparable import check_comparable, chosen_metrics
from pipelines.compare.holm import holm
from pipelines.compare.losses import loss_rows
from pipelines.compare.paired import Paired, paired, refined_patterns
from pipelines.compare.run_scores import RunScores
from pipelines.compare.table import Comparison, ComparisonRow, Verdict
from pipelines.records import DoubleArray, Metric
from pipelines.resampling.means import finite

__all__ = ["Comparison", "ComparisonRow", "RunScores", "Verdict", "compare"]

ALPHA = 0.05


def compare(
    baseline: RunScores,
    others: Sequence[RunScores],
    metrics: Sequence[str] | None = None,
    resamples: int = 10_000,
    seed: int = 0,
) -> Comparison:
    """Compare `others` with `baseline`, paired by question id, on `metrics` (default: all that every run has).

    Questions are put in the order of their ids first, so that the order within a run changes nothing; equal input and
    seed give equal numbers to the bit.

    Raises:
        ComparisonError: for runs on other dataset versions, splits or questions, no or unknown metrics, a run compared
            with itself or given twice, resamples outside 100 to 1,000,000 or a negative seed.
    """
    check_comparable(baseline, others)
    declared = chosen_metrics((baseline, *others), metrics)
    ids, names = sorted(baseline.question_ids), [metric.name for metric in declared]
    found = paired(
        baseline.table(ids, names),
        np.stack([run.table(ids, names) for run in others]),
        higher_is_better=np.array([metric.higher_is_better for metric in declared]),
        resamples=resamples,
        seed=seed,
    )
    losses, note = loss_rows(baseline, others, resamples, seed)
    return Comparison(
        baseline_id=baseline.run_id,
        baseline_name=baseline.name,
        dataset_name=baseline.dataset_name,
        dataset_version=baseline.dataset_version,
        split=baseline.split,
        n_questions=len(ids),
        n_comparisons=int(np.count_nonzero(~np.isnan(found.p))),
        resamples=resamples,
        patterns=refined_patterns(resamples, found.p.size),
        seed=seed,
        rows=_rows(others, declared, found),
        losses=losses,
        losses_note=note,
    )


def _rows(others: Sequence[RunScores], metrics: Sequence[Metric], found: Paired) -> tuple[ComparisonRow, ...]:
    p_holm = holm(found.p)
    return tuple(
        _row(run, metric, found, p_holm, (r, m)) for r, run in enumerate(others) for m, metric in enumerate(metrics)
    )


def _row(run: RunScores, metric: Metric, found: Paired, p_holm: DoubleArray, at: tuple[int, int]) -> ComparisonRow:
    difference, corrected = finite(found.difference[at]), finite(p_holm[at])
    n, spread = int(found.n[at]), finite(found.smallest_detectable[at])
    return ComparisonRow(
        run_id=run.run_id,
        run_name=run.name,
        metric=metric.name,
        unit=metric.unit,
        higher_is_better=metric.higher_is_better,
        baseline_mean=finite(found.baseline_mean[at]),
        mean=finite(found.mean[at]),
        difference=difference,
        low=finite(found.low[at]),
        high=finite(found.high[at]),
        p=finite(found.p[at]),
        p_holm=corrected,
        wins=int(found.wins[at]),
        ties=int(found.ties[at]),
        losses=int(found.losses[at]),
        n=n,
        dropped=int(found.dropped[at]),
        smallest_detectable=spread,
        verdict=_verdict(difference, corrected, metric.higher_is_better),
        reason=_reason(n, spread),
    )


def _verdict(difference: float | None, p_holm: float | None, higher_is_better: bool) -> Verdict:
    if difference is None or p_holm is None or p_holm >= ALPHA:
        return "no difference shown"
    return "better" if (difference > 0) == higher_is_better else "worse"


def _reason(n: int, smallest_detectable: float | None) -> str | None:
    if n == 0:
        return "no question is scored in both runs"
    if n == 1:
        return "a single question has no spread to judge by"
    return (
        "all questions differ by the same amount, which leaves no spread to judge by"
        if smallest_detectable is None
        else None
    )
