"""How well the weights of the moment retrieve: the dev questions over the real corpus, not over a batch."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from pipelines.models.backends.torch_transformer import TorchTransformer
from pipelines.models.devices import threads
from pipelines.models.encoder import Encoder, Encoding
from pipelines.progress import Progress, nothing
from pipelines.training.lesson import Dev, Lesson
from pipelines.training.lora import merge

_BATCH = 32


def of_base(lesson: Lesson, dev: Dev) -> float:
    """Return the dev metric of the base, whose vectors are kept: mostly nothing is embedded for it."""
    return dev.by_vectors(lesson.encode(lesson.corpus, queries=False), lesson.encode(dev.questions, queries=True))


def of_weights(model: Any, lesson: Lesson, dev: Dev, *, bfloat16: bool, progress: Progress) -> float:
    """Return the dev metric of a model in training, every chunk of the corpus embedded anew.

    Each distinct text is computed once, with texts of its length, in bfloat16 where that is asked for. `progress` is
    told after each batch, and may raise `Cancelled`.
    """
    plain = deepcopy(model).eval()
    merge(plain)
    if bfloat16:
        plain[0].bfloat16()
    encoder = Encoder(plain, TorchTransformer(plain[0], threads()))
    chunks = encoder.encode(lesson.corpus, Encoding(batch_size=_BATCH), progress, nothing)[0]
    questions = encoder.encode(dev.questions, Encoding(queries=True, batch_size=_BATCH), progress, nothing)[0]
    return dev.by_vectors(chunks, questions)
