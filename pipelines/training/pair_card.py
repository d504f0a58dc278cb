"""What a trained cross-encoder's folder says of itself: the record for programs, the model card for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pipelines.training.card import CARD, plain
from pipelines.training.course import Course
from pipelines.training.lesson import PairLesson
from pipelines.training.pair_lists import TextList
from pipelines.training.pair_methods import PairTraining

_LIBRARIES = ("sentence-transformers", "transformers", "torch")
_HEAD = """---
library_name: sentence-transformers
pipeline_tag: text-ranking
tags:
- sentence-transformers
- cross-encoder
- reranker
---

# A finetuned reranker

| | |
| --- | --- |
"""
_USE = """
## How to use it

This folder is a plain cross-encoder of sentence-transformers; nothing else is needed:

```python
from sentence_transformers import CrossEncoder

model = CrossEncoder("path/to/this/folder")
scores = model.predict([("a question", "a text"), ("a question", "another text")])
```

It was trained on texts that begin with what `header` names, an empty line, and then the chunk: hand it such texts. The
course of the training (loss, learning rate, dev metric by epoch), the versions and the seed are in `training.json`.
"""


def pair_record(
    how: PairTraining, lists: Sequence[TextList], lesson: PairLesson, course: Course, about: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the record of a training that has ended, as plain JSON."""
    knobs = {name: value for name, value in asdict(how).items() if name not in ("model", "device", "precision")}
    best, dev = course.best, lesson.dev
    return {
        "base": how.model.name if how.model.is_dir() else str(how.model),
        "method": "cross-encoder",
        "knobs": knobs,
        "about": dict(about),
        "pairs": {
            "n": sum(grade > 0 for one in lists for grade in one.grades),
            "n_questions": len(lists),
            "n_negatives": sum(grade <= 0 for one in lists for grade in one.grades),
            "n_left_out": len(lesson.pairs.left_out),
            "left_out": [[one.question_id, one.why] for one in lesson.pairs.left_out],
        },
        "dev": {
            "metric": course.metric or None,
            "why": lesson.no_dev,
            "n": dev.n_questions if dev else 0,
            "before": course.before,
            "after": best["value"] if best else None,
            "by_epoch": course.dev,
        },
        "epochs_trained": course.n_ended,
        "epoch_kept": best["epoch"] if best else course.n_ended,
        "steps": course.step,
        "seconds": course.elapsed(),
        "device": how.device,
        "precision": how.precision,
        "versions": {name: version(name) for name in _LIBRARIES},
        "curve": course.curve,
    }


def write_pair_card(folder: Path, record: Mapping[str, Any]) -> None:
    """Write the model card from the record of a training."""
    rows = "".join(f"| {name} | {plain(value)} |\n" for name, value in _facts(record))
    (folder / CARD).write_text(_HEAD + rows + _dev(record) + _USE, encoding="utf-8")


def _facts(record: Mapping[str, Any]) -> list[tuple[str, object]]:
    pairs, knobs = record["pairs"], record["knobs"]
    learnt = f"{pairs['n']} answers and {pairs['n_negatives']} other texts for {pairs['n_questions']} train questions"
    epochs = f"{record['epochs_trained']} of {knobs['epochs']}; kept: epoch {record['epoch_kept']}"
    return [
        ("base model", record["base"]),
        *((f"data: {name.replace('_', ' ')}", value) for name, value in record["about"].items()),
        ("trained on", learnt),
        ("left out", f"{pairs['n_left_out']} questions"),
        *((name.replace("_", " "), value) for name, value in knobs.items()),
        ("epochs trained", epochs),
        ("seconds", f"{record['seconds']:.0f} on {record['device']}, {record['precision']}"),
    ]


def _dev(record: Mapping[str, Any]) -> str:
    dev = record["dev"]
    if dev["metric"] is None or dev["before"] is None:
        return f"\nNo dev metric was measured: {plain(dev['why'])}.\n"
    worse = " (worse than retrieval alone)" if dev["after"] < dev["before"] else ""
    line = f"{dev['metric']} of {dev['n']} dev questions: {dev['before']:.4f} as retrieved, {dev['after']:.4f} reranked"
    return f"\n{plain(line)}{worse}. The dev questions chose the epoch, so test questions are what to judge by.\n"
