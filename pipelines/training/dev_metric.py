"""How well the weights of the moment retrieve: the dev questions over the real corpus, not over a batch."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from pipelines.models.backends.torch_transformer import TorchTransformer
from pipelines.models.devices import threads
from pipelines.models.encoder import Encoder, Encoding
from pipelines.progress import Progress, nothing
from pipelines.training.attention import as_loaded
from pipelines.training.collation import Prompts
from pipelines.training.lesson import Dev, Lesson
from pipelines.training.lora import merge

_BATCH = 32


def of_base(lesson: Lesson, dev: Dev) -> float:
    """Return the dev metric of the base, whose vectors are kept: mostly nothing is embedded for it."""
    return dev.by_vectors(lesson.encode(lesson.corpus, queries=False), lesson.encode(dev.questions, queries=True))


def encoder_of(model: Any, *, bfloat16: bool) -> Encoder:
    """Return an encoder of a model's weights as they are, apart from the model, in bfloat16 where that is asked for."""
    plain = deepcopy(model).eval()
    merge(plain)
    as_loaded(getattr(plain[0], "auto_model", None))
    if bfloat16:
        plain[0].bfloat16()
    return Encoder(plain, TorchTransformer(plain[0], threads()))


def of_encoder(encoder: Encoder, lesson: Lesson, dev: Dev, prompts: Prompts, progress: Progress) -> float:
    """Return the dev metric of a model in training: all chunks are embedded anew, equal ones once.

    `progress` is told after each batch, and may raise `Cancelled`.
    """
    asked, found = (
        Encoding(queries, True, _BATCH, prompt) for queries, prompt in zip((True, False), prompts, strict=True)
    )
    chunks = encoder.encode(lesson.corpus, found, progress, nothing)[0]
    return dev.by_vectors(chunks, encoder.encode(dev.questions, asked, progress, nothing)[0])
