"""The verbs of finetuning; `api` offers them beside its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipelines.errors import shorten
from pipelines.finetune.records import FinetuneEstimate, FinetuneView
from pipelines.finetune.spec import FinetuneSpec
from pipelines.golden.dataset import Dataset
from pipelines.pipeline import parse_settings
from pipelines.records.pairs import TrainingPairs
from pipelines.runs.jobs import Job

FINETUNE = "finetune"


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
        WorkbenchError: for what could not be carried out: no test questions, too few pairs, a spec that trains on test.
    """
    raise NotImplementedError


def finetune_estimate(spec: FinetuneSpec, dataset: Dataset) -> FinetuneEstimate:
    """Return what a finetuning would learn from and cost, training nothing; the documents are read and cut.

    Raises:
        WorkbenchError: for what would be refused when it is submitted.
    """
    raise NotImplementedError


def training_pairs(settings: Mapping[str, Any], dataset: Dataset) -> TrainingPairs:
    """Return the pairs and hard negatives that a pipeline's first trained component learns from, for a person to read.

    `settings` are those of a pipeline (or `FinetuneSpec.settings()`), with what was struck out left out. The base
    model embeds what it did not embed before: seconds to minutes.

    Raises:
        WorkbenchError: when nothing in it is trained, or the documents cannot be read.
    """
    raise NotImplementedError


def strikes_file(dataset: Dataset) -> Path:
    """Return where what a person strikes out of this dataset's pairs is kept: the value of the knob `strikes`."""
    raise NotImplementedError


def read_strikes(dataset: Dataset) -> list[dict[str, Any]]:
    """Return what was struck out: one mapping a pair or negative; none where there is no such file yet."""
    raise NotImplementedError


def save_strikes(dataset: Dataset, strikes: Sequence[Mapping[str, Any]]) -> Path:
    """Keep what is struck out in place of what was before, and return the file.

    Raises:
        StorageError: when it cannot be written.
    """
    raise NotImplementedError


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
        WorkbenchError: as `finetune` does, and for shares that are not ascending within (0, 1].
    """
    raise NotImplementedError


def finetunings(limit: int = 100) -> list[FinetuneView]:
    """Return the finetunings and learning curves, newest first, without their curves of loss."""
    raise NotImplementedError


def finetuning(reference: str) -> FinetuneView:
    """Return a finetuning by id, name, the beginning of its id, or its job's id.

    Raises:
        NotFoundError: when there is none.
    """
    raise NotImplementedError


def finetuning_of_job(job_id: str) -> FinetuneView | None:
    """Return the finetuning that a job does; None for a job of another kind."""
    raise NotImplementedError


def training_curves(keys: Sequence[str]) -> Mapping[str, list[Mapping[str, Any]]]:
    """Return the points of these trainings, by key, those that have any."""
    raise NotImplementedError


def export_model(reference: str, to: Path, label: str | None = None) -> list[Path]:
    """Write the trained models of a run, or of a finetuning's chosen configuration (or that called `label`).

    Returns the folders: `to` itself, or `to`/embed and `to`/rerank where both were trained.

    Raises:
        NotFoundError: when there is no such run or finetuning, or what was trained is gone.
        StorageError: when the folder cannot be written.
    """
    raise NotImplementedError
