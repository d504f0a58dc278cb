"""The record of a training: what it was made of, how it went, and on what."""

from __future__ import annotations

import sys
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pipelines.training.course import Course
from pipelines.training.examples import Examples
from pipelines.training.lesson import Lesson, Workshop
from pipelines.training.lora import LEARNING_RATES
from pipelines.training.methods import EncoderTraining

_LIBRARIES = ("sentence-transformers", "transformers", "torch", "peft")
_KNOBS = ("loss", "epochs", "batch", "learning_rate", "warmup", "patience", "matryoshka", "teacher")
_LORA = ("lora_rank", "lora_alpha", "lora_dropout")


def record_of(
    how: EncoderTraining, lesson: Lesson, workshop: Workshop, examples: Examples, course: Course
) -> dict[str, Any]:
    """Return the record of a training that has ended, as plain JSON."""
    knobs = {
        name: value for name, value in asdict(how).items() if name in _KNOBS or (how.method == "lora" and name in _LORA)
    }
    best = course.best
    knobs |= {"teacher": _called(how.teacher)}
    return {
        "base": _called(how.base.name or str(how.base.model)),
        "method": how.method,
        "knobs": {**knobs, "learning_rate": how.learning_rate or LEARNING_RATES[how.method], "seed": how.seed},
        "about": dict(workshop.about or {}),
        "pairs": {
            "n": len(examples.rows),
            "n_questions": examples.n_questions,
            "n_negatives": sum(len(one.negatives) for one in examples.rows),
            "n_skipped": examples.n_skipped,
            "n_left_out": len(lesson.pairs.left_out),
            "left_out": [[one.question_id, one.why] for one in lesson.pairs.left_out],
        },
        "dev": {
            "metric": course.metric or None,
            "why": lesson.no_dev,
            "n": len(lesson.dev.questions) if lesson.dev else 0,
            "before": course.before,
            "after": best["value"] if best else None,
            "by_epoch": course.dev,
        },
        "epochs_trained": course.n_ended,
        "epoch_kept": best["epoch"] if best else course.n_ended,
        "steps": course.step,
        "seconds": course.elapsed(),
        "memory_peak_bytes": _peak(how.base.device),
        "device": how.base.device,
        "precision": how.base.precision,
        "versions": {name: version(name) for name in _LIBRARIES},
        "curve": course.curve,
    }


def _called(model: str) -> str:
    """Return a model's name without the place of its folder, which is nobody else's business."""
    folder = Path(model)
    return folder.name if folder.is_absolute() else model


def _peak(device: str) -> int:
    """Return the most memory that the process has held so far, in bytes; on a GPU what was held there."""
    if device == "cuda":
        import torch

        return int(torch.cuda.max_memory_allocated())
    import resource

    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(held if sys.platform == "darwin" else held * 1024)
