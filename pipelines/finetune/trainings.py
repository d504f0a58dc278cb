"""The distinct trainings of a finetuning: several pipelines may share one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pipelines import codecs
from pipelines.component import Component
from pipelines.execution import Node
from pipelines.finetune.candidates import Candidate, chosen_knobs
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
            if known is None:
                made[training.key] = replace(training, label=_distinct(training.label, made.values()))
            else:
                made[training.key] = replace(known, labels=(*known.labels, one.label))
    return tuple(made.values())


def _distinct(label: str, before: Iterable[Training]) -> str:
    earlier = sum(one.label == label or one.label.startswith(f"{label} (") for one in before)
    return f"{label} ({earlier + 1})" if earlier else label


def _words(component: Component) -> str:
    """Name a component by its method, its size, and every knob that is not at its default."""
    name = str(getattr(component, "method", component.name))
    size = getattr(component, "size", None)
    knobs = chosen_knobs(component)
    told = [f"{knob}={_short(value)}" for knob, value in knobs.items() if knob not in ("method", "size")]
    return " ".join([name if size is None else f"{name} {size}", *told])


def _short(value: object) -> str:
    return Path(value).name if isinstance(value, str) and "/" in value else str(value)


def trainings_of(one: Candidate, dataset: Dataset, questions: Sequence[Question]) -> Iterator[Training]:
    """Yield what one candidate trains."""
    work = plan(one.pipeline, dataset, questions)
    for part in one.trained:
        component = one.pipeline.components[part]
        found = _nodes(work, component)
        label = f"{part} {_words(component)} on {_words(one.pipeline.chunk)}"
        if found is not None and isinstance(component, TrainedEmbedder | TrainedReranker):
            yield Training(label, (one.label,), part, component, *found, work)


def _nodes(work: Plan, component: Component) -> tuple[Node[Path], Node[TrainingPairs]] | None:
    """Return what is trained, and the pairs that it is trained on."""
    node = work.trained if isinstance(component, TrainedEmbedder) else work.trained_reranker
    if node is None:
        return None
    return node, next(one for one in node.inputs if one.codec is codecs.PAIRS)
