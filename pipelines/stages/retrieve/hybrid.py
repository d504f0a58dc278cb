"""Hybrid retrieval: dense and BM25 rankings fused into one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

import numpy as np
from pydantic import Field

from pipelines.records import PADDING, DoubleArray, Rankings
from pipelines.stages.retrieve import Corpus, Lookup, Retriever, Searcher
from pipelines.stages.retrieve.bm25 import BM25Retriever, Stemmer, StopWords
from pipelines.stages.retrieve.dense import DenseRetriever
from pipelines.topk import fuse

Normalisation = Literal["min-max", "z-score", "max", "none"]


class HybridRetriever(Retriever, name="hybrid", version=1):
    """Fuse the dense and the BM25 ranking. The safe choice for questions that mix names with meaning.

    `rrf` adds 1 / (rrf_k + rank) over both lists (Cormack, Clarke and Buettcher, 2009); `weighted` adds
    alpha x dense + (1 - alpha) x BM25 scores, normalised within each question's list; what a list lacks earns nothing.
    """

    needs_vectors = True
    needs_texts = True

    fusion: Literal["rrf", "weighted"] = Field("rrf", description="Fuse by reciprocal rank, or by weighted scores")
    alpha: float = Field(0.5, ge=0.0, le=1.0, description="Weight of the dense list; BM25 has the rest")
    rrf_k: int = Field(60, ge=1, le=1000, description="How flat reciprocal ranks are (rrf only)")
    normalisation: Normalisation = Field("min-max", description="How scores are made comparable (weighted only)")
    pool: int = Field(
        100,
        ge=1,
        le=10_000,
        description="Chunks taken from each list; at least depth",
        json_schema_extra={"unit": "chunks"},
    )
    stemmer: Stemmer = Field("english", description="Language whose endings BM25 cuts off")
    stop_words: StopWords = Field("english", description="Language whose most frequent words BM25 ignores")

    def parts(self) -> Mapping[str, Retriever]:
        """Return the two retrievers, each as deep as the pool."""
        depth = max(self.pool, self.depth)
        bm25 = BM25Retriever(depth=depth, stemmer=self.stemmer, stop_words=self.stop_words)
        return {"dense": DenseRetriever(depth=depth), "bm25": bm25}

    def fuse(self, rankings: Mapping[str, Rankings]) -> Rankings:
        """Add up what each chunk earns in both lists. With `rrf`, alpha weighs the ranks: 0.5 is the plain formula."""
        dense, bm25 = rankings["dense"], rankings["bm25"]
        if self.alpha in (0, 1):
            return (dense if self.alpha else bm25).cut(self.depth)
        parts = [
            (dense.chunk, 2 * self.alpha * self._gain(dense)),
            (bm25.chunk, 2 * (1 - self.alpha) * self._gain(bm25)),
        ]
        return fuse(parts, min(self.depth, max(dense.depth, bm25.depth)))

    def _gain(self, ranking: Rankings) -> DoubleArray:
        if self.fusion == "rrf":
            gain: DoubleArray = np.broadcast_to(
                1.0 / (self.rrf_k + np.arange(1, ranking.depth + 1)), ranking.chunk.shape
            )
            return gain
        gain = normalised(ranking, self.normalisation)
        # What a list lacks earns 0 there, so nothing that it holds may earn less.
        least: DoubleArray = gain.min(axis=1, initial=0.0, keepdims=True)
        return gain - least

    def open(self, corpus: Corpus) -> Searcher:
        """Open both parts; used for single questions, where the parts' rankings aren't looked up."""
        return _HybridSearcher(self, {name: part.open(corpus) for name, part in self.parts().items()})


class _HybridSearcher:
    def __init__(self, retriever: HybridRetriever, parts: Mapping[str, Searcher]) -> None:
        self._retriever, self._parts = retriever, parts

    def search(self, lookup: Lookup) -> Rankings:
        deep = replace(lookup, depth=None)
        found = self._retriever.fuse({name: part.search(deep) for name, part in self._parts.items()})
        return found if lookup.depth is None else found.cut(lookup.depth)


def normalised(ranking: Rankings, how: Normalisation) -> DoubleArray:
    """Return each row's scores made comparable: min-max to [0, 1], z-score, share of the greatest, or as they are."""
    hit = ranking.chunk != PADDING
    scores = np.where(hit, ranking.score, np.nan).astype(np.float64)
    if how == "none" or not hit.any():
        return np.nan_to_num(scores)
    filled = np.where(hit.any(axis=1, keepdims=True), scores, 0.0)
    high, low = np.nanmax(filled, axis=1, keepdims=True), np.nanmin(filled, axis=1, keepdims=True)
    if how == "min-max":
        result = np.where(high > low, (filled - low) / np.where(high > low, high - low, 1.0), 1.0)
    elif how == "max":
        result = filled / np.where(high != 0, np.abs(high), 1.0)
    else:
        spread = np.nanstd(filled, axis=1, keepdims=True)
        result = (filled - np.nanmean(filled, axis=1, keepdims=True)) / np.where(spread > 0, spread, 1.0)
    return np.nan_to_num(np.where(hit, result, 0.0))
