"""Figures and states of a sweep in words, the same wherever they are shown."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pipelines.api import DEFAULT_TRIALS
from pipelines.records import Metric
from pipelines.runs.jobs import Job
from workbench import grids
from workbench.text import lasting

STATES = {
    "queued": "waiting", "running": "running", "paused": "paused", "finished": "finished", "failed": "failed",
    "cancelled": "cancelled",
}  # fmt: skip


def amount(value: float | None, metric: Mapping[str, Any], sign: bool = False) -> str:
    """Return a value of a metric that a report declares, as tables write it, with its unit."""
    text = grids.written(value, Metric(**metric), sign)
    return f"{text} {metric['unit']}" if metric["unit"] and value is not None else text


def between(low: float | None, high: float | None, metric: Mapping[str, Any], sign: bool = False) -> str | None:
    """Return an interval, None where there is none."""
    if low is None or high is None:
        return None
    first, second = (grids.written(end, Metric(**metric), sign) for end in (low, high))
    return f"{first} to {second}"


def moment(seconds: float) -> str:
    """Return a time since 1970 as the clock of this machine shows it."""
    return datetime.fromtimestamp(seconds, UTC).astimezone().strftime("%Y-%m-%d %H:%M")


def clock(seconds: float) -> str:
    """Return the time of day alone, with the day where that is another one than today's."""
    then, now = (datetime.fromtimestamp(at, UTC).astimezone() for at in (seconds, time.time()))
    return then.strftime("%H:%M") if then.date() == now.date() else then.strftime("%a %H:%M")


def planned(job: Job) -> int:
    """Return how many configurations a sweep will have: those of a grid, else as many as were asked for."""
    search = job.payload["sweep"]["search"]
    proposed = int(job.progress.get("trials_total") or 0)
    return proposed if search["strategy"] == "grid" else max(proposed, search["trials"] or DEFAULT_TRIALS)


def left_s(job: Job) -> float | None:
    """Return the seconds that a sweep is expected to take yet; None while nothing is known.

    A sampler proposes batch by batch: later batches are expected to take as long, row by row, as those so far.
    """
    left, proposed = job.progress.get("eta_s"), int(job.progress.get("trials_total") or 0)
    if left is None or not proposed:
        return None
    passed = max(0.0, time.time() - (job.started or job.submitted))
    return float(left) + (planned(job) - proposed) * (passed + float(left)) / proposed


def share_done(job: Job) -> float:
    """Return how much of what is known of a sweep's work is done, in [0, 1]."""
    done, proposed = (int(job.progress.get(f"trials_{of}") or 0) for of in ("done", "total"))
    pieces = int(job.progress.get("pieces_total") or 0)
    begun = float(job.progress.get("pieces_done", 0)) / pieces if pieces else 0.0
    return min(1.0, max(done, begun * proposed) / planned(job)) if proposed else 0.0


def how_far(job: Job) -> str:
    """Return in few words how many configurations are done, and when the end is expected."""
    if not job.progress.get("trials_total"):
        return "waiting" if job.state == "queued" else "reading the dataset"
    left = left_s(job)
    end = "" if left is None else f" · ends {clock(time.time() + left)}"
    return f"{job.progress.get('trials_done', 0):,} of {planned(job):,}{end}"


def ends(job: Job) -> str:
    """Return when a sweep is expected to end."""
    left = left_s(job)
    if left is None and not job.progress.get("trials_total"):
        return ""
    if left is None:
        return "no end expected yet" if int(job.progress.get("trials_done") or 0) < planned(job) else ""
    return "about to end" if left < 1 else f"ends about {clock(time.time() + left)}, in {lasting(left)}"
