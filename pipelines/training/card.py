"""What a trained model's folder says of itself: `training.json` for programs, `README.md` for people."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.errors import shorten

RECORD, CARD = "training.json", "README.md"
HEAD = """---
library_name: sentence-transformers
pipeline_tag: sentence-similarity
tags:
- sentence-transformers
- sentence-similarity
- feature-extraction
---

# A finetuned sentence encoder

| | |
| --- | --- |
"""
LOADING = """
## How to use it

This folder is a plain sentence-transformers model; nothing else is needed:

```python
from sentence_transformers import SentenceTransformer

model = SentenceTransformer("path/to/this/folder")
documents = model.encode_document(["..."], normalize_embeddings=True)
questions = model.encode_query(["..."], normalize_embeddings=True)
```
"""
_COURSE = """
The course of the training (loss, learning rate, dev metric by epoch), the versions and the seed are in `training.json`.
"""


@dataclass(frozen=True)
class Measured:
    """A metric of the base and of the trained model on n questions; `low` and `high` bound the difference (95 %)."""

    metric: str
    split: str
    n: int
    before: float
    after: float
    low: float | None = None
    high: float | None = None


def write_card(folder: Path, record: Mapping[str, Any]) -> None:
    """Write the model card from the record of a training."""
    facts = "".join(f"| {name} | {plain(value)} |\n" for name, value in _facts(record))
    text = HEAD + facts + _dev(record) + LOADING + _COURSE
    (folder / CARD).write_text(text, encoding="utf-8")


def write_record(folder: Path, record: Mapping[str, Any]) -> None:
    """Write the record of a training."""
    (folder / RECORD).write_text(json.dumps(record, indent=1, allow_nan=False, default=str) + "\n", encoding="utf-8")


def read_record(folder: Path) -> dict[str, Any]:
    """Return the record of the training that made the model in `folder`."""
    found: dict[str, Any] = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    return found


def plain(value: object) -> str:
    """Return users' text for a Markdown file: on one line, with nothing left that would be markup or a link."""
    text = ", ".join(str(one) for one in value) if isinstance(value, tuple | list) else str(value)
    escaped = re.sub(r"([\\`*_{}\[\]()#+!|~<>&])", r"\\\1", shorten(text, 200))
    return escaped.replace("://", ":\u200b//").replace("\\<", "&lt;").replace("\\>", "&gt;").replace("\\&", "&amp;")


def _facts(record: Mapping[str, Any]) -> list[tuple[str, object]]:
    pairs, knobs = record["pairs"], record["knobs"]
    about = record.get("about") or {}
    hardware = f"{record['device']}, {record['precision']}"
    found = [
        ("base model", record["base"]),
        ("method", f"{record['method']}, loss {knobs['loss']}"),
        *((f"data: {name.replace('_', ' ')}", value) for name, value in about.items()),
        ("trained on", f"{pairs['n']} pairs of the train split, {pairs['n_negatives']} hard negatives"),
        ("left out", f"{pairs['n_left_out']} questions, {pairs['n_skipped']} pairs"),
        *(
            (name.replace("_", " "), value)
            for name, value in knobs.items()
            if name != "loss" and value not in ("", [], ())
        ),
        ("epochs trained", f"{record['epochs_trained']} of {knobs['epochs']}; kept: epoch {record['epoch_kept']}"),
        ("seconds", f"{record['seconds']:.0f} on {hardware}"),
    ]
    return found


def _dev(record: Mapping[str, Any]) -> str:
    dev = record["dev"]
    if dev["metric"] is None:
        return f"\nNo dev metric was measured: {plain(dev['why'])}.\n"
    line = f"{dev['metric']} on {dev['n']} dev questions: {dev['before']:.4f} before, {dev['after']:.4f} after"
    worse = " (worse than the base)" if dev["after"] < dev["before"] else ""
    return f"\n{plain(line)}{worse}. The dev questions chose the epoch, so test questions are what to judge by.\n"
