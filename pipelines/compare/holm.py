"""Holm's correction: with many comparisons in one table, how small must a p be to count?"""

from __future__ import annotations

import numpy as np

from pipelines.records import DoubleArray


def holm(p: DoubleArray) -> DoubleArray:
    """Return the adjusted p of every entry, in the shape of `p`; NaN stays NaN and does not count as a comparison.

    With m values in rising order, adjusted(i) = max over j <= i of min(1, (m - j + 1) * p(j)). Rejecting where it is
    below 0.05 keeps the chance of even one false "difference" in the table below 5 %, however the comparisons depend
    on one another (Holm 1979).
    """
    flat = p.ravel()
    order = np.argsort(flat, kind="stable")  # NaN sorts last
    order = order[: np.count_nonzero(~np.isnan(flat))]
    steps = len(order) - np.arange(len(order))
    adjusted = np.full(flat.shape, np.nan)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps * flat[order]), 1.0)
    return adjusted.reshape(p.shape)
