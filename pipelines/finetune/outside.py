"""A model that learnt on one dataset, used on another: what is shown there is what it forgot."""

from __future__ import annotations

from pipelines.golden.dataset import Dataset
from pipelines.near_duplicates import alike_between, alike_on_one_span
from pipelines.pipeline import Pipeline
from pipelines.training.knobs import PairKnobs


def taught_by(pipeline: Pipeline, dataset: Dataset) -> Pipeline:
    """Return the pipeline with its parts learning from `dataset`, wherever they are used."""
    path = {"learn_from": str(dataset.path.resolve())}
    return Pipeline(
        {
            stage: one.model_copy(update=path) if isinstance(one, PairKnobs) else one
            for stage, one in pipeline.components.items()
        }
    )


def asked_in_both(learnt: Dataset, outside: Dataset) -> tuple[str, ...]:
    """Return the ids of questions outside that nearly repeat one that was learnt from: no measure of forgetting."""
    train = [one for one in learnt.questions if one.split == "train" and one.answerable]
    found = (*alike_between(train, outside.questions), *alike_on_one_span(train, outside.questions))
    return tuple(dict.fromkeys(outside.questions[j].id for _, j in found))
