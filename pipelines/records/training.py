"""What a reranker learns from: a table of features of retrieved chunks, and which of them answer."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.records.values import BoolArray, FloatArray, IntArray


@dataclass(frozen=True)
class Training:
    """A row for every chunk that was retrieved for a question of the train split; no other question is among them.

    `features` is float32 [n_rows, n_features], `relevant` bool [n_rows], `question` int32 [n_rows]: which of the train
    questions with evidence, in the dataset's order.
    """

    names: tuple[str, ...]
    features: FloatArray
    relevant: BoolArray
    question: IntArray
