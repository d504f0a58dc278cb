"""What a run brings to a comparison: its scores, and what must agree before they are compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipelines.errors import shorten
from pipelines.losses import Fates
from pipelines.records import DoubleArray, Metric, Scores


@dataclass(frozen=True)
class RunScores:
    """The scores of one run, and what must agree before they are compared; row i of `scores` is `question_ids[i]`.

    `split` is None where the run evaluated all questions whatever their split; `fates`, what became of its evidence,
    where that was not measured.
    """

    run_id: str
    name: str
    dataset_name: str
    dataset_version: str
    split: str | None
    question_ids: tuple[str, ...]
    scores: Scores
    fates: Fates | None = None

    def __str__(self) -> str:
        return f"run '{shorten(self.name, 60)}' ({shorten(self.run_id, 16)})"

    def metric(self, name: str) -> Metric | None:
        """Return the declaration of a metric, None where it was not measured."""
        return next((metric for metric in self.scores.metrics if metric.name == name), None)

    def rows(self, question_ids: Sequence[str]) -> list[int]:
        """Return where each of `question_ids` stands in this run."""
        position = {question_id: i for i, question_id in enumerate(self.question_ids)}
        return [position[question_id] for question_id in question_ids]

    def table(self, question_ids: Sequence[str], metrics: Sequence[str]) -> DoubleArray:
        """Return the values, float64 [n_questions, n_metrics], in the orders asked for."""
        rows = self.rows(question_ids)
        return np.stack([self.scores.column(name)[rows] for name in metrics], axis=1)
