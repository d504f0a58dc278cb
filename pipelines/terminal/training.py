"""A finetuning that is watched from the command line: what it is at, and now and then the loss and the dev metric."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from pipelines import api
from pipelines.errors import shorten
from pipelines.runs.jobs import Job

_LOOK_EVERY_S = 0.5
_TENTHS = 10


def training_lines() -> Callable[[Job], None]:
    """Return what writes the job's log, and the points of its trainings that are worth a line, as they come."""
    return _Lines().tell


class _Lines:
    def __init__(self) -> None:
        self._looked = -_LOOK_EVERY_S
        self._n_logged = 0
        self._told: dict[str, tuple[int, bool]] = {}

    def tell(self, job: Job) -> None:
        """Write what is new."""
        if job.active and time.monotonic() - self._looked < _LOOK_EVERY_S:
            return
        self._looked = time.monotonic()
        view = api.finetuning_of_job(job.id)
        curves: Mapping[str, list[Mapping[str, Any]]] = {} if view is None else view.curves
        self._tell_points({label: curves[label] for label in self._told if label in curves})
        log = api.job_log(job.id, 10_000)
        for _, text in log[self._n_logged :]:
            sys.stderr.write(f"{shorten(text, 300)}\n")
        self._n_logged = len(log)
        self._tell_points(curves)

    def _tell_points(self, curves: Mapping[str, list[Mapping[str, Any]]]) -> None:
        for label, points in curves.items():
            last = self._told.get(label, (-1, False))
            for point in points:
                # The metric of a step comes some time after its loss, and is worth a line of its own.
                this = (int(point["step"]), point.get("dev") is not None)
                if this > last and _worth_a_line(point):
                    sys.stderr.write(f"  {shorten(label, 100)}: {point_said(point)}\n")
                    self._told[label] = this


def _worth_a_line(point: Mapping[str, Any]) -> bool:
    tenth = max(1, int(point["steps"]) // _TENTHS)
    return point.get("dev") is not None or (point.get("loss") is not None and point["step"] % tenth == 0)


def point_said(point: Mapping[str, Any]) -> str:
    """Return a point of a curve in words, such as "step 12 of 36, loss 1.204, ndcg@10 on dev 0.512"."""
    parts = [f"step {point['step']:,} of {point['steps']:,}"]
    if point.get("loss") is not None:
        parts.append(f"loss {point['loss']:.4g}")
    if point.get("dev") is not None:
        parts.append(f"{point['metric'] or 'metric'} on dev {point['dev']:.3f}")
    return ", ".join(parts)
