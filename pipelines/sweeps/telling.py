"""What became of a sweep's trials, as a strategy is told it, and as Optuna's dashboard shows it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from pipelines.errors import ConfigurationError
from pipelines.runs.store import RunStore
from pipelines.settings import home
from pipelines.sweeps.spec import SweepSpec
from pipelines.sweeps.study import StudyTrial, export_study
from pipelines.sweeps.told import State, Told
from pipelines.sweeps.trials import Sweep, Trial


def told_of(trials: Sequence[Trial], spec: SweepSpec, runs: RunStore) -> list[Told]:
    """Return what is known of the trials that have ended: the mean of each objective, None where there is none."""
    ended = [trial for trial in trials if trial.state != "waiting"]
    names = [objective.metric for objective in spec.objectives]
    means = {row["id"]: row for row in runs.table(names, run_ids=[t.run_id for t in ended if t.run_id])}
    return [
        Told(
            trial.number, trial.drawn, tuple(means.get(trial.run_id, {}).get(f"{n} mean") for n in names), _state(trial)
        )
        for trial in ended
    ]


def _state(trial: Trial) -> State:
    return "dropped" if trial.state == "dropped" else "failed" if trial.state == "failed" else "finished"


def study_file(sweep_id: str) -> Path:
    """Return where the study of a sweep lies, for Optuna's dashboard."""
    return home() / "studies" / f"{sweep_id}.log"


def write_study(
    sweep: Sweep, trials: Sequence[Trial], spec: SweepSpec, runs: RunStore, path: Path | None = None
) -> Path:
    """Write the study as it stands, and return its file.

    Raises:
        StorageError: when the disk refuses.
    """
    told = {one.number: one for one in told_of(trials, spec, runs)}
    study = [
        StudyTrial(
            told.get(trial.number, Told(trial.number, trial.drawn)),
            {"run": trial.run_id, "label": trial.label, "split": sweep.split},
            started=trial.created,
            ended=None if trial.state == "waiting" else time.time(),
            waiting=trial.state == "waiting",
        )
        for trial in trials
    ]
    file = path or study_file(sweep.id)
    _refuse_foreign(file)
    export_study(file, spec, study, sweep.name)
    return file


def _refuse_foreign(file: Path) -> None:
    """Refuse to write over what is no study."""
    if file.is_dir() or (file.exists() and file.stat().st_size and b'"op_code"' not in file.read_bytes()[:200]):
        raise ConfigurationError(f"{file} is there already and is no study; name a file that is not there yet.")
