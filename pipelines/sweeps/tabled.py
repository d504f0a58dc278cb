"""A sweep's configurations as one table: in order of their numbers, questions in order of their ids."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pipelines.errors import ComparisonError, shorten
from pipelines.records import DoubleArray, Metric
from pipelines.resampling.grid import column_means
from pipelines.sweeps.reported import Scored


@dataclass(frozen=True, eq=False)
class Tabled:
    """`values` is the first objective, float64 [n_configurations, n_questions]; row i is `configurations[i]`."""

    configurations: tuple[Scored, ...]
    values: DoubleArray

    @classmethod
    def of(cls, configurations: Sequence[Scored], objectives: Sequence[Metric], question_ids: Sequence[str]) -> Tabled:
        """Sort and check.

        Raises:
            ComparisonError: for no configuration, no objective, one number twice, or values of another length.
        """
        if not configurations or not objectives:
            what = "configuration" if not configurations else "objective"
            raise ComparisonError(f"A sweep without a finished {what} cannot be reported on; run one at least.")
        ordered = tuple(sorted(configurations, key=lambda one: one.number))
        for one, following in itertools.pairwise(ordered):
            if one.number == following.number:
                raise ComparisonError(f"The sweep holds configuration #{one.number} twice; report each once.")
        order = sorted(range(len(question_ids)), key=lambda i: question_ids[i])
        return cls(ordered, np.stack([_values(one, objectives[0].name, len(order))[order] for one in ordered]))

    @property
    def numbers(self) -> tuple[int, ...]:
        """The configurations' numbers, rising."""
        return tuple(one.number for one in self.configurations)

    @cached_property
    def position(self) -> dict[int, int]:
        """Where each number stands."""
        return {number: i for i, number in enumerate(self.numbers)}

    def means(self, name: str) -> DoubleArray:
        """Return a metric's mean of each configuration, float64 [n_configurations], NaN where unknown.

        The run's own figure where it gives one, else the mean of its values, unscored ones left out.
        """
        return np.array([_mean(one, name) for one in self.configurations], dtype=np.float64)

    def columns(self, metrics: Sequence[Metric]) -> DoubleArray:
        """Return the means of `metrics`, float64 [n_configurations, n_metrics]."""
        columns = [self.means(metric.name) for metric in metrics]
        return np.stack(columns, axis=1) if columns else np.empty((len(self.configurations), 0))

    def tie_order(self, costs: DoubleArray) -> list[int]:
        """Return the positions, cheapest first: who wins among equal means."""
        keys = (np.arange(len(costs)), *np.nan_to_num(costs, nan=np.inf).T[::-1])
        return [int(i) for i in np.lexsort(keys)]


def _values(one: Scored, name: str, n_questions: int) -> DoubleArray:
    values = one.values.get(name)
    if values is None:
        raise ComparisonError(
            f"Configuration #{one.number} has no values of {shorten(name)}, question by question; "
            "put a metric that every question has, such as recall@5, first among the objectives."
        )
    if values.shape != (n_questions,):
        raise ComparisonError(
            f"Configuration #{one.number} has {values.size} values of {shorten(name)}, but the sweep has "
            f"{n_questions} questions; evaluate it again."
        )
    return values


def _mean(one: Scored, name: str) -> float:
    given = one.means.get(name)
    if given is not None:
        return float(given)
    values = one.values.get(name)
    return float("nan") if values is None else float(column_means(values[:, None])[0])
