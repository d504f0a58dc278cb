"""Values on a grid coarse enough that every sum of them is exact, whatever the order it is added up in."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pipelines.records import DoubleArray, LongArray

# A float64 holds integers up to 2**53 exactly; one bit is kept free for the doubling of a sum.
EXACT_BITS = 52
BLOCK_BYTES = 32 * 2**20


@dataclass(frozen=True)
class Grid:
    """Columns as whole numbers: `values` is close to `whole * 2**exponent`.

    `whole` is float64 [n_rows, n_columns] with 0 where there was no value; `exponent` is int64 [n_columns]. No sum of
    at most n_rows entries of a column, with whichever signs and repetitions, leaves the integers that float64 holds
    exactly. So a matrix product gives the same bits for every block size, thread count and processor.
    """

    whole: DoubleArray
    exponent: LongArray

    @classmethod
    def of(cls, values: DoubleArray) -> Grid:
        """Round float64 [n_rows, n_columns], NaN for no value, by at most n_rows * 2**-51 of a column's largest."""
        filled = np.nan_to_num(values, nan=0.0)
        _, top = np.frexp(np.max(np.abs(filled), axis=0, initial=0.0))
        exponent = top.astype(np.int64) - (EXACT_BITS - len(values).bit_length())
        return cls(np.rint(np.ldexp(filled, -exponent)), exponent)


def column_means(values: DoubleArray) -> DoubleArray:
    """Return the mean of each column of [n_rows, n_columns] without its NaN, added up exactly; NaN for an empty one."""
    return np.array([_mean(column[~np.isnan(column)].tolist()) for column in values.T], dtype=np.float64)


def _mean(values: list[float]) -> float:
    if not values:
        return math.nan
    if min(values) == max(values):
        return values[0]  # adding up and dividing again may miss it by one bit
    return math.fsum(values) / len(values)


def blocks(total: int, bytes_each: int, block_bytes: int) -> Iterator[slice]:
    """Cut `range(total)` into slices of at most `block_bytes`, but never of less than one."""
    step = max(1, block_bytes // max(1, bytes_each))
    return (slice(first, min(first + step, total)) for first in range(0, total, step))
