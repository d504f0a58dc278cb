"""Resampled means of many columns at once: the same resampled questions for all of them, as matrix products."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from pipelines.records import BoolArray, DoubleArray, LongArray
from pipelines.resampling.grid import Grid, blocks

LOW, HIGH = 0.025, 0.975
_REMEMBERED_BYTES = 64 * 2**20
_LEAST_TO_SELECT = 2_000
_SAMPLE = 500
_SAMPLED_TAIL = 0.05


def percentile_bounds(
    values: DoubleArray, resamples: int, seed: int, block_bytes: int
) -> tuple[DoubleArray, DoubleArray]:
    """Return the 2.5th and the 97.5th percentile of every column's resampled means, each float64 [n_columns].

    `values` is float64 [n_questions, n_columns], NaN where unscored, with something scored in every column.
    """
    grid = Grid.of(values)
    whole = np.asarray(~np.isnan(values).any(axis=0))
    means, valid = _resampled(grid, values, whole, resamples, seed, block_bytes)
    low, high = _entries(means, valid)
    # Dividing and scaling keep the order, and so are left to the few entries that count.
    low[whole] /= len(values)
    high[whole] /= len(values)
    bounds = [np.ldexp(entries, grid.exponent[:, None]) for entries in (low, high)]
    return _between(bounds[0], valid, LOW), _between(bounds[1], valid, HIGH)


def _places(valid: LongArray, share: float) -> tuple[LongArray, LongArray, DoubleArray]:
    """Return the entries of an ordered row between which a percentile lies, and how far it is from the first one."""
    place = share * (valid - 1)
    before = np.floor(place).astype(np.int64)
    return before, np.minimum(before + 1, valid - 1), place - before


def _between(entries: DoubleArray, valid: LongArray, share: float) -> DoubleArray:
    """Interpolate linearly, as np.percentile does, between the two entries [n_columns, 2] of each row."""
    _, _, part = _places(valid, share)
    return np.asarray(entries[:, 0] + part * (entries[:, 1] - entries[:, 0]))


def _entries(rows: DoubleArray, valid: LongArray) -> tuple[DoubleArray, DoubleArray]:
    """Return the two entries between which each percentile of each row lies, both float64 [n_rows, 2].

    `valid` is how many entries of each row are not NaN. Only a row's tails are ordered, as far as a sample of it says
    that they reach: ordering all of it takes five times as long.
    """
    n = rows.shape[1]
    sample = np.sort(rows[:, :: max(1, n // _SAMPLE)], axis=1) if n >= _LEAST_TO_SELECT else rows[:, :0]
    tail = int(_SAMPLED_TAIL * sample.shape[1])
    found = np.empty((2, len(rows), 2))
    first, last = np.stack(_places(valid, LOW)[:2], axis=1), np.stack(_places(valid, HIGH)[:2], axis=1)
    for i, row in enumerate(rows):
        below, above = row[:0], row[:0]
        if sample.shape[1]:
            below, above = row[row <= sample[i, tail]], row[row >= sample[i, -1 - tail]]
        if len(below) <= first[i, 1] or len(above) < valid[i] - last[i, 0]:
            below = above = row[~np.isnan(row)]
        found[0, i] = np.sort(below)[first[i]]
        found[1, i] = np.sort(above)[last[i] - valid[i] + len(above)]
    return found[0], found[1]


def _resampled(
    grid: Grid, values: DoubleArray, whole: BoolArray, resamples: int, seed: int, block_bytes: int
) -> tuple[DoubleArray, LongArray]:
    """Return what each resample has of every column, float64 [n_columns, resamples], up to the grid's scale.

    Of a column that is scored throughout (`whole`) these are sums; of any other means, NaN where a resample holds no
    scored question. Also return how many resamples hold any, int64 [n_columns].
    """
    parted = np.flatnonzero(~whole)
    masks, mask = _distinct_masks(values[:, parted])
    found, valid = np.empty((values.shape[1], resamples)), np.full(values.shape[1], resamples, dtype=np.int64)
    for part, counts in _weights(len(values), resamples, seed, block_bytes):
        np.matmul(grid.whole.T, counts.T, out=found[:, part])
        if len(parted):
            scored = masks.T @ counts.T
            valid[parted] -= np.count_nonzero(scored == 0, axis=1)[mask]
            scored[scored == 0] = np.nan
            for i, column in enumerate(parted.tolist()):
                found[column, part] /= scored[mask[i]]
    return found, valid


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


@lru_cache(maxsize=3)
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
