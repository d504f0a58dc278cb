"""The pipelines of a finetuning, each with the one that it is held against: the same before anything was learnt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.component import Component
from pipelines.finetune.records import Part
from pipelines.pipeline import Pipeline
from pipelines.stages.embed import TrainedEmbedder
from pipelines.stages.rerank import TrainedReranker
from pipelines.stages.rerank.none import NoReranker


@dataclass(frozen=True)
class Candidate:
    """A pipeline that learns, as `label`, and its baseline."""

    label: str
    pipeline: Pipeline
    baseline: Pipeline

    @property
    def trained(self) -> tuple[Part, ...]:
        """Return which of its parts learn."""
        return trains(self.pipeline)


def trains(pipeline: Pipeline) -> tuple[Part, ...]:
    """Return which parts of a pipeline are trained on the train split."""
    embeds: tuple[Part, ...] = ("embed",) if isinstance(pipeline.embed, TrainedEmbedder) and _searches(pipeline) else ()
    reranks: tuple[Part, ...] = ("rerank",) if isinstance(pipeline.rerank, TrainedReranker) else ()
    return embeds + reranks


def _searches(pipeline: Pipeline) -> bool:
    return pipeline.retrieve.needs_vectors or pipeline.rerank.needs_vectors


def candidates(pipelines: Sequence[Pipeline], baseline: Mapping[str, Any]) -> tuple[Candidate, ...]:
    """Return each pipeline with its baseline, in order; those that are a baseline themselves are none."""
    found: list[Candidate] = []
    for pipeline in pipelines:
        before = before_training(pipeline, baseline)
        if before.fingerprint() != pipeline.fingerprint():
            found.append(Candidate(_label(pipeline, found), pipeline, before))
    return tuple(found)


def before_training(pipeline: Pipeline, baseline: Mapping[str, Any]) -> Pipeline:
    """Return the pipeline with `baseline` in place of its own stages, and the base models of those that learn."""
    components = dict(pipeline.components)
    if isinstance(pipeline.embed, TrainedEmbedder):
        components["embed"] = pipeline.embed.base()
    if isinstance(pipeline.rerank, TrainedReranker):
        components["rerank"] = NoReranker()
    given = Pipeline.parse({name: value for name, value in baseline.items()}, "finetune.baseline").components
    return Pipeline({**components, **{name: given[name] for name in baseline}})


def _label(pipeline: Pipeline, before: Sequence[Candidate]) -> str:
    label = pipeline.label()
    earlier = sum(one.label == label or one.label.startswith(f"{label} (") for one in before)
    return f"{label} ({earlier + 1})" if earlier else label


def chosen_settings(pipeline: Pipeline) -> dict[str, dict[str, Any]]:
    """Return the stages that are not as in the default pipeline, with the knobs that are not at their defaults."""
    return {
        stage: {"use": pipeline.components[stage].name, **chosen_knobs(pipeline.components[stage])}
        for stage in pipeline.differences()
    }


def chosen_knobs(component: Component) -> dict[str, Any]:
    """Return the knobs that are not at their defaults, as plain values."""
    fields = type(component).model_fields
    default = {name: _plain(one.get_default(call_default_factory=True)) for name, one in fields.items()}
    return {name: value for name, value in component.model_dump(mode="json").items() if value != default[name]}


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value
