"""Late interaction: every word of the question looks for its nearest word of the chunk (MaxSim, as in ColBERT)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Self

import numpy as np
from pydantic import Field, field_validator

from pipelines.models.backends import Way, resolve
from pipelines.models.devices import Device
from pipelines.models.encoder import Encoder, Encoding
from pipelines.models.loading import EncoderSpec, load_encoder
from pipelines.models.weights import MINILM_SHA256, architecture, minilm_folder, weights_identity
from pipelines.progress import Keep, Progress, nothing, silent
from pipelines.records import FloatArray
from pipelines.stages.rerank import Pair, PairReranker

_EMBEDDED = "all-MiniLM-L6-v2"
_TEXTS_AT_ONCE = 256
_QUESTIONS_AT_ONCE = 2_048


class LateInteractionReranker(PairReranker, name="late-interaction", version=1):
    """Rerank by MaxSim over an encoder's token vectors (Khattab and Zaharia, 2020). Needs no model of its own.

    The score is the mean over the question's tokens of the greatest cosine to a token of the chunk. Finer than one
    vector a text where a single word decides; coarser than a cross-encoder, and than a model trained for it. A pair is
    scored once for ever; token vectors are not kept: they take hundreds of times the room of the chunks' vectors.

    Choose it where one word decides and no cross-encoder is at hand. It costs encoding the chunks anew: more than
    half a second for 20 of them.
    """

    model: str = Field(
        _EMBEDDED,
        min_length=1,
        description="Folder of a sentence-transformers model, its name on the hub, or the embedded",
    )
    device: Device = Field("auto", description="Where to compute; auto takes a GPU where there is one")
    batch_size: int = Field(
        32, ge=1, le=1024, description="Texts computed together", json_schema_extra={"unit": "texts"}
    )

    @field_validator("model")
    @classmethod
    def _absolute(cls, model: str) -> str:
        """Name a folder by its full path: the work is done by another process, in another folder."""
        folder = Path(model).expanduser()
        return str(folder.resolve()) if folder.is_dir() else model

    def resolved(self) -> Self:
        """Return the reranker with the device as it is on this machine."""
        return self.model_copy(update={"device": self._way().device})

    def extra_identity(self) -> Mapping[str, str]:
        """Return the digest of the model's files in place of trust in its name, and how they are computed."""
        weights = MINILM_SHA256 if self.model == _EMBEDDED else weights_identity(self.model)
        way = self._way()
        return {"weights": weights, "backend": way.backend, "precision": way.precision}

    def pair_identity(self) -> Mapping[str, object]:
        """Return what decides a score: weights, and how they are computed."""
        own = {"use": self.name, "version": self.version, "device": self._way().device}
        return {**own, **self.extra_identity()}

    def _way(self) -> Way:
        kind = "bert" if self.model == _EMBEDDED else architecture(self.model)
        return resolve(self.device, "auto", "auto", kind)

    def _encoder(self) -> Encoder:
        folder = str(minilm_folder()) if self.model == _EMBEDDED else self.model
        return load_encoder(EncoderSpec(folder, self.extra_identity()["weights"], self._way()))

    def score_pairs(self, pairs: Sequence[Pair], progress: Progress = silent, *, keep: Keep = nothing) -> FloatArray:
        """Return MaxSim of every pair; each text is encoded once in 2,048 questions, 256 texts at a time."""
        encoder, scores, done = self._encoder(), np.zeros((len(pairs), 1), dtype=np.float32), 0
        for block in _blocks([question for question, _ in pairs], _QUESTIONS_AT_ONCE):
            asked = self._tokens(encoder, [pairs[i][0] for i in block], queries=True)
            for part in _blocks([pairs[i][1] for i in block], _TEXTS_AT_ONCE):
                own = np.asarray([block[i] for i in part], dtype=np.int64)
                texts = self._tokens(encoder, [pairs[i][1] for i in own], queries=False)
                scores[own, 0] = [max_sim(asked[pairs[i][0]], texts[pairs[i][1]]) for i in own]
                keep(own, scores[own])
                done += len(own)
                progress(done, len(pairs))
        return scores

    def _tokens(self, encoder: Encoder, texts: Sequence[str], *, queries: bool) -> dict[str, FloatArray]:
        distinct = list(dict.fromkeys(texts))
        encoding = Encoding(queries, True, self.batch_size)
        return {distinct[i]: vectors for i, vectors in encoder.tokens(distinct, encoding)}


def max_sim(question: FloatArray, chunk: FloatArray) -> np.float32:
    """Return the mean over the question's tokens [n, dimensions] of the greatest cosine to a token of the chunk.

    Vectors have length 1. Nothing is near what has no token: -1.
    """
    if not len(question) or not len(chunk):
        return np.float32(-1)
    return np.float32((question @ chunk.T).max(axis=1).mean())


def _blocks(texts: Sequence[str], size: int) -> Iterator[list[int]]:
    """Yield positions in `texts`, so that each block holds all those of `size` distinct texts."""
    place: dict[str, int] = {}
    block: dict[int, list[int]] = {}
    for i, text in enumerate(texts):
        block.setdefault(place.setdefault(text, len(place)) // size, []).append(i)
    yield from block.values()
