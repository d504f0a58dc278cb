"""Which knob mattered: main effects over a grid, each level having met the same settings of the other knobs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipelines.compare.wording import number
from pipelines.records import DoubleArray, LongArray, Metric
from pipelines.resampling.means import Interval, Intervals, mean_intervals
from pipelines.runs.table import Cell
from pipelines.sweeps.design import Matched, Params, matched
from pipelines.sweeps.reported import KnobEffect, Level

TIE = 1e-12


def main_effects(
    params: Sequence[Params], values: DoubleArray, metric: Metric, *, seed: int = 0, resamples: int = 10_000
) -> tuple[KnobEffect, ...]:
    """Return the effect of every knob with more than one comparable level, the greatest first.

    `values` is float64 [n_configurations, n_questions], NaN unscored; `params` are the configurations' knobs. For each
    question a level's configurations are averaged; intervals come from resampling questions, the same for all levels.
    A question counts for a knob where all configurations compared scored it.
    """
    knobs = sorted({name for knobs in params for name in knobs})
    designs = [design for knob in knobs if (design := matched(params, knob)) is not None]
    if not designs:
        return ()
    cells = [design.averages(values) for design in designs]
    columns = [_columns(cell, metric.higher_is_better) for cell in cells]
    found = mean_intervals(np.concatenate([c for _, _, c in columns], axis=1), seed=seed, resamples=resamples)
    effects, first = [], 0
    for design, cell, (best, worst, column) in zip(designs, cells, columns, strict=True):
        part = _part(found, first, column.shape[1])
        effects.append(_effect(design, _wins(cell, metric.higher_is_better), (best, worst), part, metric))
        first += column.shape[1]
    return tuple(sorted(effects, key=lambda e: (-abs(e.effect or 0.0), e.knob)))


def _columns(cell: DoubleArray, higher_is_better: bool) -> tuple[int, int, DoubleArray]:
    """Return the best and the worst level, and [n_questions, n_levels + 1]: levels, then best minus worst."""
    levels = cell.mean(axis=1)
    levels = np.where(np.isnan(levels).any(axis=0), np.nan, levels)
    better = _means(levels) if higher_is_better else -_means(levels)
    best, worst = int(better.argmax()), len(better) - 1 - int(better[::-1].argmin())
    return best, worst, np.concatenate([levels, levels[[best]] - levels[[worst]]]).T


def _means(levels: DoubleArray) -> DoubleArray:
    scored = levels[:, ~np.isnan(levels).any(axis=0)]
    return np.asarray(np.round(scored.mean(axis=1), 12)) if scored.shape[1] else np.zeros(len(levels))


def _wins(cell: DoubleArray, higher_is_better: bool) -> LongArray:
    """Return in how many sets each level of [n_levels, n_sets, n_questions] beat all others, alone."""
    scored = np.asarray(~np.isnan(cell).any(axis=(0, 1)))
    if not scored.any():
        return np.zeros(len(cell), dtype=np.int64)
    means = cell[:, :, scored].mean(axis=2)
    better = means if higher_is_better else -means
    ordered = np.sort(better, axis=0)
    alone = ordered[-1] - ordered[-2] > TIE * np.maximum(1.0, np.abs(ordered[-1]))
    return np.bincount(better.argmax(axis=0)[alone], minlength=len(cell)).astype(np.int64)


def _part(found: Intervals, first: int, n: int) -> list[Interval]:
    return [found[i] for i in range(first, first + n)]


def _effect(
    design: Matched, wins: LongArray, ends: tuple[int, int], found: Sequence[Interval], metric: Metric
) -> KnobEffect:
    levels = tuple(
        Level(value, one.mean, one.low, one.high, one.n, len(design.used(i)), int(wins[i]))
        for i, (value, one) in enumerate(zip(design.levels, found, strict=False))
    )
    best, worst, difference = levels[ends[0]], levels[ends[1]], found[-1]
    return KnobEffect(
        knob=design.knob,
        best=best.value,
        worst=worst.value,
        effect=difference.mean,
        low=difference.low,
        high=difference.high,
        n=difference.n,
        n_matched=design.n_sets,
        n_configurations=design.n_configurations,
        n_unmatched=design.n_unmatched,
        levels=levels,
        sentence=_sentence(design, best, worst, difference, metric),
        warning=_warning(design),
    )


def _sentence(design: Matched, best: Level, worst: Level, difference: Interval, metric: Metric) -> str:
    sets = f"{design.n_sets:,} matched set{'s' if design.n_sets > 1 else ''}"
    if difference.mean is None:
        return f"{design.knob}: no question is scored in all the configurations compared."
    if not difference.mean:
        return f"{design.knob} makes no difference to {metric.name} in {sets}."
    unit = "" if metric.unit is None else f" {metric.unit}"
    interval = (
        "" if difference.low is None or difference.high is None
        else f" (95 % interval {number(difference.low)} to {number(difference.high)})"
    )  # fmt: skip
    return (
        f"{design.knob} {_shown(best.value)} instead of {_shown(worst.value)} changes {metric.name} by "
        f"{number(difference.mean)}{unit}{interval}; it is the best level in {best.n_won:,} of {sets}."
    )


def _warning(design: Matched) -> str | None:
    """Say in words what the comparison of this knob had to leave out."""
    if not design.n_unmatched:
        return None
    gone = ", ".join(_shown(value) for value in design.levels_left_out)
    levels = f"; not compared at all: {gone}" if gone else ""
    return (
        f"{design.n_unmatched:,} of {design.n_configurations:,} configurations with {design.knob} are left out, having "
        f"no partner at every level compared (they differ in more than this knob, failed or were dropped){levels}."
    )


def _shown(value: Cell) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
