"""From the pairs of a batch to what the trainer hands the model: tokens by groups of texts of like length."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np

from pipelines.records import LongArray
from pipelines.training.examples import Examples
from pipelines.training.layout import groups, laid_out

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Prompts = tuple[str | None, str | None]
"""What is put before questions and before passages; None for what the model's makers ask for, "" for nothing."""

_DOCUMENT_PROMPTS = ("document", "passage", "corpus")


class Collator:
    """Makes a batch of rows `{"pair": position}`; the trainer asks for `valid_label_columns` too."""

    valid_label_columns: tuple[str, ...] = ()

    def __init__(
        self, model: SentenceTransformer, examples: Examples, most_tokens: int, prompts: Prompts = (None, None)
    ) -> None:
        self._model, self._examples, self._most_tokens = model, examples, most_tokens
        asked, found = prompts
        self._prompts = (_prompt(model, asked, queries=True), _prompt(model, found, queries=False))
        self._routed = any(type(module).__name__ == "Router" for module in model.children())
        self.lengths = self._counted()

    def __call__(self, rows: Sequence[Mapping[str, int]]) -> dict[str, Any]:
        """Return the groups' features, named `gN_FEATURE`, and the layout under `label`, all as tensors."""
        import torch

        layout = laid_out([self._examples.rows[row["pair"]] for row in rows], self.lengths, self._examples.n_questions)
        batch: dict[str, Any] = {}
        for n, (texts, side) in enumerate(self._groups(layout.texts)):
            features = self._features([self._examples.texts[i] for i in texts], side)
            batch |= {f"g{n:05d}_{name}": value for name, value in features.items()}
        batch["label"] = {field.name: torch.from_numpy(getattr(layout, field.name)) for field in fields(layout)}
        return batch

    def _groups(self, texts: LongArray) -> Iterator[tuple[LongArray, int]]:
        """Yield which texts are computed together, passages (1), then questions (0)."""
        asked = texts < self._examples.n_questions
        for side, part in ((1, texts[~asked]), (0, texts[asked])):
            for group in groups(self.lengths[part], self._most_tokens):
                yield part[group], side

    def _features(self, texts: list[str], side: int) -> dict[str, Any]:
        told = {"task": ("query", "document")[side]} if self._routed else {}
        return {**self._model.preprocess(texts, prompt=self._prompts[side] or None, **told), **told}

    def _counted(self) -> LongArray:
        """Return the length of every text in tokens, as the model reads it."""
        texts = self._examples.texts
        tokenizer: Any = getattr(self._model, "tokenizer", None)
        if not callable(tokenizer):
            return np.asarray([1 + len(text) // 4 for text in texts], dtype=np.int64)
        prompted = [self._prompts[int(i >= self._examples.n_questions)] + text for i, text in enumerate(texts)]
        encoded = tokenizer(prompted, truncation=False, padding=False, verbose=False)["input_ids"]
        limit = self._model.get_max_seq_length() or np.iinfo(np.int64).max
        return np.minimum(np.asarray([len(ids) for ids in encoded], dtype=np.int64), limit)


def _prompt(model: SentenceTransformer, given: str | None, *, queries: bool) -> str:
    """Return what is put before a question or a passage, as when texts are embedded."""
    if given is not None:
        return given
    names = ("query",) if queries else _DOCUMENT_PROMPTS
    found = [model.prompts[name] for name in (*names, model.default_prompt_name) if model.prompts.get(name)]
    return str(found[0]) if found else ""
