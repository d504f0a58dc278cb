"""The cheapest of what cannot be told apart: costs in order, and a margin below which a saving does not decide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipelines.records import DoubleArray, Metric

ORDER = ("usd", "context_tokens", "latency_ms")


@dataclass(frozen=True)
class Margin:
    """Costs above the least by no more than `share` of it, or by `absolute`, count as equal to it."""

    share: float
    absolute: float = 0.0

    def reaches(self, least: float) -> float:
        """Return the greatest cost that still counts as `least`."""
        return least + max(self.share * abs(least), self.absolute)


USUAL = Margin(0.05)
# The same 64 searches timed 40 times on a busy machine: medians of 3.2 to 6.8 ms, 40 % of pairs over a fifth apart. The
# least of many such medians is low by luck as well, so only what takes twice as long counts as slower.
MARGINS = {"latency_ms": Margin(1.0, 1.0)}


@dataclass(frozen=True)
class Cheapest:
    """The `position` among the candidates, and which cost decided against the first one, None where none did."""

    position: int
    decided_by: int | None


def cost_order(costs: Sequence[Metric], objective: str) -> tuple[Metric, ...]:
    """Return the costs that count, most important first: usd, context tokens at the objective's cut-off, latency p50.

    Without tokens at that cut-off the first ones given are taken. Costs of other families follow.
    """
    cut = objective.partition("@")[2]
    chosen: dict[str, Metric] = {}
    for metric in costs:
        if metric.higher_is_better:
            continue
        fits = (cut and metric.name.partition("@")[2] == cut) or metric.name.endswith("_p50")
        if metric.family not in chosen or fits:
            chosen[metric.family] = metric
    rank = {family: i for i, family in enumerate(ORDER)}
    return tuple(sorted(chosen.values(), key=lambda m: rank.get(m.family, len(ORDER))))


def cheapest(costs: DoubleArray, metrics: Sequence[Metric]) -> Cheapest:
    """Choose among candidates, best first: `costs` is float64 [n_candidates, n_costs], NaN for unknown.

    Cost after cost, those within its margin of the least stay; a cost that is unknown for any of them does not
    decide. Of those left the best one is taken. So the first candidate is only given up for a saving that counts.
    """
    left, decided_by = np.arange(len(costs)), None
    for c, metric in enumerate(metrics):
        column = costs[left, c]
        if np.isnan(column).any():
            continue
        left = left[column <= MARGINS.get(metric.family, USUAL).reaches(float(column.min()))]
        if decided_by is None and left[0] != 0:
            decided_by = c
    return Cheapest(int(left[0]), decided_by)
