"""The verbs of sweeps; `api` offers them beside its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from pipelines.errors import shorten
from pipelines.golden.dataset import Dataset
from pipelines.pipeline import parse_settings
from pipelines.runs import spawn
from pipelines.runs.jobs import Job
from pipelines.runs.schema import trial as trial_table
from pipelines.runs.table import Table
from pipelines.sweeps.batch import On
from pipelines.sweeps.estimate import Estimate, estimate
from pipelines.sweeps.objectives import metrics_computed
from pipelines.sweeps.rates import Rates
from pipelines.sweeps.search import DEFAULT_TRIALS
from pipelines.sweeps.space import Space
from pipelines.sweeps.spec import SweepSpec
from pipelines.sweeps.strategies import strategy
from pipelines.sweeps.submit import SWEEP, check_sweep, default_split, submit_sweep
from pipelines.sweeps.table import trials_table
from pipelines.sweeps.telling import write_study as study_written
from pipelines.sweeps.trials import Sweep, SweepStore, Trial
from pipelines.verbs.home import cache, database, jobs, store

__all__ = [
    "DEFAULT_TRIALS", "SWEEP", "Estimate", "Sweep", "SweepListed", "SweepSpec", "SweepView", "Trial", "check_sweep",
    "default_split",
]  # fmt: skip


@dataclass(frozen=True)
class SweepView:
    """A sweep as it stands: with its job, and how many of its configurations are in which state."""

    sweep: Sweep
    job: Job
    trials: tuple[Trial, ...]

    @property
    def counts(self) -> Mapping[str, int]:
        """Return the number of trials by state, those that occur."""
        states = [trial.state for trial in self.trials]
        return {state: states.count(state) for state in dict.fromkeys(states)}


@dataclass(frozen=True)
class SweepListed:
    """A sweep in a list: with its job, and the number of its configurations by state, those that occur."""

    sweep: Sweep
    job: Job
    counts: Mapping[str, int]


def read_sweep(filename: str, content: bytes) -> SweepSpec:
    """Read an uploaded YAML or JSON file; its name serves the messages alone and is never taken for a path.

    Raises:
        ConfigurationError: when it cannot be read as a sweep.
    """
    name = shorten(filename)
    return SweepSpec.parse(parse_settings(content, name, json_text=filename.lower().endswith(".json")), name)


def measured_metrics(stages: Mapping[str, Any], where: str = "sweep") -> tuple[str, ...]:
    """Return the metrics that every configuration of these stages has: what a sweep may improve.

    Raises:
        ConfigurationError: when the stages are no search space.
    """
    return metrics_computed(Space.parse(stages, where))


def preflight(spec: SweepSpec, dataset: Dataset, *, split: str | None = None, workers: int = 1) -> Estimate:
    """Return what a sweep would cost, doing none of it; a sampler's proposals are stood for by a random draw.

    Raises:
        WorkbenchError: for what would be refused when it is submitted.
    """
    check_sweep(spec, dataset, split, workers)
    configurations = _expected(spec)
    sampled = spec.search.strategy in ("tpe", "nsga2")
    pace = Rates(database()).seconds_a_unit()
    on = On(dataset, split, spec.search.seed)
    return estimate(configurations, on, cache(), store(), pace, sampled=sampled, workers=workers)


def _expected(spec: SweepSpec) -> list[Mapping[str, Any]]:
    if spec.search.strategy == "grid":
        return [choice.settings for choice in spec.space.configurations()]
    search = spec.search.model_copy(update={"strategy": "random", "batch": None})
    proposals = strategy(SweepSpec(spec.space, search)).propose([])
    return [one.choice.settings for one in islice(proposals, spec.search.n_trials) if not one.refused]


def run_sweep(
    spec: SweepSpec,
    dataset: Dataset,
    *,
    split: str | None = None,
    name: str | None = None,
    workers: int = 1,
    again: bool = True,
) -> Job:
    """Have worker processes do a sweep; asked for twice at a time it is one job, and a paused one goes on."""
    job = submit_sweep(database(), spec, dataset, split=split, name=name, workers=workers, again=again)
    if job.state == "paused":
        job = jobs().resume(job.id)
    if job.active:
        spawn.ensure_worker(workers)
    return job


def sweeps(limit: int = 50) -> list[SweepView]:
    """Return the sweeps, newest first."""
    return [_view(one) for one in SweepStore(database()).all(limit)]


def sweeps_listed(limit: int = 100) -> list[SweepListed]:
    """Return the sweeps, newest first, without their configurations: these are only counted."""
    opened = database()
    found = SweepStore(opened).all(limit)
    counts: dict[str, dict[str, int]] = {}
    with opened.reading() as connection:
        query = select(trial_table.c.sweep_id, trial_table.c.state, func.count())
        for sweep_id, state, n in connection.execute(query.group_by(trial_table.c.sweep_id, trial_table.c.state)):
            counts.setdefault(sweep_id, {})[state] = n
    return [SweepListed(one, jobs().get(one.job_id), counts.get(one.id, {})) for one in found]


def sweep(reference: str) -> SweepView:
    """Return a sweep by id, name or the beginning of its id.

    Raises:
        NotFoundError: when there is none.
    """
    return _view(SweepStore(database()).get(reference))


def sweep_of_job(job_id: str) -> SweepView | None:
    """Return the sweep that a job does; None for a job of another kind, or one that was not begun."""
    found = SweepStore(database()).of_job(job_id)
    return None if found is None else _view(found)


def _view(one: Sweep) -> SweepView:
    return SweepView(one, jobs().get(one.job_id), tuple(SweepStore(database()).trials(one.id)))


def sweep_table(view: SweepView, metrics: Sequence[str] = ()) -> Table:
    """Return one row a configuration: what varies, its state, objectives, costs, where it stands, and its run."""
    return trials_table(view.sweep, view.trials, store(), metrics)


def sweep_json(view: SweepView) -> dict[str, Any]:
    """Return a sweep as `--json` prints it: what was asked, every configuration, the runs, and the report."""
    one, runs = view.sweep, store()
    shown = ("number", "batch", "label", "params", "state", "run_id", "n_questions", "reason")
    run_ids = dict.fromkeys(trial.run_id for trial in view.trials if trial.run_id)
    return {
        "sweep": one.id,
        "name": one.name,
        "dataset": {"name": one.dataset_name, "version": one.dataset_version},
        "split": one.split,
        "state": view.job.state,
        "settings": dict(one.settings),
        "counts": dict(view.counts),
        "trials": [{name: getattr(trial, name) for name in shown} for trial in view.trials],
        "runs": [runs.get(run_id).to_dict() for run_id in run_ids],
        "report": None if one.report is None else dict(one.report),
    }


def write_study(reference: str, path: Path) -> Path:
    """Write the study of a sweep to a file that Optuna's dashboard opens.

    Raises:
        NotFoundError: when there is no such sweep.
        StorageError: when the file cannot be written.
    """
    view = sweep(reference)
    spec = SweepSpec.parse(view.sweep.settings, "the stored sweep")
    return study_written(view.sweep, view.trials, spec, store(), path)
