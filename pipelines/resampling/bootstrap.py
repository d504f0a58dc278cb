"""Resampled means of many columns at once: the same resampled questions for all of them, as matrix products."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from pipelines.records import DoubleArray, LongArray
from pipelines.resampling.grid import Grid, blocks

LOW, HIGH = 0.025, 0.975
_REMEMBERED_BYTES = 64 * 2**20


def percentile_bounds(
    values: DoubleArray, resamples: int, seed: int, block_bytes: int
) -> tuple[DoubleArray, DoubleArray]:
    """Return the 2.5th and the 97.5th percentile of every column's resampled means, each float64 [n_columns].

    `values` is float64 [n_questions, n_columns], NaN where unscored, with something scored in every column.
    """
    means = _resampled_means(values, resamples, seed, block_bytes)
    # NaN sorts last, so that the valid resamples of a column are its first ones. Sorting beats np.partition wherever
    # numpy has a vectorised sort (0.04 s against 0.10 s for 1,000 x 10,000).
    means.sort(axis=1)
    valid = np.count_nonzero(~np.isnan(means), axis=1)
    return _quantile(means, valid, LOW), _quantile(means, valid, HIGH)


def _quantile(ordered: DoubleArray, valid: LongArray, share: float) -> DoubleArray:
    """Interpolate linearly in the first `valid` entries of each sorted row, as np.percentile does."""
    place = share * (valid - 1)
    before = np.floor(place).astype(np.int64)
    after = np.minimum(before + 1, valid - 1)
    rows = np.arange(len(ordered))
    lower, upper = ordered[rows, before], ordered[rows, after]
    return np.asarray(lower + (place - before) * (upper - lower))


def _resampled_means(values: DoubleArray, resamples: int, seed: int, block_bytes: int) -> DoubleArray:
    """Return float64 [n_columns, resamples]; NaN where a resample holds no scored question of the column."""
    grid = Grid.of(values)
    masks, mask = _distinct_masks(values)
    means = np.empty((values.shape[1], resamples))
    for part, counts in _weights(len(values), resamples, seed, block_bytes):
        scored = masks.T @ counts.T
        scored[scored == 0] = np.nan
        np.matmul(grid.whole.T, counts.T, out=means[:, part])
        means[:, part] /= scored[mask]
    return np.ldexp(means, grid.exponent[:, None], out=means)


def _distinct_masks(values: DoubleArray) -> tuple[DoubleArray, LongArray]:
    """Return the distinct patterns of scored questions, float64 [n_questions, n_masks], and each column's pattern."""
    number: dict[bytes, int] = {}
    scored = ~np.isnan(values)
    mask = [number.setdefault(column.tobytes(), len(number)) for column in scored.T]
    _, first = np.unique(mask, return_index=True)
    return scored[:, first].astype(np.float64), np.asarray(mask, dtype=np.int64)


def _weights(n: int, resamples: int, seed: int, block_bytes: int) -> Iterator[tuple[slice, DoubleArray]]:
    """Yield how often each of `n` questions was drawn in each resample, float64 [block, n], block after block.

    The counts are multinomial: n draws with replacement, counted. The stream goes on over block boundaries.
    """
    if 8 * n * resamples <= _REMEMBERED_BYTES:
        yield from _remembered_weights(n, resamples, seed, block_bytes)
    else:
        yield from _drawn_weights(n, resamples, seed, block_bytes)


@lru_cache(maxsize=2)
def _remembered_weights(n: int, resamples: int, seed: int, block_bytes: int) -> list[tuple[slice, DoubleArray]]:
    """Return them all: a sweep asks for the same ones with every few runs that it writes."""
    return list(_drawn_weights(n, resamples, seed, block_bytes))


def _drawn_weights(n: int, resamples: int, seed: int, block_bytes: int) -> Iterator[tuple[slice, DoubleArray]]:
    random = np.random.default_rng([seed, 0])
    for part in blocks(resamples, 8 * n, block_bytes):
        size = part.stop - part.start
        drawn = random.integers(0, n, size=(size, n))
        drawn += np.arange(size)[:, None] * n
        yield part, np.bincount(drawn.ravel(), minlength=size * n).reshape(size, n).astype(np.float64)
