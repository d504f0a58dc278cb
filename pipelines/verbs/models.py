"""The verbs of base models: compare them before one is trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipelines.finetune.base_models import MODELS, QUALITY, ModelsView, read_models, submit_models
from pipelines.finetune.base_names import Reference
from pipelines.golden.dataset import Dataset
from pipelines.runs import spawn
from pipelines.runs.jobs import Job
from pipelines.verbs.home import jobs

DEFAULT_MODELS = ("minilm", "static")


def compare_models(
    models: Sequence[Reference],
    dataset: Dataset,
    *,
    pipeline: Mapping[str, Any] | None = None,
    split: str | None = "test",
    metrics: Sequence[str] = QUALITY,
    again: bool = True,
) -> Job:
    """Have a worker process evaluate and measure base models; asked for twice at a time it is one job.

    A model is a folder, a name of the hub, `minilm`, `static`, `static:FOLDER`, `endpoint:URL MODEL`, or the settings
    of an embed component. `pipeline` holds the other stages; without them, the defaults with dense retrieval over an
    exact index. One that cannot be compared has a row that says why; the others go on. `model_comparison` reads it.

    Raises:
        WorkbenchError: for no models at all, a split without questions, or a pipeline that uses no vectors.
    """
    asked = dict(pipeline or {})
    job = submit_models(jobs(), models, dataset, asked, split=split, metrics=metrics, again=again)
    if job.state == "paused":
        job = jobs().resume(job.id)
    if job.active:
        spawn.ensure_worker()
    return job


def model_comparison(job_id: str) -> ModelsView:
    """Return a comparison of base models as it stands: the rows that are done, and the columns' descriptions.

    Raises:
        NotFoundError: when there is no such job, or it compares no models.
    """
    return read_models(jobs().get(job_id))


def model_comparisons(limit: int = 20) -> list[ModelsView]:
    """Return the latest comparisons, newest first."""
    return [read_models(job) for job in jobs().recent(limit=10 * limit) if job.kind == MODELS][:limit]
