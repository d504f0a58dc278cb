"""The run store: runs written in one transaction, read without any model, aggregated in SQL."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Connection, RowMapping, Select, Subquery, case, delete, func, select

from pipelines.errors import NotFoundError, did_you_mean, shorten
from pipelines.execution import StageReport
from pipelines.losses import LossesByCut, Lost
from pipelines.records import DoubleArray, Metric
from pipelines.runs.database import Database
from pipelines.runs.details import file_of, read_details, write_details
from pipelines.runs.record import Details, Measured, Run, Versions
from pipelines.runs.schema import configuration, dataset_version, loss, metric, run, stage
from pipelines.runs.values import read_values

_KEYS_AT_ONCE = 500
_WRITERS = 4


class RunStore:
    """Runs in `database`, their per-question parts in files below `folder`."""

    def __init__(self, database: Database, folder: Path) -> None:
        self._db = database
        self._folder = folder

    def add(self, record: Run, details: Details) -> None:
        """Keep a run: first its files, then, in one transaction, its rows. A crash in between leaves no row behind.

        Raises:
            StorageError: when the disk or the database refuses; nothing of the run is left behind.
        """
        self.add_all([(record, details)])

    def add_all(self, runs: Sequence[tuple[Run, Details]]) -> None:
        """Keep several runs, their rows in one transaction.

        Raises:
            StorageError: when the disk or the database refuses; nothing of any of them is left behind.
        """
        try:
            with ThreadPoolExecutor(_WRITERS) as pool:
                for _ in pool.map(lambda one: write_details(one[1], file_of(self._folder, one[0].id)), runs):
                    pass
            self._add_rows([record for record, _ in runs])
        except BaseException:
            for record, _ in runs:
                self._remove_file(record.id)
            raise

    def _add_rows(self, records: Sequence[Run]) -> None:
        with self._db.writing() as connection:
            _add_parents(connection, records)
            connection.execute(run.insert(), [_run_row(record) for record in records])
            connection.execute(
                metric.insert(), [_metric_row(r.id, i, m) for r in records for i, m in enumerate(r.metrics)]
            )
            stages = [_stage_row(r.id, i, *item) for r in records for i, item in enumerate(r.stages.items())]
            if stages:
                connection.execute(stage.insert(), stages)
            losses = [_loss_row(r.id, r.losses) for r in records if r.losses is not None]
            if losses:
                connection.execute(loss.insert(), losses)

    def by_identity(self, identities: Sequence[str]) -> dict[str, str]:
        """Return the id of the first run that each of these works came to, for those that there are."""
        found: dict[str, str] = {}
        with self._db.reading() as connection:
            for at in range(0, len(identities), _KEYS_AT_ONCE):
                part = identities[at : at + _KEYS_AT_ONCE]
                query = select(run.c.identity, run.c.id).where(run.c.identity.in_(part)).order_by(run.c.number)
                for identity, run_id in connection.execute(query):
                    found.setdefault(identity, run_id)
        return found

    def known(self, run_ids: Sequence[str]) -> set[str]:
        """Return which of these ids are those of runs."""
        found: set[str] = set()
        with self._db.reading() as connection:
            for at in range(0, len(run_ids), _KEYS_AT_ONCE):
                query = select(run.c.id).where(run.c.id.in_(run_ids[at : at + _KEYS_AT_ONCE]))
                found.update(connection.execute(query).scalars())
        return found

    def get(self, reference: str) -> Run:
        """Return the run with this id, else the newest of this name, else the only one whose id begins so.

        Raises:
            NotFoundError: when there is none.
        """
        with self._db.reading() as connection:
            row = _find(connection, reference)
            if row is None:
                raise NotFoundError(self._absent(connection, reference))
            metrics = connection.execute(select(metric).where(metric.c.run_id == row["id"]).order_by(metric.c.position))
            stages = connection.execute(select(stage).where(stage.c.run_id == row["id"]).order_by(stage.c.position))
            lost = connection.execute(select(loss.c.shares).where(loss.c.run_id == row["id"])).scalar()
            return _record(row, metrics.mappings().all(), stages.mappings().all(), lost)

    def details(self, run_id: str) -> Details:
        """Return the per-question part of a run.

        Raises:
            NotFoundError: when its files are gone.
        """
        return read_details(file_of(self._folder, run_id))

    def table(
        self, metrics: Sequence[str], dataset: str | None = None, run_ids: Sequence[str] | None = None
    ) -> list[dict[str, Any]]:
        """Return one row a run, newest last, with mean, low, high and n of each of `metrics`, pivoted in SQL."""
        wide = _wide(metrics)
        query = (
            _runs().add_columns(*(c for c in wide.c if c.name != "run_id")).outerjoin(wide, wide.c.run_id == run.c.id)
        )
        query = query.order_by(run.c.number)
        if dataset is not None:
            query = query.where((run.c.dataset_name == dataset) | (run.c.dataset_version == dataset))
        parts = (
            [None]
            if run_ids is None
            else [run_ids[i : i + _KEYS_AT_ONCE] for i in range(0, len(run_ids), _KEYS_AT_ONCE)]
        )
        queries = [query if part is None else query.where(run.c.id.in_(part)) for part in parts]
        with self._db.reading() as connection:
            return [dict(row) for one in queries for row in connection.execute(one).mappings()]

    def values(self, run_id: str, metrics: Sequence[str]) -> tuple[tuple[str, ...], dict[str, DoubleArray]]:
        """Return the question ids of a run and its per-question values of those of `metrics` that it has.

        Raises:
            NotFoundError: when its files are gone.
        """
        return read_values(file_of(self._folder, run_id), metrics)

    def losses(self, run_ids: Sequence[str]) -> dict[str, LossesByCut]:
        """Return what each stage lost in these runs, for those in which that was measured."""
        found: dict[str, LossesByCut] = {}
        with self._db.reading() as connection:
            for at in range(0, len(run_ids), _KEYS_AT_ONCE):
                part = run_ids[at : at + _KEYS_AT_ONCE]
                for run_id, shares in connection.execute(select(loss).where(loss.c.run_id.in_(part))):
                    found[run_id] = _losses(shares)
        return found

    def metrics(self) -> tuple[Metric, ...]:
        """Return the declaration of every metric that any run has, in the order in which runs list them."""
        columns = (metric.c.name, metric.c.family, metric.c.higher_is_better, metric.c.unit)
        query = select(*columns).group_by(*columns).order_by(func.min(metric.c.position), metric.c.name)
        with self._db.reading() as connection:
            return tuple(Metric(*row) for row in connection.execute(query))

    def datasets(self) -> list[str]:
        """Return the names of the datasets that have runs."""
        query = select(run.c.dataset_name).distinct().order_by(run.c.dataset_name)
        with self._db.reading() as connection:
            return list(connection.execute(query).scalars())

    def remove(self, run_id: str) -> None:
        """Delete a run and its files; its configuration and its stages' outputs stay."""
        with self._db.writing() as connection:
            for child in (metric, stage, loss):
                connection.execute(delete(child).where(child.c.run_id == run_id))
            connection.execute(delete(run).where(run.c.id == run_id))
        self._remove_file(run_id)

    def _remove_file(self, run_id: str) -> None:
        """Remove the per-question part: a file, of runs of before a folder."""
        with suppress(OSError):
            file_of(self._folder, run_id).unlink()
        shutil.rmtree(self._folder / run_id, ignore_errors=True)

    def _absent(self, connection: Connection, reference: str) -> str:
        names = list(connection.execute(select(run.c.name).order_by(run.c.number.desc()).limit(200)).scalars())
        if not names:
            return f"There is no run '{shorten(reference)}': nothing was evaluated yet; start with 'rag-workbench run'."
        guess = did_you_mean(reference, names)
        return f"There is no run with the id or name '{shorten(reference)}'; 'rag-workbench runs' lists them.{guess}"


