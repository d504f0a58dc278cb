"""Base models side by side, before one of them is trained: asked for, kept as a file while it is done, and read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipelines.aside import aside_name, remove_left
from pipelines.component import digest
from pipelines.errors import ConfigurationError, NotFoundError, counted, shorten, storage_errors
from pipelines.finetune.base_columns import ModelColumn, columns
from pipelines.finetune.base_names import Reference, named, weights_of
from pipelines.golden.dataset import Dataset
from pipelines.pipeline import Pipeline
from pipelines.runs.jobs import Job, Jobs
from pipelines.runs.table import rows_to_csv
from pipelines.runs.versions import versions
from pipelines.settings import home

MODELS = "models"
QUALITY = ("recall@5", "ndcg@10")
Row = Mapping[str, Any]
"""A model's figures by column; None where `row["reasons"]` says by column why."""


@dataclass(frozen=True)
class ModelsView:
    """A comparison of base models as it stands: a row for each model that is done, in the order they were named.

    Every row has every column; the first that could be evaluated is what the others' differences are to.
    """

    job: Job
    columns: tuple[ModelColumn, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()

    @property
    def state(self) -> str:
        """How the job stands: queued, running, paused, finished, failed, cancelled."""
        return self.job.state

    @property
    def labels(self) -> tuple[str, ...]:
        """What the models are called, also those that are not done."""
        return tuple(one["label"] for one in self.job.payload["models"])

    def to_dict(self) -> dict[str, Any]:
        """Return the form that `--json` prints."""
        asked = self.job.payload
        dataset = {"name": asked["dataset_name"], "version": asked["version"]}
        return {
            "job": self.job.id,
            "state": self.state,
            "dataset": dataset,
            "split": asked["split"],
            "pipeline": asked["pipeline"],
            "columns": [asdict(column) for column in self.columns],
            "rows": [dict(row) for row in self.rows],
            "notes": list(self.notes),
        }

    def to_csv(self) -> str:
        """Return the table in full precision."""
        return rows_to_csv([column.name for column in self.columns], self.rows)


def submit_models(
    jobs: Jobs,
    models: Sequence[Reference],
    dataset: Dataset,
    pipeline: Mapping[str, Any],
    *,
    split: str | None,
    metrics: Sequence[str],
    again: bool,
) -> Job:
    """Enter the comparison, or return the job that already waits, runs or is paused for the same thing.

    With `again` false a finished one counts too.

    Raises:
        WorkbenchError: for no models at all, a split without questions, or a pipeline that uses no vectors.
    """
    dataset.select(split)
    stages = {name: value for name, value in pipeline.items() if name != "embed"}
    rest = Pipeline.parse({"retrieve": "dense", **stages}, "the pipeline")
    if not (rest.retrieve.needs_vectors or rest.rerank.needs_vectors):
        raise ConfigurationError(
            f"The retriever '{rest.retrieve.name}' uses no vectors, so that every model would do alike; choose dense."
        )
    asked = named(models)
    payload = {
        "dataset": str(dataset.path.resolve()),
        "dataset_name": dataset.name,
        "version": dataset.version,
        "models": [asdict(one) for one in asked],
        "pipeline": {name: value for name, value in rest.settings().items() if name != "embed"},
        "split": split,
        "metrics": list(metrics),
    }
    title = f"{counted(len(asked), 'base model')} on {dataset.name}" + (f" ({split})" if split else "")
    identity = digest([payload, [dict(weights_of(one)) for one in asked], versions().code])
    return jobs.submit(MODELS, identity, title, payload, again=again)


def read_models(job: Job) -> ModelsView:
    """Return a comparison as it stands.

    Raises:
        NotFoundError: for a job of another kind.
    """
    if job.kind != MODELS:
        raise NotFoundError(f"The job '{shorten(job.title)}' compares no base models; name one that does.")
    kept = read_rows(job.id)
    return ModelsView(job, columns(job.payload["metrics"]), tuple(kept.get("rows", ())), tuple(kept.get("notes", ())))


def rows_file(job_id: str) -> Path:
    """Return where the rows of a comparison are kept."""
    return home() / "models" / f"{job_id}.json"


def read_rows(job_id: str) -> Mapping[str, Any]:
    """Return what is kept of a comparison; nothing before its first row."""
    try:
        found = json.loads(rows_file(job_id).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def write_rows(job_id: str, rows: Sequence[Row], notes: Sequence[str]) -> None:
    """Keep rows in place of those before.

    Raises:
        StorageError: when the disk refuses.
    """
    file = rows_file(job_id)
    with storage_errors(file.parent, "keep the comparison of models"):
        file.parent.mkdir(parents=True, exist_ok=True)
        remove_left(file.parent, "*.json.*")
        aside = file.parent / aside_name(file.name)
        aside.write_text(json.dumps({"rows": rows, "notes": notes}, allow_nan=False), encoding="utf-8")
        aside.replace(file)
