"""Carries out the trainings of a job, and tells what each of them learnt from and came to."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipelines.errors import Cancelled, StorageError, WorkbenchError, counted
from pipelines.finetune.bench import Bench
from pipelines.finetune.records import Finetuning
from pipelines.finetune.store import FinetuneStore
from pipelines.finetune.trainings import Training


class Schooling:
    """`failed` says, by key, why a training could not be done."""

    def __init__(self, bench: Bench, one: Finetuning, work: Sequence[Training]) -> None:
        self._bench, self._work = bench, work
        self.failed: dict[str, str] = {}
        names = {training.key: training.label for training in work}
        bench.named = names
        FinetuneStore(bench.database).set_trainings(one.id, names)

    def train(self) -> list[dict[str, Any]]:
        """Train what is not there yet, and return one mapping a training.

        Raises:
            Cancelled: when it was asked to stop.
            StorageError: when the disk or the store refuses.
        """
        return [self._trained(i, training) for i, training in enumerate(self._work)]

    def _trained(self, i: int, training: Training) -> dict[str, Any]:
        bench = self._bench
        was_there = bench.cache.has(training.node.stage, training.key)
        bench.heart.tell(trainings_done=i, trainings_total=len(self._work), training=training.label, point=None)
        if not was_there:
            bench.say(f"trains {training.label}")
        try:
            bench.trained(training.node, training.plan)
        except (Cancelled, StorageError):
            raise
        except WorkbenchError as error:
            self.failed[training.key] = str(error)
            bench.say(f"not trained: {training.label}: {error}")
        told = self._told(training, was_there)
        if not was_there and training.key not in self.failed:
            bench.say(f"trained {training.label} on {counted(told['n_pairs'], 'pair')} in {told['seconds']:.1f} s")
        return told

    def _told(self, training: Training, was_there: bool) -> dict[str, Any]:
        failed = training.key in self.failed
        entry = self._bench.cache.entry(training.node.stage, training.key)
        folder = self._bench.cache.folder(training.node.stage, training.key)
        return {
            "key": training.key,
            "label": training.label,
            "labels": list(training.labels),
            "part": training.part,
            **method_of(training),
            **self._learnt_from(training),
            "seconds": None if entry is None else entry.seconds,
            "was_there": was_there,
            "peak_memory_bytes": _record(folder).get("memory_peak_bytes"),
            **self._curve(training),
            "notes": [] if entry is None else list(entry.notes),
            "folder": None if failed else str(folder),
            "error": self.failed.get(training.key),
        }

    def _learnt_from(self, training: Training) -> dict[str, Any]:
        try:
            pairs = self._bench.execution().get(training.pairs)
        except (Cancelled, StorageError):
            raise
        except WorkbenchError:
            return {"n_pairs": 0, "n_negatives": 0, "n_documents": 0, "sources": {}, "left_out": []}
        return {
            "n_pairs": len(pairs.pairs),
            "n_negatives": sum(len(pair.negatives) for pair in pairs.pairs),
            "n_documents": len(pairs.documents),
            "sources": dict(Counter(pair.source for pair in pairs.pairs)),
            "left_out": [[one.question_id, one.why] for one in pairs.left_out],
        }

    def _curve(self, training: Training) -> dict[str, Any]:
        points = self._bench.curves.of([training.key]).get(training.key, [])
        best = kept_point(points, method_of(training)["method"])
        return {
            "steps": points[-1]["step"] if points else None,
            "best_step": best.get("step"),
            "best_dev": best.get("dev"),
            "metric": best.get("metric"),
        }


def kept_point(points: Sequence[Mapping[str, Any]], method: str) -> Mapping[str, Any]:
    """Return the point of a curve whose model is kept, the best on dev; nothing where no dev question was asked.

    The base, at step 0, may be what is kept of a map, and never of weights: the best that was trained is, however bad.
    """
    measured = [one for one in points if one.get("dev") is not None and (one["step"] > 0 or method == "adapter")]
    return max(measured, key=lambda one: float(one["dev"]), default={})


def method_of(training: Training) -> dict[str, str]:
    """Return what is trained, and how, as its knobs name it."""
    component = training.component
    model = str(getattr(component, "model", "")) or component.name
    return {"method": str(getattr(component, "method", component.name)), "model": model}


def _record(folder: Path) -> Mapping[str, Any]:
    """Return what a trained model's folder says of its training; nothing where it says nothing."""
    try:
        found = json.loads((folder / "training.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