def _runs() -> Select[Any]:
    return select(
        *run.c,
        configuration.c.label.label("label"),
    ).join(configuration, configuration.c.fingerprint == run.c.configuration)


def _wide(names: Sequence[str]) -> Subquery:
    """Return the metrics with one row a run: four columns a name."""
    parts = ("mean", "low", "high", "n")
    columns = [
        func.max(case((metric.c.name == name, metric.c[part]))).label(f"{name} {part}")
        for name in names
        for part in parts
    ]
    return select(metric.c.run_id, *columns).where(metric.c.name.in_(names)).group_by(metric.c.run_id).subquery()


def _find(connection: Connection, reference: str) -> RowMapping | None:
    query = _runs().add_columns(configuration.c.settings)
    for condition in (run.c.id == reference, run.c.name == reference):
        row = connection.execute(query.where(condition).order_by(run.c.number.desc()).limit(1)).mappings().first()
        if row is not None:
            return row
    if len(reference) < 4 or not reference.isalnum():
        return None
    rows = connection.execute(query.where(run.c.id.startswith(reference)).limit(2)).mappings().all()
    return rows[0] if len(rows) == 1 else None


def _add_parents(connection: Connection, records: Sequence[Run]) -> None:
    """Enter the dataset versions and configurations of `records` that are not there yet."""
    versions = {r.dataset_version: {"version": r.dataset_version, "first_seen": r.created} for r in reversed(records)}
    _add_missing(connection, dataset_version.c.version, versions)
    made = {r.configuration: {"fingerprint": r.configuration, "label": r.label} for r in reversed(records)}
    settings = {r.configuration: dict(r.settings) for r in reversed(records)}
    rows = {key: {**row, "settings": settings[key]} for key, row in made.items()}
    _add_missing(connection, configuration.c.fingerprint, rows)


