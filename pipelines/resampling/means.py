"""Means of many columns with their 95 % bootstrap intervals, what was unscored left out and counted."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from pipelines.errors import ComparisonError
from pipelines.records import BoolArray, DoubleArray, LongArray
from pipelines.resampling.bootstrap import percentile_bounds
from pipelines.resampling.grid import BLOCK_BYTES, blocks, column_means

LEAST_RESAMPLES, MOST_RESAMPLES = 100, 1_000_000


@dataclass(frozen=True)
class Interval:
    """A mean over `n` scored questions with its 95 % interval; None for what cannot be computed."""

    mean: float | None
    low: float | None
    high: float | None
    n: int
    unscored: int


@dataclass(frozen=True)
class Intervals:
    """Means with 95 % percentile bootstrap intervals, arrays of shape [n_columns].

    Inside the arrays NaN stands for what cannot be computed: the mean where nothing was scored, the interval where
    fewer than two questions were. Where all values are equal, `low` = `mean` = `high`: resampling saw no spread.
    """

    mean: DoubleArray
    low: DoubleArray
    high: DoubleArray
    n: LongArray
    unscored: LongArray

    def __len__(self) -> int:
        return len(self.mean)

    def __getitem__(self, column: int) -> Interval:
        mean, low, high = (finite(a[column]) for a in (self.mean, self.low, self.high))
        return Interval(mean, low, high, int(self.n[column]), int(self.unscored[column]))


def finite(value: float) -> float | None:
    """Return `value` as a plain number, or None for what an array could only hold as NaN."""
    return float(value) if math.isfinite(value) else None


def mean_intervals(
    values: DoubleArray, *, resamples: int = 10_000, seed: int = 0, block_bytes: int = BLOCK_BYTES
) -> Intervals:
    """Return the mean of every column of `values` with its 95 % percentile bootstrap interval.

    `values` is float64 [n_questions, n_columns], NaN where a question is unscored. Questions are resampled with
    replacement, the same ones for all columns, so a column's result does not depend on its neighbours; a resample
    without any scored question of a column is left out of that column. Equal seeds give equal bits for every
    `block_bytes`, the size of one block of working memory.

    Raises:
        ComparisonError: for resamples outside 100 to 1,000,000 or a negative seed.
        ValueError: for values that are neither finite nor NaN.
    """
    check_resampling(resamples, seed)
    check_finite(values)
    n = np.count_nonzero(~np.isnan(values), axis=0).astype(np.int64)
    mean = column_means(values)
    low, high = (np.where(n > 1, mean, np.nan) for _ in range(2))
    open_ = np.flatnonzero((n > 1) & _varies(values))
    for part in blocks(len(open_), 8 * resamples, 4 * block_bytes):
        chosen = open_[part]
        low[chosen], high[chosen] = percentile_bounds(values[:, chosen], resamples, seed, block_bytes)
    return Intervals(mean, low, high, n, len(values) - n)


def check_resampling(resamples: int, seed: int) -> None:
    """Refuse what would not make an interval.

    Raises:
        ComparisonError: for resamples outside 100 to 1,000,000 or a negative seed.
    """
    if not LEAST_RESAMPLES <= resamples <= MOST_RESAMPLES:
        raise ComparisonError(
            f"resamples must be between {LEAST_RESAMPLES} and {MOST_RESAMPLES}, but got {resamples}; 10000 is usual."
        )
    if seed < 0:
        raise ComparisonError(f"seed must be 0 or greater, but got {seed}; choose any whole number from 0 up.")


def check_finite(values: DoubleArray) -> None:
    """Refuse infinities, which would turn every other number into NaN.

    Raises:
        ValueError: for values that are neither finite nor NaN.
    """
    if np.isinf(values).any():
        raise ValueError("values must be finite, or NaN where a question is unscored, but some are infinite")


def _varies(values: DoubleArray) -> BoolArray:
    least = np.min(values, axis=0, initial=np.inf, where=~np.isnan(values))
    return np.asarray(least < np.max(values, axis=0, initial=-np.inf, where=~np.isnan(values)))
