"""The Pareto front: configurations than which none other is at least as good in all respects and better in one."""

from __future__ import annotations

import numpy as np

from pipelines.records import BoolArray, DoubleArray
from pipelines.resampling.grid import BLOCK_BYTES, blocks


def front(points: DoubleArray, higher_is_better: BoolArray, block_bytes: int = BLOCK_BYTES) -> BoolArray:
    """Return who is on the front, bool [n], of `points`, float64 [n, m]; `higher_is_better` is bool [m].

    Points with a NaN are not on it and dominate nobody; equal points are on it together.
    """
    known = ~np.isnan(points).any(axis=1)
    better = np.where(higher_is_better, points, -points)[known]
    kept = np.ones(len(better), dtype=np.bool_)
    for part in blocks(len(better), max(1, better.size), block_bytes):
        these = better[part, None, :]
        dominates = np.all(better >= these, axis=2) & np.any(better > these, axis=2)
        kept[part] = ~np.any(dominates, axis=1)
    found = np.zeros(len(points), dtype=np.bool_)
    found[known] = kept
    return found
