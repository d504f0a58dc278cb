"""Rocchio: the question's vector moves towards what is found first, for retrievers by vectors."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from pydantic import Field

from pipelines.records import PADDING, FloatArray, IntArray, Rankings
from pipelines.stages.transform import FeedbackTransformer

_ROWS_AT_ONCE = 256


class RocchioKnobs(FeedbackTransformer):
    """The feedback of vectors, with its knobs."""

    feeds_vectors = True

    documents: int = Field(
        3,
        ge=1,
        le=200,
        description="Chunks of the first search that are taken for relevant",
        json_schema_extra={"unit": "chunks"},
    )
    alpha: float = Field(1.0, ge=0.0, le=10.0, description="Weight of the question's own vector")
    beta: float = Field(0.75, ge=0.0, le=10.0, description="Weight of the mean vector of the relevant chunks")
    gamma: float = Field(
        0.0, ge=0.0, le=10.0, description="Weight with which the mean of the chunks taken for irrelevant is subtracted"
    )
    irrelevant: int = Field(
        10,
        ge=1,
        le=200,
        description="Chunks at the end of the first search that are taken for irrelevant (gamma above 0 only)",
        json_schema_extra={"unit": "chunks"},
    )
    reach: int = Field(
        100,
        ge=2,
        le=1000,
        description="Depth of the first search, where the irrelevant ones are its last (gamma above 0 only)",
        json_schema_extra={"unit": "chunks"},
    )

    def feeding(self, *, words: bool) -> Mapping[str, object]:
        """Return all that decides what is fed back to retrievers by vectors."""
        unused = () if self.gamma else ("irrelevant", "reach")
        knobs = {name: getattr(self, name) for name in RocchioKnobs.model_fields if name not in unused}
        return {"feeds": "rocchio", "version": self.version, **knobs}

    def looks_at(self, *, words: bool) -> int:
        """Return how many chunks of the first search are needed."""
        return self.documents if words or not self.gamma else max(self.reach, self.documents)

    def moved(self, asked: FloatArray, vectors: FloatArray, first: Rankings) -> FloatArray:
        """Return alpha x question + beta x mean(relevant) - gamma x mean(irrelevant), of unit length."""
        result = np.empty_like(asked)
        for at in range(0, len(asked), _ROWS_AT_ONCE):
            rows = slice(at, at + _ROWS_AT_ONCE)
            result[rows] = self._moved(asked[rows], vectors, first.chunk[rows])
        return result

    def _moved(self, asked: FloatArray, vectors: FloatArray, chunk: IntArray) -> FloatArray:
        total = np.float32(self.alpha) * asked + np.float32(self.beta) * _mean(vectors, chunk[:, : self.documents])
        if self.gamma:
            total -= np.float32(self.gamma) * _mean(vectors, last(chunk[:, self.documents :], self.irrelevant))
        length = np.sqrt(np.einsum("ij,ij->i", total, total))[:, None]
        # What cancels itself out has no direction: the question stays as it was.
        moved: FloatArray = np.where(length > 1e-6, total / np.maximum(length, np.float32(1e-12)), asked)
        return moved


class RocchioTransformer(RocchioKnobs, name="rocchio", version=1):
    """Move the question's vector towards the first chunks found (Rocchio). For dense and the dense half of hybrid.

    Choose it where one topic is spread over many chunks and depth matters more than the first rank. It drifts where the
    first hits are wrong. Costs a second search, and no further embedding.

    q' = alpha x q + beta x mean(first `documents`) - gamma x mean(last `irrelevant` of `reach`), made unit length
    (Rocchio, 1971; for dense vectors Li et al., 2021, who take no irrelevant ones).
    """


def last(chunk: IntArray, n: int) -> IntArray:
    """Return the last `n` hits of each row, int32 [n_rows, at most n], padded at the end."""
    n_hits = (chunk != PADDING).sum(axis=1, keepdims=True)
    place = n_hits - 1 - np.arange(min(n, chunk.shape[1]))
    found: IntArray = np.take_along_axis(chunk, np.maximum(place, 0), axis=1)
    return np.where(place >= 0, found, np.int32(PADDING))


def _mean(vectors: FloatArray, chunk: IntArray) -> FloatArray:
    """Return the mean vector of each row's chunks, float32 [n_rows, dimensions]; 0 where it has none."""
    hit = chunk != PADDING
    if not hit.any():
        return np.zeros((len(chunk), vectors.shape[1]), dtype=np.float32)
    rows = np.where(hit[:, :, None], vectors[np.maximum(chunk, 0)], np.float32(0))
    total: FloatArray = rows.sum(axis=1, dtype=np.float32)
    mean: FloatArray = total / np.maximum(hit.sum(axis=1, keepdims=True), 1).astype(np.float32)
    return mean
