"""A model that learnt on one dataset, used on another: what is shown there is what it forgot."""

from __future__ import annotations

from pipelines.component import digest
from pipelines.golden.dataset import Dataset
from pipelines.near_duplicates import alike_between
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


def learnt_from(pipeline: Pipeline) -> tuple[str, ...]:
    """Return the folders of other datasets that parts of a pipeline learn from."""
    components: list[object] = list(pipeline.components.values())
    named = [one.learn_from for one in components if isinstance(one, PairKnobs)]
    return tuple(dict.fromkeys(path for path in named if path))


def identity_with_lessons(identity: str, pipeline: Pipeline) -> str:
    """Return the identity of a run, with the versions of other datasets that are learnt from for it."""
    paths = learnt_from(pipeline)
    return digest([identity, [Dataset.open(path).version for path in paths]]) if paths else identity


def asked_in_both(learnt: Dataset, outside: Dataset) -> tuple[str, ...]:
    """Return the ids of questions outside that nearly repeat one that was learnt from: no measure of forgetting."""
    train = [one for one in learnt.questions if one.split == "train" and one.answerable]
    return tuple(dict.fromkeys(outside.questions[j].id for _, j in alike_between(train, outside.questions)))
