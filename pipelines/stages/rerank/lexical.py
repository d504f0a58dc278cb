"""Lexical overlap: the words that question and chunk share, weighed against what retrieval said."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from pydantic import Field

from pipelines.progress import Progress, silent
from pipelines.records import PADDING, DoubleArray, FloatArray, LongArray, Rankings
from pipelines.stages.rerank import Reranker, Retrieved, ordered
from pipelines.stages.rerank.words import LEXICONS, Asked, Stemmer

Overlap = Callable[[LongArray, LongArray], DoubleArray]
"""From rows of questions and their chunks, both [n_pairs], to how much they share."""


class LexicalReranker(Reranker, name="lexical", version=1):
    """Mix in the words that question and chunk share. Quick and without a model: choose it behind dense retrieval.

    `coverage` is the share of the question's words that the chunk holds, each weighed by its rarity in the corpus;
    `f1` also marks down what a chunk says besides; `rouge-l` is the longest run of the question's words that the chunk
    holds in their order, gaps allowed (Lin, 2004), unweighted.

    It costs about half a millisecond a question.
    """

    needs_texts = True

    measure: Literal["coverage", "f1", "rouge-l"] = Field("coverage", description="How overlap is measured")
    weight: float = Field(
        0.5,
        ge=0.0,
        le=1.0,
        description="Weight of the overlap; the former score, from 0 to 1 in each list, has the rest",
    )
    stemmer: Stemmer = Field("english", description="Language whose endings are cut off, so that 'banks' meets 'bank'")
    depth: int = Field(
        50,
        ge=1,
        le=1000,
        description="Ranks that are scored; what lies below is dropped",
        json_schema_extra={"unit": "chunks"},
    )

    def rerank(self, retrieved: Retrieved, progress: Progress = silent) -> Rankings:
        """Return the first `depth` chunks of each question by (1 - weight) x former score + weight x overlap."""
        given = retrieved.rankings.cut(self.depth)
        rows, ranks = np.nonzero(given.chunk != PADDING)
        overlap: DoubleArray = np.zeros(0)
        if len(rows):
            asked = LEXICONS.of(retrieved.texts, self.stemmer).asked(retrieved.questions)
            overlap = self._overlap(asked)(rows, given.chunk[rows, ranks].astype(np.int64))
        former = from_0_to_1(given)[rows, ranks]
        scores: FloatArray = ((1 - self.weight) * former + self.weight * overlap).astype(np.float32)
        progress(given.n_questions, given.n_questions)
        return ordered(retrieved, self.depth, scores)

    def _overlap(self, asked: Asked) -> Overlap:
        ways: dict[str, Overlap] = {"coverage": asked.coverage, "f1": asked.f1, "rouge-l": asked.rouge_l}
        return ways[self.measure]


def from_0_to_1(rankings: Rankings) -> DoubleArray:
    """Return each row's scores from its least (0) to its greatest (1), float64 [n_questions, depth]; 1 if all equal."""
    if not rankings.chunk.size:
        return np.zeros(rankings.chunk.shape)
    hit = rankings.chunk != PADDING
    score = rankings.score.astype(np.float64)
    low = np.where(hit, score, np.inf).min(axis=1, keepdims=True)
    high = np.where(hit, score, -np.inf).max(axis=1, keepdims=True)
    spread = np.where(high > low, high - low, 1.0)
    scaled = np.where(high > low, (score - np.where(np.isfinite(low), low, 0.0)) / spread, 1.0)
    return np.asarray(np.where(hit, scaled, 0.0))
