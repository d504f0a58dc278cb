"""The Pareto fronts of a sweep: quality against each cost, and all objectives at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipelines.records import Metric
from pipelines.sweeps.pareto import front
from pipelines.sweeps.reported import Front
from pipelines.sweeps.selection import Standings
from pipelines.sweeps.tabled import Tabled


def fronts(table: Tabled, found: Standings, objectives: Sequence[Metric], costs: Sequence[Metric]) -> tuple[Front, ...]:
    """Return the front of the first objective against each cost, then of all objectives, then these and each cost."""
    wanted: list[tuple[Metric, ...]] = [(objectives[0], cost) for cost in costs]
    if len(objectives) > 1:
        wanted += [tuple(objectives), *((*objectives, cost) for cost in costs)]
    axes = {tuple(dict.fromkeys(m.name for m in metrics)): metrics for metrics in wanted}
    return tuple(_front(table, found, metrics) for names, metrics in axes.items() if len(names) > 1)


def _front(table: Tabled, found: Standings, metrics: Sequence[Metric]) -> Front:
    distinct = list({metric.name: metric for metric in metrics}.values())
    points = np.stack([found.mean, *(table.means(metric.name) for metric in distinct[1:])], axis=1)
    kept = front(points, np.array([metric.higher_is_better for metric in distinct]))
    unknown = np.isnan(points)
    excluded = int(np.count_nonzero(unknown.any(axis=1)))
    lacking = [m.name for m, column in zip(distinct, unknown.T, strict=True) if column.any()]
    by_quality = [i for i in found.order.tolist() if kept[i]]
    return Front(
        metrics=tuple(metric.name for metric in distinct),
        numbers=tuple(table.numbers[i] for i in by_quality),
        n=len(points) - excluded,
        excluded=excluded,
        reason=f"{', '.join(lacking)} unknown or on too few questions" if excluded else None,
    )
