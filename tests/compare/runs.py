"""Builds runs from plain numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from pipelines.compare.comparison import RunScores
from pipelines.records import Metric, Scores

NAN = math.nan


def metric(name: str) -> Metric:
    """Declare a share where higher is better, or milliseconds where lower is."""
    unit = "ms" if name.endswith("_ms") else None
    return Metric(name, name.split("@")[0], higher_is_better=unit is None, unit=unit)


def run(
    run_id: str, columns: Mapping[str, Sequence[float]], ids: Sequence[str] | None = None, **changes: object
) -> RunScores:
    """Build a run of questions q0, q1, ...; what is NaN is unscored since it is unanswerable."""
    values = np.array(list(columns.values()), dtype=np.float64).T
    reason = np.where(np.isnan(values), 1, 0).astype(np.int16)
    scores = Scores(tuple(metric(name) for name in columns), values, reason, ("", "unanswerable"))
    fields: dict[str, object] = {
        "run_id": run_id,
        "name": f"run {run_id}",
        "dataset_name": "meridian",
        "dataset_version": "abc123",
        "split": "test",
        "question_ids": tuple(ids or (f"q{i}" for i in range(len(values)))),
        "scores": scores,
    }
    return RunScores(**{**fields, **changes})  # type: ignore[arg-type]
