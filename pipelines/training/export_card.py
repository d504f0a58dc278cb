"""The model card of an exported encoder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pipelines.training.card import plain

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_HEAD = """---
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
_USE = """
## How to use it

This folder is a plain sentence-transformers model; nothing else is needed:

```python
from sentence_transformers import SentenceTransformer

model = SentenceTransformer("path/to/this/folder")
documents = model.encode_document(["..."], normalize_embeddings=True)
questions = model.encode_query(["..."], normalize_embeddings=True)
```

Use `encode_query` for questions and `encode_document` for texts: they may differ, in words put before the text or in a
map behind it. The course of the training is in `training.json`.
"""


def card_text(model: SentenceTransformer, base: str, method: str, card: Mapping[str, Any]) -> str:
    """Return the card. Of `card`, a mapping becomes a section of its own, as does a list of mappings: a table."""
    facts = {"base model": base, "method": method, "dimensions": model.get_embedding_dimension(), **_prompts(model)}
    whole = facts | {name: value for name, value in card.items() if not _section(value)}
    sections = "".join(_told(name, value) for name, value in card.items() if _section(value))
    return _HEAD + "".join(_rows(whole)) + sections + _USE


def _prompts(model: SentenceTransformer) -> dict[str, str]:
    return {f"before a {name}": repr(text) for name, text in model.prompts.items() if text}


def _section(value: object) -> bool:
    return isinstance(value, Mapping) or (_many(value) and bool(value))


def _many(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str) and all(isinstance(one, Mapping) for one in value)


def _told(name: str, value: Any) -> str:
    title = f"\n## {plain(name.replace('_', ' ')).capitalize()}\n\n"
    if isinstance(value, Mapping):
        return title + "| | |\n| --- | --- |\n" + "".join(_rows(value))
    columns = list(dict.fromkeys(column for row in value for column in row))
    head = f"| {' | '.join(plain(column) for column in columns)} |\n|{' --- |' * len(columns)}\n"
    return title + head + "".join(f"| {' | '.join(_cell(row.get(column)) for column in columns)} |\n" for row in value)


def _rows(facts: Mapping[str, Any]) -> Iterator[str]:
    for name, value in facts.items():
        yield f"| {plain(name.replace('_', ' '))} | {_cell(value)} |\n"


def _cell(value: object) -> str:
    if value is None:
        return "not known"
    return f"{value:.4f}" if isinstance(value, float) else plain(value)
