"""Jobs watched from the command line: a bar where there is a terminal, a line a stage elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from pipelines import api
from pipelines.errors import Cancelled, WorkbenchError, shorten
from pipelines.runs.jobs import Job


class JobFailed(WorkbenchError):
    """A job that ended without a run, with the sentence that its worker left."""

    def __init__(self, job: Job) -> None:
        super().__init__(job.error or "The work failed.")
        self.exit_code = job.exit_code or 1


@contextmanager
def cancelling(jobs: list[Job]) -> Iterator[None]:
    """Have Ctrl-C cancel `jobs`, which may grow meanwhile.

    Raises:
        Cancelled: after Ctrl-C.
    """
    try:
        yield
    except KeyboardInterrupt:
        for job in jobs:
            api.cancel(job.id)
        raise Cancelled("Cancelled; finished stages are kept, so the same command goes on from there.") from None


def follow(jobs: list[Job]) -> list[str]:
    """Wait for all jobs and return their runs' ids, each once.

    Raises:
        JobFailed: for the first that failed.
        Cancelled: when it was cancelled elsewhere.
    """
    jobs = list({job.id: job for job in jobs}.values())
    ended = _with_bars(jobs) if sys.stderr.isatty() else [api.watch(job.id, _lines()) for job in jobs]
    return [_run_of(job) for job in ended]


def _run_of(job: Job) -> str:
    if job.state == "cancelled":
        raise Cancelled(f"'{shorten(job.title)}' was cancelled; finished stages are kept.")
    if job.state != "finished" or job.run_id is None:
        raise JobFailed(job)
    return job.run_id


def _with_bars(jobs: list[Job]) -> list[Job]:
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
    ended = []
    from rich.console import Console

    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True), transient=True) as progress:
        overall = progress.add_task("Pipelines", total=len(jobs))
        for job in jobs:
            task = progress.add_task(shorten(job.title, 60), total=None)
            ended.append(api.watch(job.id, _bar(progress, task, shorten(job.title, 60))))
            progress.remove_task(task)
            progress.advance(overall)
    return ended


def _bar(progress: Progress, task: object, title: str) -> Callable[[Job], None]:
    def tell(job: Job) -> None:
        now = job.progress
        total = now.get("total") or None
        text = f"{title}: {now.get('stage', job.state)}"
        progress.update(task, description=text, completed=now.get("done", 0), total=total)  # type: ignore[arg-type]

    return tell


def _lines() -> Callable[[Job], None]:
    last = [""]

    def tell(job: Job) -> None:
        stage = str(job.progress.get("stage", "")) if job.active else job.state
        if stage and stage != last[0]:
            last[0] = stage
            sys.stderr.write(f"{shorten(job.title)}: {stage}\n")

    return tell
