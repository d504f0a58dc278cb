"""Hybrid retrieval: dense and BM25 rankings fused into one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

import numpy as np
from pydantic import Field

from pipelines.records import DoubleArray, IntArray, Rankings
from pipelines.stages.retrieve import Corpus, Lookup, Retriever, Searcher
from pipelines.stages.retrieve.bm25 import BM25Retriever, WordsRetriever
from pipelines.stages.retrieve.dense import DenseRetriever
from pipelines.stages.retrieve.normalise import Normalisation, normalised
from pipelines.stages.retrieve.rules import capped
from pipelines.topk import fuse

_LEAST = {"dense": -1.0, "bm25": 0.0}
"""The least score that each list can hold, which the theoretical min-max is reckoned from; cosine is the dense one."""


class HybridRetriever(WordsRetriever, name="hybrid", version=2):
    """Fuse the dense and the BM25 ranking. The safe choice for questions that mix names with meaning.

    `rrf` adds 1 / (rrf_k + rank) over both lists (Cormack, Clarke and Buettcher, 2009); `weighted` adds
    alpha x dense + (1 - alpha) x BM25 scores, normalised within each question's list; what a list lacks earns nothing.
    Rules (recency, chunks a document) act in both lists before they are fused.

    It costs what both cost.
    """

    needs_vectors = True

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

    def parts(self) -> Mapping[str, Retriever]:
        """Return the two retrievers, each as deep as the pool and under the same rules."""
        common = {"depth": max(self.pool, self.depth), **self.own_rules()}
        words = {
            name: getattr(self, name) for name in WordsRetriever.model_fields if name not in Retriever.model_fields
        }
        return {"dense": DenseRetriever(**common), "bm25": BM25Retriever(**common, **words)}

    def idle(self) -> tuple[str, ...]:
        """Return the knobs that decide nothing, as the others are set."""
        return (*super().idle(), "normalisation" if self.fusion == "rrf" else "rrf_k")

    def fuse(self, rankings: Mapping[str, Rankings], document: IntArray | None = None) -> Rankings:
        """Add up what each chunk earns in both lists. With `rrf`, alpha weighs the ranks: 0.5 is the plain formula."""
        dense, bm25 = rankings["dense"], rankings["bm25"]
        if self.alpha in (0, 1):
            return (dense if self.alpha else bm25).cut(self.depth)
        parts = [
            (dense.chunk, 2 * self.alpha * self._gain(dense, "dense")),
            (bm25.chunk, 2 * (1 - self.alpha) * self._gain(bm25, "bm25")),
        ]
        depth = min(self.depth, max(dense.depth, bm25.depth))
        if self.per_document is None:
            return fuse(parts, depth)
        return capped(fuse(parts, dense.depth + bm25.depth), document, self.per_document).cut(depth)

    def _gain(self, ranking: Rankings, name: str) -> DoubleArray:
        if self.fusion == "rrf":
            gain: DoubleArray = np.broadcast_to(
                1.0 / (self.rrf_k + np.arange(1, ranking.depth + 1)), ranking.chunk.shape
            )
            return gain
        gain = normalised(ranking, self.normalisation, _LEAST[name])
        # What a list lacks earns 0 there, so nothing that it holds may earn less.
        least: DoubleArray = gain.min(axis=1, initial=0.0, keepdims=True)
        return gain - least

    def read(self, corpus: Corpus) -> Searcher:
        """Open both parts; used for single questions, where the parts' rankings aren't looked up."""
        return _HybridSearcher(self, {name: part.open(corpus) for name, part in self.parts().items()}, corpus.document)


class _HybridSearcher:
    def __init__(self, retriever: HybridRetriever, parts: Mapping[str, Searcher], document: IntArray | None) -> None:
        self._retriever, self._parts, self._document = retriever, parts, document

    def search(self, lookup: Lookup) -> Rankings:
        deep = replace(lookup, depth=None)
        found = {name: part.search(deep) for name, part in self._parts.items()}
        fused = self._retriever.fuse(found, self._document)
        return fused if lookup.depth is None else fused.cut(lookup.depth)
