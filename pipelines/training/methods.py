"""What an encoder can be trained by, in plain values: the seam between the component's knobs and the trainers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pipelines.models.devices import Device

TRAINING_VERSION = 2
"""Raise it when the same lesson and knobs would give other weights."""

FEWEST_PAIRS = 8

Loss = Literal["mnrl", "cached-mnrl", "gist", "triplet", "cosent"]


@dataclass(frozen=True)
class Base:
    """The model that is trained: its folder, and how it is computed, with nothing left to `auto`.

    `name` is what the user calls it. A prompt that is None is what the model's makers ask for.
    """

    model: Path
    device: Device
    precision: str
    query_prompt: str | None = None
    document_prompt: str | None = None
    name: str = ""


@dataclass(frozen=True)
class EncoderTraining:
    """How weights are trained, in full or through matrices beside them.

    `learning_rate` None: what suits the method. `matryoshka` are the lengths that are trained besides the full one.
    `teacher` is a folder or a hub name, "" for none. `patience` 0 trains all epochs.
    """

    base: Base
    method: Literal["lora", "full"]
    loss: Loss
    epochs: int
    batch: int
    learning_rate: float | None
    warmup: float
    patience: int
    matryoshka: tuple[int, ...]
    teacher: str
    lora_rank: int
    lora_alpha: int
    lora_dropout: float
    seed: int


@dataclass(frozen=True)
class AdapterTraining:
    """How a linear map of vectors is learnt; `stay` None: how strongly it is held to the base is chosen."""

    side: Literal["query", "both"]
    fit: Literal["closed", "gradient"]
    stay: float | None
    patience: int
    seed: int
