"""What is measured: the declaration of a metric, and per-question values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipelines.records.values import DoubleArray


@dataclass(frozen=True)
class Metric:
    """The declaration of one measured column: what a table must know to show and compare it.

    `name` includes the cut-off (`recall@5`, `recall@2000tok`); `family` does not (`recall`) and names the docs page.
    `unit` is None for a share in [0, 1].
    """

    name: str
    family: str
    higher_is_better: bool
    unit: str | None = None


@dataclass(frozen=True)
class Scores:
    """Per-question values of many metrics.

    `values` is float64 [n_questions, n_metrics], NaN inside this record only, where a question could not be scored;
    `reason` is int16 of the same shape: 0 where scored, else the number of the reason in `reasons` (entry 0 is "").
    """

    metrics: tuple[Metric, ...]
    values: DoubleArray
    reason: npt.NDArray[np.int16]
    reasons: tuple[str, ...] = ("",)

    def column(self, name: str) -> DoubleArray:
        """Return the values of one metric, float64 [n_questions].

        Raises:
            KeyError: for a metric that was not measured.
        """
        for i, metric in enumerate(self.metrics):
            if metric.name == name:
                return self.values[:, i]
        raise KeyError(name)
