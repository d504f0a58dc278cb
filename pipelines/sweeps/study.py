"""A sweep as a study that Optuna's dashboard opens: a journal file, written whole from the sweep's trials."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from pipelines.errors import storage_errors
from pipelines.sweeps.domains import Cell, Domain, Drawn, Interval, cell
from pipelines.sweeps.quiet import quiet
from pipelines.sweeps.spec import SweepSpec
from pipelines.sweeps.told import Told

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial

_WORKER = "rag-workbench"


@dataclass(frozen=True)
class StudyTrial:
    """A trial as the dashboard shows it; `attributes` are plain, such as run id, label, split, or why it was dropped.

    `started` and `ended` are in seconds since 1970. `waiting` trials are shown as such.
    """

    told: Told
    attributes: Mapping[str, Cell] = field(default_factory=dict)
    started: float | None = None
    ended: float | None = None
    waiting: bool = False


def export_study(path: Path, spec: SweepSpec, trials: Sequence[StudyTrial], name: str = "sweep") -> None:
    """Write the study to a journal file, aside and then renamed; equal trials give equal bytes.

    Raises:
        StorageError: when the disk refuses.
    """
    with quiet():
        lines = _journal(spec, sorted(trials, key=lambda one: one.told.number), name)
    aside = path.with_name(f"{path.name}.{uuid4().hex[:8]}")
    with storage_errors(path, "write the study for Optuna's dashboard"):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with aside.open("w", encoding="utf-8") as file:
                file.writelines(lines)
                file.flush()
                os.fsync(file.fileno())
            aside.replace(path)
        finally:
            aside.unlink(missing_ok=True)


def _journal(spec: SweepSpec, trials: Sequence[StudyTrial], name: str) -> list[str]:
    """Return the lines of Optuna's journal, one operation each.

    Its own file backend locks and syncs the file at every operation, 13 to 25 ms a trial: here they are gathered first.
    """
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import BaseJournalBackend

    class Gathered(BaseJournalBackend):
        def __init__(self) -> None:
            self.logs: list[dict[str, Any]] = []

        def read_logs(self, log_number_from: int) -> list[dict[str, Any]]:
            return self.logs[log_number_from:]

        def append_logs(self, logs: list[dict[str, Any]]) -> None:
            self.logs += logs

    gathered = Gathered()
    directions = [objective.direction for objective in spec.objectives]
    study = optuna.create_study(storage=JournalStorage(gathered), study_name=name, directions=directions)
    study.set_metric_names([objective.metric for objective in spec.objectives])
    study.set_user_attr("search", json.dumps(spec.search.settings()))
    study.add_trials([_frozen(spec, trial) for trial in trials])
    return [json.dumps({**log, "worker_id": _WORKER}, separators=(",", ":")) + "\n" for log in gathered.logs]


def _frozen(spec: SweepSpec, trial: StudyTrial) -> FrozenTrial:
    """Return the trial with the values of its knobs, in place of the positions that samplers draw."""
    from optuna.trial import TrialState, create_trial

    drawn = spec.space.decide(lambda name, _: trial.told.drawn[name]).drawn
    domains = {name: spec.space.domains[name] for name in drawn}
    values = None if trial.waiting else trial.told.known(len(spec.objectives))
    lost = TrialState.PRUNED if trial.told.state == "dropped" else TrialState.FAIL
    frozen = create_trial(
        state=TrialState.WAITING if trial.waiting else TrialState.COMPLETE if values else lost,
        values=values,
        params={name: _shown(domain, drawn[name]) for name, domain in domains.items()},
        distributions={name: _distribution(domain) for name, domain in domains.items()},
        user_attrs=dict(trial.attributes),
    )
    frozen.datetime_start = None if trial.waiting else _moment(trial.started)
    frozen.datetime_complete = None if trial.waiting else _moment(trial.ended or trial.started)
    return frozen


def _shown(domain: Domain, drawn: Drawn) -> Cell:
    return cell(domain.value(drawn))


def _distribution(domain: Domain) -> BaseDistribution:
    """Return what the dashboard's axes show: numbers on a scale, all else as categories."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(domain, Interval):
        return domain.distribution()
    if not domain.ordered:
        return CategoricalDistribution([cell(value) for value in domain.values])
    kind = IntDistribution if all(isinstance(value, int) for value in domain.values) else FloatDistribution
    return kind(domain.values[0], domain.values[-1])


def _moment(seconds: float | None) -> datetime:
    return datetime.fromtimestamp(seconds or 0.0, UTC)
