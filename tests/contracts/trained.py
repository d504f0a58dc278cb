"""Folders that embedders learnt, made at once: a map solved over a few sentences, and weights moved a little."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

import numpy as np

from pipelines.models.static import distil_static
from pipelines.models.weights import minilm_folder
from pipelines.progress import silent
from pipelines.records.pairs import Passage, TrainingPair, TrainingPairs
from pipelines.stages.embed import Embedder
from pipelines.stages.embed.finetuned import FinetunedEmbedder
from pipelines.stages.embed.minilm import MiniLMEmbedder
from pipelines.stages.embed.static import StaticEmbedder
from pipelines.training.lesson import Lesson, Workshop

SENTENCES = tuple(
    f"The {what} of {city} opened in {year}."
    for year, (what, city) in enumerate(
        ((what, city) for what in ("harbour", "library", "railway") for city in ("Arden", "Belmont", "Corvale")), 1850
    )
)


def learnt(embedder: Embedder) -> Path | None:
    """The folder for an embedder that is trained or distilled; None for any other."""
    if isinstance(embedder, StaticEmbedder):
        return _static()
    if not isinstance(embedder, FinetunedEmbedder):
        return None
    return _map(embedder.adapter_side) if embedder.method == "adapter" else _weights()


def lesson() -> Lesson:
    """Nine sentences with a question on each, embedded by MiniLM."""
    base = MiniLMEmbedder(device="cpu", precision="float32")
    pairs = tuple(
        TrainingPair(
            str(i),
            text.replace("The", "When was the").replace(" opened in", ", opened before"),
            Passage("d", i, i + 1, text),
        )
        for i, text in enumerate(SENTENCES)
    )
    return Lesson(TrainingPairs(pairs), SENTENCES, lambda texts, *, queries: base.embed_documents(list(texts)).vectors)


@cache
def _map(side: str) -> Path:
    folder = _folder()
    embedder = FinetunedEmbedder(adapter_side=side, adapter_fit="closed", adapter_stay=3.0, device="cpu")
    embedder.train(lesson(), folder, Workshop(folder))
    return folder


@cache
def _weights() -> Path:
    """MiniLM with a little noise in every matrix: another model of the same shape."""
    import torch

    from pipelines.models.loading import load_model

    model, random = load_model(str(minilm_folder()), "cpu"), np.random.default_rng(0)
    with torch.no_grad():
        for weight in model.parameters():
            noise = random.standard_normal(tuple(weight.shape), dtype=np.float32)
            weight += 0.02 * float(weight.std(correction=0)) * torch.from_numpy(noise)
    folder = _folder()
    model.save_pretrained(str(folder), create_model_card=False)
    return folder


@cache
def _static() -> Path:
    """Token vectors of MiniLM's first layer: the others make them better, and take five times as long."""
    from pipelines.models.loading import load_model

    shallow, folder = _folder(), _folder()
    model = load_model(str(minilm_folder()), "cpu")
    transformer = model[0].auto_model
    transformer.encoder.layer = transformer.encoder.layer[:1]
    transformer.config.num_hidden_layers = 1
    model.save_pretrained(str(shallow), create_model_card=False)
    distil_static(str(shallow), 256, folder, silent)
    return folder


def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="trained-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
