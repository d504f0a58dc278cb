"""What a finetuning would learn from and cost, before anything is trained."""

from __future__ import annotations

import math
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipelines.cache import Cache
from pipelines.component import Component
from pipelines.errors import WorkbenchError
from pipelines.finetune.dry import DryPairs, dry_pairs
from pipelines.finetune.outside import taught_by
from pipelines.finetune.records import FinetuneEstimate, TrainingEstimate
from pipelines.finetune.schooling import method_of
from pipelines.finetune.size import disk_of, memory_of
from pipelines.finetune.spec import FinetuneSpec
from pipelines.finetune.splits import leaks_of, splits_of
from pipelines.finetune.trainings import Training, trainings
from pipelines.golden.dataset import Dataset
from pipelines.pipeline import Pipeline
from pipelines.planning.effort import training_units, training_work
from pipelines.runs.store import RunStore
from pipelines.sweeps.batch import On
from pipelines.sweeps.estimate import Estimate, estimate
from pipelines.training.memory import free_memory

Pace = Mapping[str, float]


def estimated(
    spec: FinetuneSpec, dataset: Dataset, outside: Dataset | None, cache: Cache, runs: RunStore, pace: Pace
) -> FinetuneEstimate:
    """Return the estimate; the documents are read, and cut by every chunker, as any stage's output is kept.

    Raises:
        WorkbenchError: when the documents cannot be read.
    """
    work = trainings(spec.candidates, dataset, dataset.select(spec.split))
    dry = {training.key: dry_pairs(training, cache) for training in work}
    told = tuple(_Told(training, dry[training.key], cache, pace).estimate() for training in work)
    evaluations = _evaluations(spec, dataset, outside, cache, runs, pace)
    splits = splits_of(dataset, spec.split)
    unknown = tuple(
        dict.fromkeys(
            [f"training {one.label}" for one in told if one.seconds is None and not one.done and one.refused is None]
            + [what for one in evaluations for what in one.unknown if not what.startswith("train ")]
        )
    )
    seconds = sum(one.seconds or 0.0 for one in told) + sum(_beside_training(one) for one in evaluations)
    n_there = sum(one.n_runs_there for one in evaluations)
    left_out = {one.question_id: one.why for training in dry.values() for one in training.left_out}
    return FinetuneEstimate(
        labels=tuple(one.label for one in spec.candidates),
        split=spec.split,
        n_train=splits.questions["train"],
        n_dev=splits.questions["dev"],
        n_reported=splits.questions[spec.split],
        left_out=tuple(left_out.items()),
        leaks=leaks_of(dataset),
        splits=splits,
        trainings=told,
        seconds=None if unknown else seconds,
        unknown=unknown,
        memory_bytes=max((one.memory_bytes for one in told if one.memory_bytes and not one.done), default=None),
        memory_free_bytes=free_memory("cpu"),
        disk_bytes=sum(one.disk_bytes for one in told) + sum(one.disk_bytes for one in evaluations),
        disk_free_bytes=shutil.disk_usage(_existing(cache.root)).free,
        n_runs=sum(one.n_configurations for one in evaluations),
        n_runs_there=n_there,
        notes=tuple(dict.fromkeys(note for one in dry.values() for note in one.notes)),
    )


@dataclass(frozen=True)
class _Told:
    """Makes the estimate of one training."""

    training: Training
    dry: DryPairs
    cache: Cache
    pace: Pace

    def estimate(self) -> TrainingEstimate:
        """Return it."""
        training, dry, component = self.training, self.dry, self.training.component
        done = self.cache.has(training.node.stage, training.key)
        seconds, reason = (0.0, None) if done else self._seconds()
        memory, disk, refused = self._size()
        return TrainingEstimate(
            key=training.key,
            label=training.label,
            part=training.part,
            labels=training.labels,
            **method_of(training),
            n_pairs=dry.n_pairs,
            steps=_steps(component, dry.n_pairs),
            done=done,
            seconds=seconds,
            memory_bytes=memory,
            disk_bytes=0 if done else disk,
            reason=reason,
            refused=dry.refused or refused,
        )

    def _seconds(self) -> tuple[float | None, str | None]:
        work, n_pairs = training_work(self.training.component), self.dry.n_pairs
        if n_pairs is None:
            return None, "how many pairs there are is not known"
        if work not in self.pace:
            return None, f"this machine was never measured at '{work}'; the first training tells"
        return self.pace[work] * training_units(self.training.component, n_pairs), None

    def _size(self) -> tuple[int | None, int, str | None]:
        try:
            return memory_of(self.training.component), disk_of(self.training.component), None
        except WorkbenchError as error:
            return None, 0, str(error)


def _steps(component: Component, n_pairs: int | None) -> int | None:
    epochs, batch = int(getattr(component, "epochs", 0)), int(getattr(component, "train_batch", 0))
    if n_pairs is None or not batch or getattr(component, "method", "") == "adapter":
        return None
    return math.ceil(n_pairs / batch) * epochs


def _evaluations(
    spec: FinetuneSpec, dataset: Dataset, outside: Dataset | None, cache: Cache, runs: RunStore, pace: Pace
) -> list[Estimate]:
    """Return what evaluating costs, before and after: on the reported split, on dev, and outside."""
    before = [one.baseline for one in spec.candidates]
    after = [one.pipeline for one in spec.candidates]
    on = [(On(dataset, spec.split), [*before, *after])]
    if spec.split != "dev" and any(q.split == "dev" and q.answerable for q in dataset.questions):
        on.append((On(dataset, "dev"), [*before, *after]))
    if outside is not None:
        on.append((On(outside, None), [*before, *(taught_by(one, dataset) for one in after)]))
    return [estimate(_distinct(pipelines), where, cache, runs, pace) for where, pipelines in on]


def _distinct(pipelines: Sequence[Pipeline]) -> list[Mapping[str, object]]:
    return list({one.fingerprint(): one.settings() for one in pipelines}.values())


def _beside_training(one: Estimate) -> float:
    """Return the seconds of all but the training, of what is known."""
    return (one.seconds or 0.0) if one.seconds is not None else sum(stage.seconds or 0.0 for stage in one.stages)


def _existing(path: Path) -> Path:
    return next(folder for folder in (path, *path.parents) if folder.exists())
