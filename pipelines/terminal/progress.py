"""Jobs watched from the command line: a bar where there is a terminal, a line a stage elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from pipelines import api
from pipelines.errors import Cancelled, Paused, WorkbenchError, shorten
from pipelines.runs.jobs import Job

Teller = Callable[[], Callable[[Job], None]]


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


def follow(jobs: list[Job], lines: Teller | None = None) -> list[str]:
    """Wait for all jobs and return their runs' ids, each once; `lines` makes what tells of one as lines of text.

    Raises:
        JobFailed: for the first that failed.
        Cancelled: when it was cancelled elsewhere.
    """
    jobs = list({job.id: job for job in jobs}.values())
    if sys.stderr.isatty() and lines is None:
        ended = _with_bars(jobs)
    else:
        ended = [api.watch(job.id, (lines or _lines)()) for job in jobs]
    return [_run_of(job) for job in ended]


def _run_of(job: Job) -> str:
    if job.state == "cancelled":
        raise Cancelled(f"'{shorten(job.title)}' was cancelled; finished stages are kept.")
    if job.state == "paused":
        raise Paused(f"'{shorten(job.title)}' was paused; go on with: rag-workbench resume {job.id}")
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
        text, done, total = _how_far(job)
        progress.update(task, description=f"{title}: {text}", completed=done, total=total)  # type: ignore[arg-type]

    return tell


def _how_far(job: Job) -> tuple[str, int, int | None]:
    """Return the stage, with the expected rest of a sweep, and how much of how much is done."""
    now = job.progress
    stage = str(now.get("stage", job.state))
    if "pieces_total" not in now:
        return stage, now.get("done", 0), now.get("total") or None
    rest = now.get("eta_s")
    return stage + (f", {rest:,.0f} s left" if rest else ""), now["pieces_done"], now["pieces_total"]


def _lines() -> Callable[[Job], None]:
    last: list[object] = [None]

    def tell(job: Job) -> None:
        text, step = _line(job) if job.active else (job.state, job.state)
        if text and step != last[0]:
            last[0] = step
            sys.stderr.write(f"{shorten(job.title)}: {text}\n")

    return tell


def _line(job: Job) -> tuple[str, object]:
    """Return what is told, and what must change before it is told again: the stage; of a sweep, a tenth of it."""
    now = job.progress
    if "trials_total" not in now:
        return str(now.get("stage", "")), now.get("stage")
    done, total = now["trials_done"], now["trials_total"]
    return f"{done:,} of {total:,} configurations", 10 * done // max(1, total)
