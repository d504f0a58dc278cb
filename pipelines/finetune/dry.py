"""The pairs of a training as they are known before any model is asked: without hard negatives or written questions."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.cache import Cache
from pipelines.errors import StorageError, WorkbenchError
from pipelines.execution import Execution
from pipelines.finetune.candidates import Candidate
from pipelines.finetune.trainings import Training, trainings_of
from pipelines.pipeline import Pipeline
from pipelines.records.pairs import LeftOut, TrainingPairs


@dataclass(frozen=True)
class DryPairs:
    """How many pairs, which train questions have none, what the user should know; or why it is `refused`."""

    n_pairs: int | None
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()
    refused: str | None = None


def dry_pairs(training: Training, cache: Cache) -> DryPairs:
    """Return the pairs; the documents are read and cut, and no model is asked for anything."""
    node = training.pairs
    if not cache.has(node.stage, node.key):
        node = _without_mining(training).pairs
    try:
        found: TrainingPairs = Execution(cache).get(node)
    except StorageError:
        raise
    except WorkbenchError as error:
        return DryPairs(None, refused=str(error))
    entry = cache.entry(node.stage, node.key)
    notes = () if entry is None else entry.notes
    written = getattr(training.component, "synthetic", 0)
    if written and node is not training.pairs:
        notes += (f"Up to {written:,} questions are written by a language model besides; they are not counted here.",)
    return DryPairs(len(found.pairs), found.left_out, notes)


def _without_mining(training: Training) -> Training:
    plain = training.component.model_copy(update={"negatives": "none", "synthetic": 0})
    components = {**training.plan.pipeline.components, training.part: plain}
    work = training.plan
    one = Candidate(training.label, Pipeline(components), Pipeline(components))
    return next(t for t in trainings_of(one, work.dataset, work.questions) if t.part == training.part)
