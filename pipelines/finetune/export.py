"""The trained models of a run or a finetuning as folders that load without this project."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipelines.cache import Cache
from pipelines.errors import ConfigurationError, NotFoundError, did_you_mean, shorten
from pipelines.execution import Execution
from pipelines.finetune.candidates import Candidate, trains
from pipelines.finetune.records import Finetuning
from pipelines.finetune.store import FinetuneStore
from pipelines.finetune.trainings import Training, trainings_of
from pipelines.pipeline import Pipeline
from pipelines.runs.depth import dataset_of
from pipelines.runs.record import ALL_QUESTIONS, Run
from pipelines.runs.store import RunStore
from pipelines.training.card import Measured


def exported(
    reference: str, to: Path, label: str | None, store: FinetuneStore, runs: RunStore, cache: Cache
) -> list[Path]:
    """Write the models, and return their folders.

    Raises:
        NotFoundError: when there is no such run or finetuning, or what was trained is gone.
        ConfigurationError: when nothing in it was trained, or the folder is not empty.
    """
    one = store.find(reference)
    if one is None:
        return _written(_trained(runs.get(reference)), to, cache, ())
    candidate = _chosen(one, label)
    found = _trained(runs.get(candidate["runs"]["reported"][1]))
    if {training.key for training in found} != set(candidate["trainings"]):
        raise NotFoundError(
            f"What '{shorten(one.name)}' trained would be another model now: what it learns from, such as a file of "
            "strikes, the device or the workbench was changed since; run it again, and export that."
        )
    return _written(found, to, cache, _measured(candidate["gains"], (one.report or {})["split"]))


def _chosen(one: Finetuning, label: str | None) -> Mapping[str, Any]:
    """Return a candidate of a report, the chosen one unless another is named."""
    report = one.report
    if report is None or report["kind"] != "gains":
        raise NotFoundError(
            f"'{shorten(one.name)}' has no model to choose: it has not ended, or is a learning curve; name a run."
        )
    sound: dict[str, Mapping[str, Any]] = {c["label"]: c for c in report["candidates"] if c["error"] is None}
    wanted = label or report["chosen"]
    if wanted is None or wanted not in sound:
        found = "has no choice among its models" if wanted is None else f"has no model '{shorten(wanted)}'"
        raise NotFoundError(
            f"'{shorten(one.name)}' {found}; name one of: {shorten('; '.join(sound), 400)}."
            f"{did_you_mean(wanted or '', sound)}"
        )
    return sound[wanted]


def _measured(gains: Mapping[str, Sequence[Mapping[str, Any]]], split: str) -> list[Measured]:
    on = {
        "all": split,
        "seen": f"{split}, seen documents",
        "unseen": f"{split}, unseen documents",
        "outside": "outside",
    }
    return [
        Measured(one["metric"], on[where], one["n"], one["before"], one["after"], one["low"], one["high"])
        for where, rows in gains.items()
        if where in on
        for one in rows
        if one["difference"] is not None
    ]


def _trained(run: Run) -> list[Training]:
    """Return what the pipeline of a run trains."""
    pipeline = Pipeline.parse(run.settings, f"the pipeline of run '{shorten(run.name)}'")
    if not trains(pipeline):
        raise ConfigurationError(
            f"Nothing in run '{shorten(run.name)}' ({run.id}) was trained: it has no model to export; name a run "
            "with a finetuned embedder or reranker."
        )
    dataset = dataset_of(run)
    questions = dataset.select(None if run.split == ALL_QUESTIONS else run.split)
    return list(trainings_of(Candidate(run.label, pipeline, pipeline), dataset, questions))


def _written(found: Sequence[Training], to: Path, cache: Cache, measured: Sequence[Measured]) -> list[Path]:
    return [_write(one, to if len(found) == 1 else to / one.part, cache, measured) for one in found]


def _write(one: Training, to: Path, cache: Cache, measured: Sequence[Measured]) -> Path:
    if not cache.has(one.node.stage, one.key):
        raise NotFoundError(
            f"The model that '{shorten(one.label)}' trained is not in the store any more; run it again, to train it."
        )
    from pipelines.training.export import write_model

    folder = Execution(cache).get(one.node)
    write_model(one.component, folder, to, measured)
    return to
