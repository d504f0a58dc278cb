"""Ask for a finetuning or a learning curve: everything is checked first, then it is entered in the job table, once."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from pipelines.component import digest
from pipelines.errors import ConfigurationError, DatasetError, counted, shorten
from pipelines.finetune.records import Finetuning
from pipelines.finetune.spec import FinetuneSpec
from pipelines.finetune.store import FinetuneStore, new_id
from pipelines.golden.dataset import Dataset
from pipelines.runs.database import Database
from pipelines.runs.jobs import Job, Jobs
from pipelines.runs.versions import versions
from pipelines.training.methods import FEWEST_PAIRS

FINETUNE = "finetune"
MOST_SEEDS = 20
Curve = Mapping[str, Any]
"""What a learning curve is asked for with: `shares`, and how many `seeds`."""


def check_finetune(spec: FinetuneSpec, dataset: Dataset, outside: Dataset | None = None) -> None:
    """Refuse what could not be carried out.

    Raises:
        WorkbenchError: for a split without questions, too few questions to learn from, a dataset `outside` that is the
            same, or a component that cannot work here.
    """
    n = sum(question.split == "train" and question.answerable for question in dataset.questions)
    if n == 0:
        raise DatasetError(
            f"Dataset '{shorten(dataset.name)}' has no train question with evidence, of which {FEWEST_PAIRS} are the "
            "least that is trained on; mark questions as train, and others as dev and test."
        )
    _check_reported(spec.split, dataset)
    if outside is not None and outside.documents_version == dataset.documents_version:
        raise ConfigurationError(
            f"finetune.outside is '{shorten(outside.name)}', which holds the documents that are trained on: nothing "
            "can be forgotten there; name a dataset of another domain, or leave it out."
        )
    if outside is not None and not any(question.answerable for question in outside.questions):
        raise DatasetError(
            f"The dataset outside, '{shorten(outside.name)}', has no question with evidence; name another one."
        )
    for one in spec.candidates:
        for component in one.pipeline.components.values():
            component.fingerprint()


def _check_reported(split: str, dataset: Dataset) -> None:
    there = sum(question.split == split and question.answerable for question in dataset.questions)
    if there:
        return
    raise DatasetError(
        f"Dataset '{shorten(dataset.name)}' has no {split} question with evidence, so that no gain could be shown; "
        f"mark some of its {counted(len(dataset.questions), 'question')} as {split}, or report on another split."
    )


def check_curve(spec: FinetuneSpec, shares: Sequence[float], seeds: int) -> None:
    """Refuse what no curve can be drawn of.

    Raises:
        ConfigurationError: naming what is allowed.
    """
    if not shares or list(shares) != sorted(set(shares)) or not 0 < shares[0] or not shares[-1] <= 1:
        raise ConfigurationError(
            f"The shares of a learning curve ascend, above 0 and up to 1, such as 0.25,0.5,0.75,1, but got "
            f"{shorten(', '.join(f'{share:g}' for share in shares) or 'none')}."
        )
    if len(spec.candidates) > 1:
        raise ConfigurationError(
            f"A learning curve is of one pipeline, but {len(spec.candidates)} are named; leave one of them in the file."
        )
    if not 1 <= seeds <= MOST_SEEDS:
        raise ConfigurationError(f"A learning curve takes 1 to {MOST_SEEDS} seeds, but got {seeds}.")


def submit_finetune(
    database: Database,
    spec: FinetuneSpec,
    dataset: Dataset,
    outside: Dataset | None,
    *,
    name: str | None = None,
    again: bool = True,
    curve: Curve | None = None,
) -> Job:
    """Enter the work, or return the job that already waits, runs or is paused for the same thing.

    With `again` false a finished one counts too.

    Raises:
        WorkbenchError: for what `check_finetune` refuses.
    """
    check_finetune(spec, dataset, outside)
    payload = {
        "dataset": str(dataset.path.resolve()),
        "version": dataset.version,
        "spec": spec.settings(),
        "outside": None if outside is None else {"path": str(outside.path.resolve()), "version": outside.version},
        "name": name,
        "curve": None if curve is None else dict(curve),
    }
    fingerprints = [[c.fingerprint() for c in one.pipeline.components.values()] for one in spec.candidates]
    identity = digest([payload, fingerprints, versions().code])
    job = Jobs(database).submit(FINETUNE, identity, f"{_name(payload)} on {dataset.name}", payload, again=again)
    finetuning_of(database, job, spec, dataset)
    return job


def _name(payload: Mapping[str, Any]) -> str:
    return str(payload["name"] or ("learning curve" if payload["curve"] else "finetuning"))


def finetuning_of(database: Database, job: Job, spec: FinetuneSpec, dataset: Dataset) -> Finetuning:
    """Return the finetuning of a job; it is entered now, should its submitter have died before it could."""
    return FinetuneStore(database).once(
        Finetuning(
            id=new_id(),
            name=_name(job.payload),
            job_id=job.id,
            dataset_name=dataset.name,
            dataset_path=str(dataset.path.resolve()),
            dataset_version=dataset.version,
            split=spec.split,
            settings=spec.settings(),
            created=time.time(),
        )
    )
