"""Finetunings in the run store: what was asked, which trainings it takes, what came of it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, cast

from sqlalchemy import RowMapping, select, update

from pipelines.errors import NotFoundError, did_you_mean, shorten
from pipelines.finetune.records import Finetuning
from pipelines.runs.database import Database
from pipelines.runs.schema import finetune as table


@dataclass(frozen=True)
class FinetuneStore:
    """The table of finetunings."""

    database: Database

    def once(self, one: Finetuning) -> Finetuning:
        """Keep a finetuning, unless its job has one already: that one is returned."""
        with self.database.writing() as connection:
            query = select(table).where(table.c.job_id == one.job_id)
            known = connection.execute(query).mappings().first()
            if known is None:
                connection.execute(table.insert().values(**asdict(one)))
        return one if known is None else _record(known)

    def all(self, limit: int = 200) -> list[Finetuning]:
        """Return them, newest first."""
        with self.database.reading() as connection:
            rows = connection.execute(select(table).order_by(table.c.number.desc()).limit(limit)).mappings()
            return [_record(row) for row in rows]

    def of_job(self, job_id: str) -> Finetuning | None:
        """Return the finetuning that a job does, None when it does none."""
        with self.database.reading() as connection:
            row = connection.execute(select(table).where(table.c.job_id == job_id)).mappings().first()
        return None if row is None else _record(row)

    def find(self, reference: str) -> Finetuning | None:
        """Return the one of this id or job, else the newest of this name, else the only one whose id begins so."""
        with self.database.reading() as connection:
            own = (table.c.id == reference) | (table.c.job_id == reference)
            row = connection.execute(select(table).where(own)).mappings().first()
        if row is not None:
            return _record(row)
        newest = self.all()
        named = [one for one in newest if one.name == reference][:1]
        begun = [one for one in newest if len(reference) >= 4 and one.id.startswith(reference)]
        return next((found[0] for found in (named, begun) if len(found) == 1), None)

    def get(self, reference: str) -> Finetuning:
        """Return what `find` finds.

        Raises:
            NotFoundError: when there is none.
        """
        found = self.find(reference)
        if found is not None:
            return found
        names = [one.name for one in self.all()]
        if not names:
            raise NotFoundError(
                f"There is no finetuning '{shorten(reference)}': none was run yet; start with 'rag-workbench finetune'."
            )
        raise NotFoundError(
            f"There is no finetuning with the id or name '{shorten(reference)}'; 'rag-workbench finetunings' lists "
            f"them.{did_you_mean(reference, names)}"
        )

    def set_trainings(self, finetune_id: str, trainings: Mapping[str, str]) -> None:
        """Keep which trainings it takes: labels by key."""
        self._set(finetune_id, trainings=dict(trainings))

    def set_report(self, finetune_id: str, report: Mapping[str, Any]) -> None:
        """Keep what came of it."""
        self._set(finetune_id, report=dict(report))

    def _set(self, finetune_id: str, **values: Any) -> None:
        with self.database.writing() as connection:
            connection.execute(update(table).where(table.c.id == finetune_id).values(**values))


def new_id() -> str:
    """Return an id for a finetuning."""
    return uuid.uuid4().hex[:12]


def _record(row: RowMapping) -> Finetuning:
    names = Finetuning.__dataclass_fields__
    return Finetuning(**{k: v for k, v in cast("Mapping[str, Any]", row).items() if k in names})
