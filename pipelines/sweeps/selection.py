"""The winner on dev, and which of the others are not shown to be worse than it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipelines.compare.holm import holm
from pipelines.compare.paired import paired
from pipelines.records import BoolArray, DoubleArray, LongArray
from pipelines.sweeps.basis import Basis, basis
from pipelines.sweeps.reported import Standing

ALPHA = 0.05
# Means that agree to 12 decimals are equal: what is beyond is the order in which they were added up.
DECIMALS = 12


@dataclass(frozen=True)
class Standings:
    """All configurations beside the winner, arrays [n_configurations] in the order given; NaN where there is nothing.

    `order` holds the ranked positions, best first. Differences are configuration minus winner on the `n_shared`
    questions that both scored; the winner's own entries are NaN. `smallest_detectable` is as in `compare`.
    """

    basis: Basis
    order: LongArray
    mean: DoubleArray
    difference: DoubleArray
    low: DoubleArray
    high: DoubleArray
    p: DoubleArray
    p_holm: DoubleArray
    smallest_detectable: DoubleArray
    n_shared: LongArray
    standing: tuple[Standing, ...]

    @property
    def winner(self) -> int:
        """The position of the winner."""
        return int(self.order[0])

    def positions(self, *standings: Standing) -> list[int]:
        """Return the positions that stand as one of `standings`, best first."""
        return [i for i in self.order.tolist() if self.standing[i] in standings]


def standings(
    values: DoubleArray, costs: DoubleArray, *, higher_is_better: bool, seed: int = 0, resamples: int = 10_000
) -> Standings | None:
    """Rank `values`, float64 [n_configurations, n_questions] (NaN unscored), and test everyone against the winner.

    Equal means are decided by `costs`, float64 [n_configurations, n_costs] with the first one counting most and NaN
    for unknown, then by position. None where nothing was scored.
    """
    ground = basis(values)
    mean = ground.means(values)
    order = _order(mean, costs, higher_is_better)
    if not len(order):
        return None
    winner, others = int(order[0]), order[1:]
    versus = paired(
        values[winner][:, None],
        np.where(ground.questions, values[others], np.nan)[:, :, None],
        higher_is_better=np.array([higher_is_better]),
        seed=seed,
        resamples=resamples,
    )
    columns = (versus.difference, versus.low, versus.high, versus.p, holm(versus.p), versus.smallest_detectable)
    difference, low, high, p, p_holm, least = (_spread(column[:, 0], others, len(values)) for column in columns)
    n_shared = np.zeros(len(values), dtype=np.int64)
    n_shared[others] = versus.n[:, 0]
    same = _identical(values, winner)
    standing = tuple(
        _standing(i == winner, bool(ground.ranked[i]), bool(same[i]), difference[i], p_holm[i], higher_is_better)
        for i in range(len(values))
    )
    return Standings(ground, order, mean, difference, low, high, p, p_holm, least, n_shared, standing)


def _order(mean: DoubleArray, costs: DoubleArray, higher_is_better: bool) -> LongArray:
    """Return the ranked positions: better mean, then lower costs (unknown last), then position."""
    shown = np.round(-mean if higher_is_better else mean, DECIMALS)
    keys = (np.arange(len(mean)), *np.nan_to_num(costs, nan=np.inf).T[::-1], shown)
    order = np.lexsort(keys)
    return np.asarray(order[~np.isnan(mean[order])], dtype=np.int64)


def _spread(column: DoubleArray, positions: LongArray, n: int) -> DoubleArray:
    out = np.full(n, np.nan)
    out[positions] = column
    return out


def _identical(values: DoubleArray, winner: int) -> BoolArray:
    """Return who has the winner's value on every question, and scored the same ones."""
    one = values[winner]
    return np.asarray(((values == one) | (np.isnan(values) & np.isnan(one))).all(axis=1))


def _standing(
    winner: bool, ranked: bool, same: bool, difference: float, p_holm: float, higher_is_better: bool
) -> Standing:
    if not ranked:
        return "set aside"
    if winner or same:
        return "winner" if winner else "identical"
    behind = difference < 0 if higher_is_better else difference > 0
    return "worse" if behind and p_holm < ALPHA else "tied"
