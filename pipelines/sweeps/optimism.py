"""How far a winner's dev mean flatters it: against test, or estimated from dev alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipelines.records import DoubleArray
from pipelines.resampling.grid import BLOCK_BYTES, Grid, blocks, column_means

LEAST_QUESTIONS = 2


@dataclass(frozen=True)
class OutOfBag:
    """`expected`: the mean score on questions that had no part in the choice; `same_winner`: how often it won again."""

    expected: float
    same_winner: float


def difference_interval(
    dev: DoubleArray, test: DoubleArray, *, resamples: int = 10_000, seed: int = 0
) -> tuple[float, float]:
    """Return the 95 % percentile bootstrap interval of mean(dev) - mean(test); both float64 [n], without NaN.

    The questions differ, so nothing is paired: both are resampled, each on its own.
    """
    means = [_resampled_means(values, resamples, [seed, 3 + i]) for i, values in enumerate((dev, test))]
    low, high = np.percentile(means[0] - means[1], (2.5, 97.5))
    return float(low), float(high)


def _resampled_means(values: DoubleArray, resamples: int, seed: list[int]) -> DoubleArray:
    random, grid = np.random.default_rng(seed), Grid.of(values[:, None])
    means = np.empty(resamples)
    for part in blocks(resamples, 16 * len(values), BLOCK_BYTES):
        drawn = random.integers(0, len(values), size=(part.stop - part.start, len(values)))
        means[part] = grid.whole[drawn, 0].sum(axis=1) / len(values)
    return np.asarray(np.ldexp(means, grid.exponent[0]))


def out_of_bag(
    values: DoubleArray, *, higher_is_better: bool, winner: int, resamples: int = 1_000, seed: int = 0
) -> OutOfBag | None:
    """Choose on drawn questions and score on those not drawn, `resamples` times; None where nothing is left to score.

    `values` is float64 [n_configurations, n_questions], NaN unscored, in the order that decides equal means. As many
    questions as there are are drawn with replacement, which leaves out about 37 % of them: the score on these is not
    flattered, for a choice made on the others (Efron and Tibshirani 1993, chapter 17).
    """
    drawn = _counts(values.shape[1], resamples, seed)
    grid, scored = Grid.of(values.T), (~np.isnan(values)).astype(np.float64)
    chosen = _chosen(_means(grid, drawn.T, scored), higher_is_better)
    outside = (drawn == 0).astype(np.float64)
    n = (outside * scored[chosen]).sum(axis=1)
    sums = np.ldexp((outside * grid.whole.T[chosen]).sum(axis=1), grid.exponent[chosen])
    if not n.any():
        return None
    expected = column_means((sums[n > 0] / n[n > 0])[:, None])[0]
    return OutOfBag(float(expected), float(np.mean(chosen == winner)))


def _counts(n: int, resamples: int, seed: int) -> DoubleArray:
    """Return how often each of `n` questions was drawn in each resample, float64 [resamples, n]."""
    drawn = np.random.default_rng([seed, 5]).integers(0, n, size=(resamples, n))
    drawn += np.arange(resamples)[:, None] * n
    return np.bincount(drawn.ravel(), minlength=resamples * n).reshape(resamples, n).astype(np.float64)


def _means(grid: Grid, drawn: DoubleArray, scored: DoubleArray) -> DoubleArray:
    """Return the mean of each configuration on each draw, [n_configurations, resamples], NaN where it scored none."""
    n = scored @ drawn
    n[n == 0] = np.nan
    return np.asarray(np.ldexp(grid.whole.T @ drawn, grid.exponent[:, None]) / n)


def _chosen(means: DoubleArray, higher_is_better: bool) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    worst = -np.inf
    better = np.nan_to_num(means if higher_is_better else -means, nan=worst)
    return np.asarray(better.argmax(axis=0), dtype=np.int64)
