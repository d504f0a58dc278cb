"""Benjamini and Hochberg's correction: of what is called a difference among many slices, how much is chance?"""

from __future__ import annotations

import numpy as np

from pipelines.records import DoubleArray


def benjamini_hochberg(p: DoubleArray) -> DoubleArray:
    """Return the adjusted p of every entry, float64 [n].

    With m values in rising order, adjusted(i) = min over j >= i of min(1, m * p(j) / j). Calling a difference where it
    is below 0.05 keeps the expected share of false ones among those called below 5 %, for independent tests and for
    positively dependent ones, as slices that share questions are (Benjamini and Hochberg 1995; Benjamini and Yekutieli
    2001).
    """
    order = np.argsort(p, kind="stable")
    steps = len(p) * p[order] / np.arange(1, len(p) + 1)
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(np.minimum.accumulate(steps[::-1])[::-1], 1.0)
    return adjusted
