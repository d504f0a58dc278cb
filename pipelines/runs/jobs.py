"""The job table: submitted once, claimed by one worker at a time with a lease; paused, cancelled, finished, failed."""

from __future__ import annotations

import os
import socket
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast

import psutil
from sqlalchemy import ColumnElement, Connection, RowMapping, select, update

from pipelines.errors import NotFoundError, shorten
from pipelines.runs.database import Database
from pipelines.runs.schema import claim, log_line
from pipelines.runs.schema import job as table

State = Literal["queued", "running", "paused", "finished", "failed", "cancelled"]
Order = Literal["go on", "pause", "cancel", "lost"]
ACTIVE: tuple[State, ...] = ("queued", "running")
LEASE_S = 15.0
MOST_ATTEMPTS = 5
DIED = (
    f"The worker process died {MOST_ATTEMPTS} times during this work, most likely for want of memory; "
    "choose a smaller batch size, a smaller model or exact search, and run again: finished stages are kept."
)


@dataclass(frozen=True)
class Job:
    """A piece of work, as it stands. `progress` holds stage, done, total; times are seconds since 1970."""

    id: str
    identity: str
    kind: str
    title: str
    payload: Mapping[str, Any]
    state: State
    submitted: float
    started: float | None = None
    ended: float | None = None
    cancel_requested: bool = False
    pause_requested: bool = False
    attempts: int = 0
    worker: str | None = None
    run_id: str | None = None
    error: str | None = None
    exit_code: int | None = None
    progress: Mapping[str, Any] = field(default_factory=dict)

    @property
    def active(self) -> bool:
        """Whether it waits or runs."""
        return self.state in ACTIVE


def this_worker() -> str:
    """Name this process so that anyone on the machine can tell whether it still lives."""
    return f"{socket.gethostname()}:{os.getpid()}:{psutil.Process().create_time():.2f}"


def is_dead(worker: str | None) -> bool:
    """Return whether a worker of this machine has certainly ended (of another machine, only its lease tells)."""
    if worker is None:
        return False
    host, pid, born = worker.rsplit(":", 2)
    if host != socket.gethostname():
        return False
    try:
        process = psutil.Process(int(pid))
        return bool(process.status() == psutil.STATUS_ZOMBIE or abs(process.create_time() - float(born)) > 1.0)
    except psutil.NoSuchProcess:
        return True


