"""The verbs of finetuning; `api` offers them beside its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pipelines.errors import shorten
from pipelines.finetune.estimate import estimated
from pipelines.finetune.export import exported
from pipelines.finetune.preview import first_pairs
from pipelines.finetune.records import FinetuneEstimate, FinetuneView, Finetuning
from pipelines.finetune.spec import FinetuneSpec
from pipelines.finetune.store import FinetuneStore
from pipelines.finetune.submit import FINETUNE, check_curve, check_finetune, submit_finetune
from pipelines.golden.dataset import Dataset
from pipelines.pipeline import parse_settings
from pipelines.records.pairs import TrainingPairs
from pipelines.runs import spawn
from pipelines.runs.curves import Curves
from pipelines.runs.jobs import Job
from pipelines.settings import home
from pipelines.sweeps.rates import Rates
from pipelines.training.strikes import Strike, write_strikes
from pipelines.training.strikes import read_strikes as strikes_in
from pipelines.verbs.datasets import open_dataset
from pipelines.verbs.home import cache, database, jobs, store

__all__ = ["FINETUNE", "Strike"]


def read_finetune(filename: str, content: bytes) -> FinetuneSpec:
    """Read an uploaded YAML or JSON file; its name serves the messages alone and is never taken for a path.

    Raises:
        ConfigurationError: when it cannot be read as a finetuning.
    """
    name = shorten(filename)
    return FinetuneSpec.parse(parse_settings(content, name, json_text=filename.lower().endswith(".json")), name)


def finetune(spec: FinetuneSpec, dataset: Dataset, *, name: str | None = None, again: bool = True) -> Job:
    """Have a worker process train, evaluate before and after, and report; asked for twice at a time it is one job.

    With `again` false a finished one counts too. The work can be watched, paused, resumed and cancelled like any job.

    Raises:
        WorkbenchError: for what could not be carried out: no test questions, nothing to learn from, no such device.
    """
    return _begun(submit_finetune(database(), spec, dataset, _outside(spec), name=name, again=again))


def learning_curve(
    spec: FinetuneSpec,
    dataset: Dataset,
    *,
    shares: Sequence[float] = (0.25, 0.5, 0.75, 1.0),
    seeds: int = 1,
    name: str | None = None,
    again: bool = True,
) -> Job:
    """Have a worker train on shares of the train questions, drawn by `seeds` seeds each: is it worth labelling more?

    Raises:
        WorkbenchError: as `finetune` does, for several pipelines, and for shares that do not ascend within (0, 1].
    """
    check_curve(spec, shares, seeds)
    curve = {"shares": [float(share) for share in shares], "seeds": seeds}
    return _begun(submit_finetune(database(), spec, dataset, None, name=name, again=again, curve=curve))


def _outside(spec: FinetuneSpec) -> Dataset | None:
    return open_dataset(spec.outside) if spec.outside else None


def _begun(job: Job) -> Job:
    if job.state == "paused":
        job = jobs().resume(job.id)
    if job.active:
        spawn.ensure_worker()
    return job


def finetune_estimate(spec: FinetuneSpec, dataset: Dataset) -> FinetuneEstimate:
    """Return what a finetuning would learn from and cost, training nothing; the documents are read and cut.

    Raises:
        WorkbenchError: for what would be refused when it is submitted.
    """
    outside = _outside(spec)
    check_finetune(spec, dataset, outside)
    return estimated(spec, dataset, outside, cache(), store(), Rates(database()).seconds_a_unit())


def training_pairs(settings: Mapping[str, Any], dataset: Dataset) -> TrainingPairs:
    """Return the pairs and hard negatives that a pipeline's first trained component learns from, for a person to read.

    `settings` are those of a pipeline, or of a spec (of several pipelines the first that learns). What was struck out
    is left out. The base model embeds what it did not embed before: seconds to minutes.

    Raises:
        WorkbenchError: when nothing in it is trained, or the documents cannot be read.
    """
    return first_pairs(FinetuneSpec.parse(settings, "the pipeline"), dataset, cache())


def strikes_file(dataset: Dataset) -> Path:
    """Return where what a person strikes out of this dataset's pairs is kept: what the knob `strikes` should name."""
    return home() / "finetune" / "strikes" / f"{dataset.path.resolve().name}.jsonl"


def read_strikes(dataset: Dataset) -> tuple[Strike, ...]:
    """Return what was struck out of this dataset's pairs; nothing where there is no such file yet.

    Raises:
        DatasetError: when the file is there and is none of strikes.
    """
    return strikes_in(strikes_file(dataset))


def save_strikes(dataset: Dataset, strikes: Iterable[Strike]) -> Path:
    """Keep what is struck out in place of what was before, and return the file.

    Raises:
        StorageError: when it cannot be written.
    """
    write_strikes(strikes_file(dataset), strikes)
    return strikes_file(dataset)


def finetunings(limit: int = 100) -> list[FinetuneView]:
    """Return the finetunings and learning curves, newest first, without the curves of their trainings."""
    return [FinetuneView(one, jobs().get(one.job_id)) for one in FinetuneStore(database()).all(limit)]


def finetuning(reference: str) -> FinetuneView:
    """Return a finetuning by id, name, the beginning of its id, or its job's id.

    Raises:
        NotFoundError: when there is none.
    """
    return _view(FinetuneStore(database()).get(reference))


def finetuning_of_job(job_id: str) -> FinetuneView | None:
    """Return the finetuning that a job does; None for a job of another kind."""
    found = FinetuneStore(database()).of_job(job_id)
    return None if found is None else _view(found)


def _view(one: Finetuning) -> FinetuneView:
    named = one.trainings or {}
    points = training_curves(list(named))
    return FinetuneView(one, jobs().get(one.job_id), {named[key]: found for key, found in points.items()})


def finetuning_json(view: FinetuneView) -> dict[str, Any]:
    """Return a finetuning as `--json` prints it: what was asked, the runs, the curves, and the report."""
    one, runs = view.finetuning, store()
    report = one.report or {}
    ids = [run_id for c in report.get("candidates", ()) for both in c["runs"].values() for run_id in both]
    ids += [run_id for point in report.get("points", ()) for run_id in point["runs"]]
    return {
        "finetuning": one.id,
        "name": one.name,
        "dataset": {"name": one.dataset_name, "version": one.dataset_version},
        "split": one.split,
        "state": view.state,
        "settings": dict(one.settings),
        "curves": {label: list(points) for label, points in view.curves.items()},
        "runs": [runs.get(run_id).to_dict() for run_id in dict.fromkeys(ids)],
        "report": None if one.report is None else dict(one.report),
    }


def training_curves(keys: Sequence[str]) -> Mapping[str, list[Mapping[str, Any]]]:
    """Return the points of these trainings, by key, in their order, those that have any."""
    found = Curves(database()).of(keys)
    return {key: [*found[key]] for key in keys if key in found}


def export_model(reference: str, to: Path, label: str | None = None) -> list[Path]:
    """Write the trained models of a run, or of a finetuning's chosen configuration (or that called `label`).

    Returns the folders: `to` itself, or `to`/embed and `to`/rerank where both were trained.

    Raises:
        NotFoundError: when there is no such run or finetuning, or what was trained is gone.
        StorageError: when the folder cannot be written.
    """
    return exported(reference, to, label, FinetuneStore(database()), store(), cache())
