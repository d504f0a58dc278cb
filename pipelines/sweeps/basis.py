"""On which questions the configurations of a sweep are ranked: the same for all, wherever that is possible."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipelines.records import BoolArray, DoubleArray
from pipelines.resampling.grid import column_means

ENOUGH = 0.5


@dataclass(frozen=True)
class Basis:
    """`ranked` is bool [n_configurations], `questions` bool [n_questions]; unless `shared`, each on those it scored."""

    ranked: BoolArray
    questions: BoolArray
    shared: bool

    def means(self, values: DoubleArray) -> DoubleArray:
        """Return the mean of each row of [n_configurations, n_questions] over the questions ranked on."""
        return np.where(self.ranked, column_means(values[:, self.questions].T), np.nan)


def basis(values: DoubleArray) -> Basis:
    """Choose what of `values`, float64 [n_configurations, n_questions] with NaN for unscored, is ranked.

    A configuration that scored fewer than half as many questions as the one with most is set aside: its mean speaks of
    other questions. The others are ranked on the questions that all of them scored, as long as these are half of
    those that any did; failing that, each on its own.
    """
    scored = ~np.isnan(values)
    n = np.count_nonzero(scored, axis=1)
    most = int(n.max(initial=0))
    ranked = (n >= ENOUGH * most) & (n > 0)
    if not ranked.any():
        return Basis(ranked, np.zeros(values.shape[1], dtype=np.bool_), True)
    anyone, everyone = scored[ranked].any(axis=0), scored[ranked].all(axis=0)
    shared = bool(np.count_nonzero(everyone) >= ENOUGH * np.count_nonzero(anyone))
    return Basis(ranked, everyone if shared else anyone, shared)
