"""Maximal marginal relevance: near the question, and not near what was already chosen."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from pipelines.progress import Progress, silent
from pipelines.records import PADDING, FloatArray, IntArray, Rankings
from pipelines.stages.rerank import Reranker, Retrieved

_QUESTIONS_AT_ONCE = 64


class MMRReranker(Reranker, name="mmr", version=1):
    """Trade relevance against repetition (Carbonell and Goldstein, 1998). Choose it where chunks repeat each other.

    At each rank the chunk is taken with the greatest lambda x cos(question, chunk) - (1 - lambda) x (greatest cosine,
    at least 0, to a chosen chunk).
    """

    needs_vectors = True

    lambda_mult: float = Field(0.7, ge=0.0, le=1.0, description="lambda: 1 is relevance alone, 0 is variety alone")
    depth: int = Field(
        50,
        ge=1,
        le=1000,
        description="Ranks that are reordered; what lies below is dropped",
        json_schema_extra={"unit": "chunks"},
    )

    def rerank(self, retrieved: Retrieved, progress: Progress = silent) -> Rankings:
        """Return the first `depth` chunks of each question, reordered; scores are the marginal relevances."""
        if retrieved.vectors is None or retrieved.question_vectors is None:
            raise TypeError("mmr needs vectors")
        rankings = retrieved.rankings.cut(self.depth)
        n = rankings.n_questions
        parts: list[Rankings] = []
        for at in range(0, n, _QUESTIONS_AT_ONCE):
            chunk = rankings.chunk[at : at + _QUESTIONS_AT_ONCE]
            asked = retrieved.question_vectors[at : at + _QUESTIONS_AT_ONCE]
            parts.append(self._greedy(chunk, _unit(retrieved.vectors[chunk]), _unit(asked)))
            progress(min(at + _QUESTIONS_AT_ONCE, n), n)
        if not parts:
            return rankings
        return Rankings(np.concatenate([p.chunk for p in parts]), np.concatenate([p.score for p in parts]))

    def _greedy(self, chunk: IntArray, vectors: FloatArray, asked: FloatArray) -> Rankings:
        """Choose rank by rank, all questions at once. Shapes: chunk [q, d], vectors [q, d, dims], asked [q, dims]."""
        chosen = Rankings.empty(*chunk.shape)
        rows = np.arange(len(chunk))
        relevance = np.einsum("qd,qkd->qk", asked, vectors)
        repeated = np.zeros(chunk.shape, dtype=np.float32)
        left = chunk != PADDING
        for rank in range(chunk.shape[1]):
            value = np.where(left, self.lambda_mult * relevance - (1 - self.lambda_mult) * repeated, -np.inf)
            best = value.argmax(axis=1)
            some = left[rows, best]
            chosen.chunk[some, rank] = chunk[rows, best][some]
            chosen.score[some, rank] = value[rows, best][some]
            left[rows, best] = False
            near = np.einsum("qd,qkd->qk", vectors[rows, best], vectors)
            repeated = np.maximum(repeated, near)
        return chosen


def _unit(vectors: FloatArray) -> FloatArray:
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    unit: FloatArray = vectors / np.maximum(length, np.float32(1e-12))
    return unit
