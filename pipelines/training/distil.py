"""What a slower model, or the base itself, makes of the texts that are learnt from: computed once, at the start."""

from __future__ import annotations

from typing import Any

import numpy as np

from pipelines.models.backends.torch_transformer import TorchTransformer
from pipelines.models.devices import multiplies_bfloat16, threads
from pipelines.models.encoder import Encoder, Encoding
from pipelines.models.loading import load_model
from pipelines.progress import Progress, nothing
from pipelines.records import FloatArray
from pipelines.training.examples import Examples
from pipelines.training.lesson import Lesson
from pipelines.training.methods import EncoderTraining


def vectors_of_base(examples: Examples, lesson: Lesson) -> FloatArray:
    """Return the base model's vectors of all texts, float32 [n_texts, dimensions]; kept ones are looked up."""
    asked = lesson.encode(examples.questions, queries=True)
    return np.concatenate([asked, lesson.encode(examples.passages, queries=False)])


def vectors_of_teacher(examples: Examples, how: EncoderTraining, progress: Progress) -> FloatArray:
    """Return the teacher's vectors of all texts, float32 [n_texts, the teacher's dimensions].

    Raises:
        ConfigurationError: when the teacher cannot be loaded: no weights, pickled ones, or code of its own.
    """
    model: Any = load_model(how.teacher, how.base.device)
    if multiplies_bfloat16(how.base.device):
        model[0].bfloat16()
    encoder = Encoder(model, TorchTransformer(model[0], threads()))
    asked = encoder.encode(examples.questions, Encoding(queries=True), progress, nothing)[0]
    return np.concatenate([asked, encoder.encode(examples.passages, Encoding(), progress, nothing)[0]])
