"""Ask for a sweep: everything is checked first, then it is entered in the job table, once."""

from __future__ import annotations

import time

from pipelines.component import digest
from pipelines.errors import ConfigurationError
from pipelines.golden.dataset import Dataset
from pipelines.records import Metric
from pipelines.runs.database import Database
from pipelines.runs.jobs import Job, Jobs
from pipelines.runs.record import ALL_QUESTIONS
from pipelines.runs.versions import versions
from pipelines.sweeps.racing import check_raceable
from pipelines.sweeps.spec import SweepSpec
from pipelines.sweeps.trials import Sweep, SweepStore, new_id

SWEEP = "sweep"
MOST_WORKERS = 64
_ONE_A_RUN = ("latency_ms", "usd")


def default_split(dataset: Dataset) -> str | None:
    """Return the split to choose on: dev where there are such questions, else None, all of them."""
    return "dev" if any(question.split == "dev" for question in dataset.questions) else None


def check_sweep(spec: SweepSpec, dataset: Dataset, split: str | None, workers: int) -> None:
    """Refuse what could not be carried out.

    Raises:
        WorkbenchError: for a split without questions, objectives that are not measured, a race that cannot be run.
    """
    dataset.select(split)
    if not 1 <= workers <= MOST_WORKERS:
        raise ConfigurationError(f"The number of workers must be 1 to {MOST_WORKERS}, but got {workers}.")
    first = spec.objectives[0]
    if first.family in _ONE_A_RUN:
        raise ConfigurationError(
            f"The first objective is {first.metric}, which is one number a run; name a metric first that each question "
            f"has a value of, such as ndcg@10 or recall@5, and {first.metric} after it."
        )
    if spec.search.race is not None:
        check_raceable(Metric(first.metric, first.family, first.higher_is_better, first.unit))


def submit_sweep(
    database: Database,
    spec: SweepSpec,
    dataset: Dataset,
    *,
    split: str | None,
    name: str | None = None,
    workers: int = 1,
    again: bool = True,
) -> Job:
    """Enter the sweep, or return the job that already waits, runs or is paused for the same thing.

    With `again` false a finished one counts too.

    Raises:
        WorkbenchError: for what `check_sweep` refuses.
    """
    check_sweep(spec, dataset, split, workers)
    title = name or f"{spec.search.strategy} sweep"
    payload = {
        "dataset": str(dataset.path.resolve()),
        "version": dataset.version,
        "sweep": spec.settings(),
        "split": split,
        "name": name,
        "workers": workers,
    }
    identity = digest([{k: v for k, v in payload.items() if k != "workers"}, versions().code])
    shown = f"{title} on {dataset.name} ({split or ALL_QUESTIONS})"
    job = Jobs(database).submit(SWEEP, identity, shown, payload, again=again)
    sweep_of(database, job, spec, dataset)
    return job


def sweep_of(database: Database, job: Job, spec: SweepSpec, dataset: Dataset) -> Sweep:
    """Return the sweep of a job; it is entered now, should its submitter have died before it could."""
    return SweepStore(database).once(
        Sweep(
            id=new_id(),
            name=job.payload["name"] or f"{spec.search.strategy} sweep",
            job_id=job.id,
            dataset_name=dataset.name,
            dataset_path=str(dataset.path.resolve()),
            dataset_version=dataset.version,
            split=job.payload["split"] or ALL_QUESTIONS,
            settings=spec.settings(),
            workers=int(job.payload["workers"]),
            created=time.time(),
        )
    )
