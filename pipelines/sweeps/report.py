"""What a sweep shows: its winner, ties, optimism, fronts and effects, as one record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipelines.records import Metric
from pipelines.sweeps.reported import LeftOut, Report, Scored, TestResult

__all__ = ["LeftOut", "Report", "Scored", "TestResult", "build_report"]


def build_report(
    configurations: Sequence[Scored],
    objectives: Sequence[Metric],
    question_ids: Sequence[str],
    *,
    test: Sequence[TestResult] = (),
    cost_metrics: Sequence[Metric] = (),
    grid: bool = True,
    seed: int = 0,
    left_out: Sequence[LeftOut] = (),
    importance: Mapping[str, float] | None = None,
) -> Report:
    """Report on the finished `configurations` of one sweep, all evaluated on `question_ids`."""
    raise NotImplementedError
