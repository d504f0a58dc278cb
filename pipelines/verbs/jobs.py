"""The verbs of jobs: have a worker do it, watch, stop."""

from __future__ import annotations

import time
from collections.abc import Callable

from pipelines.golden.dataset import Dataset
from pipelines.pipeline import Pipeline
from pipelines.runs import spawn
from pipelines.runs.jobs import Job, is_dead
from pipelines.runs.submit import submit_evaluation
from pipelines.verbs.home import jobs

_WATCH_S = 0.1


def submit(
    pipeline: Pipeline,
    dataset: Dataset,
    *,
    split: str | None = None,
    name: str | None = None,
    seed: int = 0,
    again: bool = True,
) -> Job:
    """Have a worker process evaluate `pipeline`; the same thing asked for twice is one job.

    With `again` false, a job that has finished counts as the same thing too.
    """
    job = submit_evaluation(jobs(), pipeline, dataset, split=split, name=name, seed=seed, again=again)
    if job.active:
        spawn.ensure_worker()
    return job


def watch(job_id: str, tell: Callable[[Job], None] | None = None) -> Job:
    """Wait for a job to end, telling how it stands ten times a second; a dead worker is replaced.

    Raises:
        StorageError: when worker after worker ends without the job going on, such as on a full disk.
    """
    table, starts, before = jobs(), 0, (-1, "")
    while True:
        job = table.get(job_id)
        if tell is not None:
            tell(job)
        if not job.active:
            return job
        if (job.attempts, job.state) != before or (job.worker and not is_dead(job.worker)):
            starts, before = 0, (job.attempts, job.state)  # whoever is started beside one at work only helps
        starts += spawn.ensure_worker(workers_of(job))
        if starts > spawn.MOST_STARTS:
            spawn.refuse_to_go_on()
        time.sleep(_WATCH_S)


def job(job_id: str) -> Job:
    """Return how a job stands; when it is still to be done and no worker is there, one is started."""
    found = jobs().get(job_id)
    if found.active:
        spawn.ensure_worker(workers_of(found))
    return found


def active_jobs() -> list[Job]:
    """Return the jobs that wait or run, newest first; when there are any and no worker is there, one is started."""
    found = jobs().recent(active_only=True)
    if found:
        spawn.ensure_worker(max(workers_of(one) for one in found))
    return found


def recent_jobs(limit: int = 20) -> list[Job]:
    """Return the latest jobs, newest first."""
    return jobs().recent(limit)


def cancel(job_id: str) -> Job:
    """Stop a job within seconds; its finished stages are kept."""
    found = jobs().cancel(job_id)
    if found.active:
        spawn.ensure_worker()
    return found


def pause(job_id: str) -> Job:
    """Let a job stand still within seconds; finished work is kept."""
    return jobs().pause(job_id)


def resume(job_id: str) -> Job:
    """Let a paused job go on."""
    job = jobs().resume(job_id)
    if job.active:
        spawn.ensure_worker(workers_of(job))
    return job


def job_log(job_id: str, limit: int = 200) -> list[tuple[float, str]]:
    """Return the last lines of a job's log, oldest first, each with its time in seconds since 1970."""
    return jobs().lines(job_id, limit)


def workers_of(job: Job) -> int:
    """Return how many workers a job asked for."""
    return int(job.payload.get("workers", 1))
