"""Figures and states of a sweep in words, the same wherever they are shown."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

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


def share_done(job: Job) -> float:
    """Return how much of what is known of a sweep's work is done, in [0, 1]."""
    shares = [_share(job, "trials"), _share(job, "pieces")]
    return min(1.0, max(shares))


def _share(job: Job, of: str) -> float:
    total = job.progress.get(f"{of}_total") or 0
    return float(job.progress.get(f"{of}_done", 0)) / total if total else 0.0


def how_far(job: Job) -> str:
    """Return how many configurations are done, and when the end is expected."""
    total = job.progress.get("trials_total") or 0
    if not total:
        return "waiting for a worker" if job.state == "queued" else "reading the dataset"
    done = f"{job.progress.get('trials_done', 0):,} of {total:,} configurations"
    left = job.progress.get("eta_s")
    return done if left is None else f"{done} · {ends(float(left))}"


def ends(left_s: float) -> str:
    """Return when something ends that lasts so much longer."""
    if left_s < 1:
        return "about to end"
    return f"ends about {clock(time.time() + left_s)}, in {lasting(left_s)}"