def _add_missing(connection: Connection, key: Column[str], rows: Mapping[str, Mapping[str, Any]]) -> None:
    keys = list(rows)
    for at in range(0, len(keys), _KEYS_AT_ONCE):
        part = keys[at : at + _KEYS_AT_ONCE]
        known = set(connection.execute(select(key).where(key.in_(part))).scalars())
        new = [dict(rows[one]) for one in part if one not in known]
        if new:
            connection.execute(key.table.insert(), new)


def _run_row(record: Run) -> dict[str, Any]:
    same = (
        "id", "name", "dataset_name", "dataset_path", "dataset_version", "configuration", "split", "n_questions",
        "n_documents", "n_chunks", "seed", "seconds", "created", "identity",
    )  # fmt: skip
    values = {name: getattr(record, name) for name in same}
    made = record.versions
    rest = {"code_version": made.code, "libraries": dict(made.libraries), "machine": made.machine}
    return {**values, **rest, "notes": list(record.notes)}


def _metric_row(run_id: str, position: int, measured: Measured) -> dict[str, Any]:
    m = measured.metric
    declared = {"name": m.name, "family": m.family, "unit": m.unit, "higher_is_better": m.higher_is_better}
    numbers = {"mean": measured.mean, "low": measured.low, "high": measured.high, "n": measured.n}
    rest = {"unscored": measured.unscored, "reason": measured.reason}
    return {"run_id": run_id, "position": position, **declared, **numbers, **rest}


def _stage_row(run_id: str, position: int, name: str, report: StageReport) -> dict[str, Any]:
    cost = {"seconds": report.seconds, "seconds_computed": report.seconds_computed, "found": report.found}
    return {"run_id": run_id, "stage": name, "position": position, **cost}


def _loss_row(run_id: str, losses: LossesByCut) -> dict[str, Any]:
    shares = {cut: {name: _plain(lost) for name, lost in row.items()} for cut, row in losses.items()}
    return {"run_id": run_id, "shares": shares}


def _plain(lost: Lost) -> list[float | int | None]:
    return [lost.mean, lost.low, lost.high, lost.n]


def _losses(shares: Mapping[str, Mapping[str, Sequence[Any]]]) -> LossesByCut:
    return {cut: {name: Lost(*values) for name, values in row.items()} for cut, row in shares.items()}


def _record(
    row: RowMapping, metrics: Sequence[RowMapping], stages: Sequence[RowMapping], shares: Mapping[str, Any] | None
) -> Run:
    return Run(
        **{name: row[name] for name in Run.__dataclass_fields__ if name in row and name not in ("notes",)},
        versions=Versions(row["code_version"], row["libraries"], row["machine"]),
        notes=tuple(row["notes"]),
        metrics=tuple(_measured(m) for m in metrics),
        stages={s["stage"]: StageReport(s["seconds"], s["seconds_computed"], s["found"]) for s in stages},
        losses=None if shares is None else _losses(shares),
    )


def _measured(row: Mapping[Any, Any]) -> Measured:
    declared = Metric(row["name"], row["family"], row["higher_is_better"], row["unit"])
    return Measured(declared, *(row[name] for name in ("mean", "low", "high", "n", "unscored", "reason")))
