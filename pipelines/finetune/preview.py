"""The pairs and negatives that would be learnt from, for a person to read and strike out."""

from __future__ import annotations

from pipelines.cache import Cache
from pipelines.execution import Execution
from pipelines.finetune.spec import FinetuneSpec
from pipelines.finetune.trainings import trainings
from pipelines.golden.dataset import Dataset
from pipelines.records.pairs import TrainingPairs


def first_pairs(spec: FinetuneSpec, dataset: Dataset, cache: Cache) -> TrainingPairs:
    """Return what the first training of a spec learns from.

    Raises:
        WorkbenchError: when the documents cannot be read, or the base model is not there.
    """
    found = trainings(spec.candidates, dataset, dataset.questions)
    return Execution(cache).get(found[0].pairs)
