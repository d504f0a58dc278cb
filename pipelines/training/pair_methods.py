"""How a cross-encoder is trained, in plain values: the seam between the component's knobs and the trainer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pipelines.models.devices import Device

PAIR_TRAINING_VERSION = 1
"""Raise it when the same lesson and knobs would give other weights."""

PairLoss = Literal["listwise", "bce"]


@dataclass(frozen=True)
class PairTraining:
    """How a cross-encoder is trained, with nothing left to `auto`; `batch` counts questions, each with all its texts.

    `random_negatives` are drawn for each question from the texts of the others; `header` is what the texts begin with.
    """

    model: Path
    device: Device
    precision: Literal["float32", "bfloat16"]
    loss: PairLoss
    epochs: int
    batch: int
    learning_rate: float
    warmup: float
    patience: int
    max_tokens: int
    random_negatives: int
    header: str
    seed: int
