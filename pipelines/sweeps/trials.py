"""What is kept of a sweep: its settings, the configurations that were proposed, and what became of each."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from sqlalchemy import RowMapping, select, update

from pipelines.errors import NotFoundError, did_you_mean, shorten
from pipelines.runs.database import Database
from pipelines.runs.schema import sweep as sweeps
from pipelines.runs.schema import trial as trials
from pipelines.runs.table import Cell

TrialState = Literal["waiting", "finished", "dropped", "failed"]


@dataclass(frozen=True)
class Trial:
    """One configuration of a sweep. `params` is what varies, by knob; `reason` says why it was dropped or failed.

    `drawn` is how a sampler knows it. `n_questions` is how many questions it was evaluated on: all of the split once
    it is finished.
    """

    number: int
    batch: int
    label: str
    settings: Mapping[str, Any]
    params: Mapping[str, Cell]
    drawn: Mapping[str, Any]
    state: TrialState = "waiting"
    created: float = field(default_factory=time.time)
    run_id: str | None = None
    n_questions: int | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Sweep:
    """A sweep as it was asked for; `report` is its selection, None until it has ended. `split` is "all" for every one.

    `created` is in seconds since 1970.
    """

    id: str
    name: str
    job_id: str
    dataset_name: str
    dataset_path: str
    dataset_version: str
    split: str
    settings: Mapping[str, Any]
    workers: int
    created: float
    report: Mapping[str, Any] | None = None


class SweepStore:
    """Sweeps and their trials in the run store."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def once(self, sweep: Sweep) -> Sweep:
        """Keep a sweep, unless its job has one already: that one is returned."""
        with self._db.writing() as connection:
            query = select(sweeps).where(sweeps.c.job_id == sweep.job_id)
            known = connection.execute(query).mappings().first()
            if known is None:
                connection.execute(sweeps.insert().values(**_values(sweep, Sweep)))
        return sweep if known is None else _record(known, Sweep)

    def all(self, limit: int = 200) -> list[Sweep]:
        """Return the sweeps, newest first."""
        with self._db.reading() as connection:
            rows = connection.execute(select(sweeps).order_by(sweeps.c.number.desc()).limit(limit)).mappings()
            return [_record(row, Sweep) for row in rows]

    def of_job(self, job_id: str) -> Sweep | None:
        """Return the sweep that a job does, None when it does none."""
        with self._db.reading() as connection:
            row = connection.execute(select(sweeps).where(sweeps.c.job_id == job_id)).mappings().first()
        return None if row is None else _record(row, Sweep)

    def open_batch(self, job_id: str) -> list[Trial]:
        """Return the trials that wait in the first batch of a job's sweep that is not done: none where all is."""
        of_job = select(sweeps.c.id).where(sweeps.c.job_id == job_id).scalar_subquery()
        waiting = select(trials).where(trials.c.sweep_id == of_job, trials.c.state == "waiting")
        with self._db.reading() as connection:
            rows = connection.execute(waiting.order_by(trials.c.number)).mappings()
            found = [_record(row, Trial) for row in rows]
        return [trial for trial in found if trial.batch == found[0].batch]

    def get(self, reference: str) -> Sweep:
        """Return the sweep with this id, else the newest of this name, else the only one whose id begins so.

        Raises:
            NotFoundError: when there is none.
        """
        with self._db.reading() as connection:
            own = connection.execute(select(sweeps).where(sweeps.c.id == reference)).mappings().first()
        if own is not None:
            found: Sweep = _record(own, Sweep)
            return found
        newest = self.all()
        for matches in (
            [one for one in newest if one.name == reference][:1],
            [one for one in newest if len(reference) >= 4 and one.id.startswith(reference)],
        ):
            if len(matches) == 1:
                return matches[0]
        if not newest:
            raise NotFoundError(
                f"There is no sweep '{shorten(reference)}': none was run yet; start with 'rag-workbench sweep'."
            )
        guess = did_you_mean(reference, [one.name for one in newest])
        raise NotFoundError(
            f"There is no sweep with the id or name '{shorten(reference)}'; 'rag-workbench sweeps' lists them.{guess}"
        )

    def add_trials(self, sweep_id: str, proposed: Sequence[Trial]) -> None:
        """Keep what was proposed, all or nothing."""
        with self._db.writing() as connection:
            rows = [{"sweep_id": sweep_id, **_values(one, Trial)} for one in proposed]
            connection.execute(trials.insert(), rows)

    def trials(self, sweep_id: str) -> list[Trial]:
        """Return the trials of a sweep in the order of their numbers."""
        query = select(trials).where(trials.c.sweep_id == sweep_id).order_by(trials.c.number)
        with self._db.reading() as connection:
            return [_record(row, Trial) for row in connection.execute(query).mappings()]

    def finish(self, sweep_id: str, found: Mapping[int, str], n_questions: int) -> None:
        """Record the runs of these trials, by number."""
        with self._db.writing() as connection:
            for number, run_id in found.items():
                values = {"state": "finished", "run_id": run_id, "n_questions": n_questions, "reason": None}
                connection.execute(update(trials).where(*_one(sweep_id, number)).values(**values))

    def end(self, sweep_id: str, number: int, state: TrialState, reason: str, n_questions: int | None = None) -> None:
        """Record that a trial was dropped or failed, with the sentence that the table shows."""
        values = {"state": state, "reason": reason, "n_questions": n_questions}
        with self._db.writing() as connection:
            open_ = trials.c.state == "waiting"
            connection.execute(update(trials).where(*_one(sweep_id, number), open_).values(**values))

    def set_report(self, sweep_id: str, report: Mapping[str, Any] | None) -> None:
        """Keep the selection."""
        with self._db.writing() as connection:
            connection.execute(update(sweeps).where(sweeps.c.id == sweep_id).values(report=report))


def new_id() -> str:
    """Return an id for a sweep."""
    return uuid.uuid4().hex[:12]


def _one(sweep_id: str, number: int) -> tuple[Any, Any]:
    return trials.c.sweep_id == sweep_id, trials.c.number == number


def _values(record: Any, kind: type) -> dict[str, Any]:
    values = {name: getattr(record, name) for name in kind.__dataclass_fields__}  # type: ignore[attr-defined]
    return {name: dict(v) if isinstance(v, Mapping) else v for name, v in values.items()}


def _record(row: RowMapping, kind: type[Any]) -> Any:
    names = kind.__dataclass_fields__
    return kind(**{name: value for name, value in cast("Mapping[str, Any]", row).items() if name in names})