class Jobs:
    """The queue. Every change is one short transaction that holds the write lock from its beginning."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def submit(self, kind: str, identity: str, title: str, payload: Mapping[str, Any], *, again: bool) -> Job:
        """Enter a job, unless the same is waiting, running or paused: then that one is returned.

        With `again` false, one that has finished is returned too.
        """
        wanted = (*ACTIVE, "paused") if again else (*ACTIVE, "paused", "finished")
        with self._db.writing() as connection:
            same = select(table).where(table.c.identity == identity, table.c.state.in_(wanted))
            known = connection.execute(same.order_by(table.c.number.desc()).limit(1)).mappings().first()
            if known is not None:
                return _job(known)
            row = {
                "id": uuid.uuid4().hex[:12], "identity": identity, "kind": kind, "title": title,
                "payload": dict(payload),
                "state": "queued", "cancel_requested": False, "attempts": 0, "progress": {}, "submitted": time.time(),
            }  # fmt: skip
            connection.execute(table.insert().values(**row))
            return _job(row)

    def get(self, job_id: str) -> Job:
        """Return a job.

        Raises:
            NotFoundError: when there is none of that id.
        """
        with self._db.reading() as connection:
            row = connection.execute(select(table).where(table.c.id == job_id)).mappings().first()
        if row is None:
            raise NotFoundError(
                f"There is no job '{shorten(job_id)}'; the runs page and 'rag-workbench runs' list what there is."
            )
        return _job(row)

    def recent(self, limit: int = 20, active_only: bool = False) -> list[Job]:
        """Return the latest jobs, newest first."""
        query = select(table).order_by(table.c.number.desc()).limit(limit)
        if active_only:
            query = query.where(table.c.state.in_(ACTIVE))
        with self._db.reading() as connection:
            return [_job(row) for row in connection.execute(query).mappings()]

    def claim(self, worker: str) -> Job | None:
        """Take the oldest job that waits, or whose worker died; None when there is none."""
        with self._db.writing() as connection:
            rows = connection.execute(
                select(table).where(table.c.state.in_(ACTIVE)).order_by(table.c.number)
            ).mappings()
            for row in list(rows):
                if row["state"] == "running" and not _abandoned(row):
                    continue
                change = _taken(row, worker)
                connection.execute(update(table).where(table.c.id == row["id"]).values(**change))
                if change["state"] == "running":
                    return _job({**row, **change})
        return None

    def beat(self, job_id: str, worker: str, progress: Mapping[str, Any], advanced: bool = False) -> Order:
        """Renew the lease of the job and of the worker's claims, tell the progress; return what the worker is to do.

        `advanced` says that something was finished since the last beat: deaths are counted anew from there.
        """
        mine = (table.c.id == job_id) & (table.c.worker == worker) & (table.c.state == "running")
        now = time.time()
        with self._db.writing() as connection:
            values: dict[str, Any] = {"lease_until": now + LEASE_S, "progress": dict(progress)}
            values |= {"attempts": 1} if advanced else {}
            held = connection.execute(update(table).where(mine).values(**values)).rowcount
            _renew_claims(connection, worker, now)
            return _order(connection, mine) if held else "lost"

    def help(self, job_id: str, worker: str) -> Order:
        """Renew the claims of a worker that helps with a job that another one leads; return what it is to do."""
        led = (table.c.id == job_id) & (table.c.state == "running")
        with self._db.writing() as connection:
            _renew_claims(connection, worker, time.time())
            return _order(connection, led)

    def led(self, kind: str) -> list[Job]:
        """Return the jobs of a kind that a living worker is at, the oldest first."""
        query = select(table).where(table.c.kind == kind, table.c.state == "running").order_by(table.c.number)
        with self._db.reading() as connection:
            return [_job(row) for row in connection.execute(query).mappings() if not _abandoned(row)]

    def give_back(self, job_id: str, worker: str) -> None:
        """Return a claimed job to the queue, as if it had not been taken."""
        mine = (table.c.id == job_id) & (table.c.worker == worker) & (table.c.state == "running")
        values = {"state": "queued", "worker": None, "lease_until": None, "attempts": table.c.attempts - 1}
        with self._db.writing() as connection:
            connection.execute(update(table).where(mine).values(**values))

    def finish(self, job_id: str, worker: str, run_id: str) -> None:
        """Record success."""
        self._end(job_id, worker, state="finished", run_id=run_id)

    def fail(self, job_id: str, worker: str, error: str, exit_code: int) -> None:
        """Record failure, with the sentence that the user reads."""
        self._end(job_id, worker, state="failed", error=error, exit_code=exit_code)

    def cancelled(self, job_id: str, worker: str) -> None:
        """Record that the work was stopped as asked."""
        self._end(job_id, worker, state="cancelled")

    def paused(self, job_id: str, worker: str) -> None:
        """Record that the work stands still, as asked, until it is resumed."""
        mine = (table.c.id == job_id) & (table.c.worker == worker) & (table.c.state == "running")
        with self._db.writing() as connection:
            connection.execute(update(table).where(mine).values(state="paused", worker=None, lease_until=None))

    def _end(self, job_id: str, worker: str, **values: Any) -> None:
        mine = (table.c.id == job_id) & (table.c.worker == worker) & (table.c.state == "running")
        with self._db.writing() as connection:
            connection.execute(update(table).where(mine).values(ended=time.time(), **values))

    def cancel(self, job_id: str) -> Job:
        """Ask for a job to stop: one that waits is cancelled at once, one that runs by its worker, within seconds."""
        return self._stop(job_id, (*ACTIVE, "paused"), {"cancel_requested": True}, "cancelled", {"ended": time.time()})

    def pause(self, job_id: str) -> Job:
        """Ask for a job to stand still until it is resumed; finished work is kept."""
        return self._stop(job_id, ACTIVE, {"pause_requested": True}, "paused", {"worker": None, "lease_until": None})

    def resume(self, job_id: str) -> Job:
        """Let a paused job go on; also one that was only asked to pause. Any other stays as it is."""
        self.get(job_id)
        mine = (table.c.id == job_id) & table.c.state.in_((*ACTIVE, "paused"))
        with self._db.writing() as connection:
            connection.execute(update(table).where(mine).values(pause_requested=False))
            still = mine & (table.c.state == "paused")
            connection.execute(update(table).where(still).values(state="queued", attempts=0))
        return self.get(job_id)

    def _stop(
        self, job_id: str, states: tuple[State, ...], ask: Mapping[str, Any], state: State, values: Mapping[str, Any]
    ) -> Job:
        """Ask the worker; where none is at it, the job is stopped here and now."""
        current = self.get(job_id)
        mine = (table.c.id == job_id) & table.c.state.in_(states)
        with self._db.writing() as connection:
            connection.execute(update(table).where(mine).values(**ask))
            waiting = mine & (
                (table.c.state != "running") if not is_dead(current.worker) else table.c.state.in_(states)
            )
            connection.execute(update(table).where(waiting).values(state=state, **values))
        return self.get(job_id)

    def log(self, job_id: str, text: str) -> None:
        """Add a line to a job's log."""
        with self._db.writing() as connection:
            connection.execute(log_line.insert().values(job_id=job_id, at=time.time(), text=text))

    def lines(self, job_id: str, limit: int = 200) -> list[tuple[float, str]]:
        """Return the last lines of a job's log, oldest first, each with its time in seconds since 1970."""
        query = select(log_line.c.at, log_line.c.text).where(log_line.c.job_id == job_id)
        with self._db.reading() as connection:
            rows = connection.execute(query.order_by(log_line.c.number.desc()).limit(limit)).all()
        return [(at, text) for at, text in reversed(rows)]


def _order(connection: Connection, which: ColumnElement[bool]) -> Order:
    row = connection.execute(select(table.c.cancel_requested, table.c.pause_requested).where(which)).first()
    if row is None:
        return "lost"
    return "cancel" if row[0] else "pause" if row[1] else "go on"


def _renew_claims(connection: Connection, worker: str, now: float) -> None:
    connection.execute(update(claim).where(claim.c.worker == worker).values(lease_until=now + LEASE_S))


def _abandoned(row: RowMapping) -> bool:
    return float(row["lease_until"] or 0) < time.time() or is_dead(row["worker"])


def _taken(row: RowMapping, worker: str) -> dict[str, Any]:
    now = time.time()
    if row["cancel_requested"]:
        return {"state": "cancelled", "ended": now}
    if row["pause_requested"]:
        return {"state": "paused", "worker": None, "lease_until": None}
    if row["attempts"] >= MOST_ATTEMPTS:
        return {"state": "failed", "ended": now, "error": DIED, "exit_code": 1}
    return {
        "state": "running", "worker": worker, "lease_until": now + LEASE_S, "attempts": row["attempts"] + 1,
        "started": row["started"] or now,
    }  # fmt: skip


def _job(row: RowMapping | Mapping[str, Any]) -> Job:
    names = set(Job.__dataclass_fields__)
    return Job(**{name: value for name, value in cast("Mapping[str, Any]", row).items() if name in names})
