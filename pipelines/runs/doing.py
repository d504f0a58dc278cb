"""How a worker does a job that evaluates one pipeline."""

from __future__ import annotations

from pipelines.cache import Cache
from pipelines.errors import WorkbenchError
from pipelines.golden.dataset import Dataset
from pipelines.pipeline import Pipeline
from pipelines.runs.curves import Curves
from pipelines.runs.evaluate import evaluate
from pipelines.runs.heart import Heart
from pipelines.runs.jobs import Job
from pipelines.runs.store import RunStore
from pipelines.settings import cache_folder


def opened_as_submitted(path: str, version: str) -> Dataset:
    """Open the dataset of a job.

    Raises:
        WorkbenchError: when it was changed since the job was submitted.
    """
    dataset = Dataset.open(path)
    if dataset.version != version:
        raise WorkbenchError(
            f"The dataset '{dataset.name}' was changed after this run was asked for; run it again as it is now."
        )
    return dataset


def do_evaluation(job: Job, heart: Heart, store: RunStore, curves: Curves) -> str:
    """Evaluate, keep the run, and return its id."""
    payload = job.payload
    dataset = opened_as_submitted(payload["dataset"], payload["version"])
    pipeline = Pipeline.parse(payload["pipeline"], "the submitted pipeline")
    options = {"split": payload["split"], "name": payload["name"], "seed": payload["seed"]}
    done = evaluate(pipeline, dataset, Cache(cache_folder()), **options, watch=heart.watch, learnt=curves.enter)
    curves.flush()
    store.add(done.run, done.details)
    return done.run.id
