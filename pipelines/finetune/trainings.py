"""The distinct trainings of a finetuning: several pipelines may share one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipelines import codecs
from pipelines.component import Component
from pipelines.execution import Node
from pipelines.finetune.candidates import Candidate
from pipelines.finetune.records import Part
from pipelines.golden.dataset import Dataset
from pipelines.planning.plan import Plan, plan
from pipelines.records import Question
from pipelines.records.pairs import TrainingPairs
from pipelines.stages.embed import TrainedEmbedder
from pipelines.stages.rerank import TrainedReranker


@dataclass(frozen=True)
class Training:
    """One training; `label` is what it is called, `labels` are the candidates that use it."""

    label: str
    labels: tuple[str, ...]
    part: Part
    component: TrainedEmbedder | TrainedReranker
    node: Node[Path]
    pairs: Node[TrainingPairs]
    plan: Plan

    @property
    def key(self) -> str:
        """Return what names it in the store."""
        return self.node.key


def trainings(found: Sequence[Candidate], dataset: Dataset, questions: Sequence[Question]) -> tuple[Training, ...]:
    """Return each training once, in order of the candidates."""
    made: dict[str, Training] = {}
    for one in found:
        for training in trainings_of(one, dataset, questions):
            known = made.get(training.key)
            labels = (one.label,) if known is None else (*known.labels, one.label)
            first = training if known is None else known
            made[training.key] = Training(
                first.label, labels, first.part, first.component, first.node, first.pairs, first.plan
            )
    return tuple(made.values())


def trainings_of(one: Candidate, dataset: Dataset, questions: Sequence[Question]) -> Iterator[Training]:
    """Yield what one candidate trains."""
    work = plan(one.pipeline, dataset, questions)
    for part in one.trained:
        component = one.pipeline.components[part]
        found = _nodes(work, component)
        label = one.label if len(one.trained) == 1 else f"{one.label} · {part}"
        if found is not None and isinstance(component, TrainedEmbedder | TrainedReranker):
            yield Training(label, (one.label,), part, component, *found, work)


def _nodes(work: Plan, component: Component) -> tuple[Node[Path], Node[TrainingPairs]] | None:
    """Return what is trained, and the pairs that it is trained on."""
    node = work.trained if isinstance(component, TrainedEmbedder) else work.trained_reranker
    if node is None:
        return None
    return node, next(one for one in node.inputs if one.codec is codecs.PAIRS)
