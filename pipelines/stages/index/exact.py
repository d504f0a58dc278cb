"""Exact search: every vector is compared, in blocks of bounded memory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import Field

from pipelines.records import BoolArray, FloatArray, IntArray, Rankings
from pipelines.stages.index import Index
from pipelines.topk import padded, top_k

Space = Literal["cosine", "ip", "l2"]
_BLOCK_ROWS = 65_536
_BLOCK_QUERIES = 512


class ExactIndex(Index, name="exact", version=1):
    """Compare with every vector: no loss, and fast enough up to some hundred thousand chunks. Choose it for sweeps."""

    space: Space = Field("cosine", description="Nearness: cosine, inner product (ip) or Euclidean distance (l2)")

    def open(self, vectors: FloatArray, folder: Path | None) -> ExactSearch:
        """Return the search over `vectors`; nothing is written."""
        return ExactSearch(_prepared(vectors, self.space), self.space)


@dataclass(frozen=True)
class ExactSearch:
    """Search by matrix products; at most 512 x 65,536 scores (128 MiB) are held at a time."""

    vectors: FloatArray
    space: Space

    def search(self, queries: FloatArray, depth: int, allowed: BoolArray | None) -> Rankings:
        """Return the `depth` nearest allowed chunks of each query."""
        rows = (
            np.arange(len(self.vectors), dtype=np.int32)
            if allowed is None
            else np.flatnonzero(allowed).astype(np.int32)
        )
        prepared = _prepared(queries, self.space)
        blocks = [
            self._nearest(prepared[at : at + _BLOCK_QUERIES], rows, depth)
            for at in range(0, len(queries), _BLOCK_QUERIES)
        ]
        if not blocks:
            return Rankings.empty(0, depth)
        return Rankings(np.concatenate([b.chunk for b in blocks]), np.concatenate([b.score for b in blocks]))

    def score(self, queries: FloatArray, rows: IntArray) -> FloatArray:
        """Return the scores [n_queries, n_rows] of the chunks `rows`."""
        return self._similarity(_prepared(queries, self.space), self.vectors[rows])

    def _nearest(self, queries: FloatArray, rows: IntArray, depth: int) -> Rankings:
        chunk = np.zeros((len(queries), 0), dtype=np.int32)
        score = np.zeros((len(queries), 0), dtype=np.float32)
        for at in range(0, len(rows), _BLOCK_ROWS):
            part = rows[at : at + _BLOCK_ROWS]
            columns, values = top_k(self._similarity(queries, self._take(part)), depth)
            chunk, score = np.concatenate([chunk, part[columns]], axis=1), np.concatenate([score, values], axis=1)
            best, score = top_k(score, depth)
            chunk = np.take_along_axis(chunk, best, axis=1)
        return padded(chunk, score, depth)

    def _take(self, rows: IntArray) -> FloatArray:
        contiguous = len(rows) > 0 and int(rows[-1]) - int(rows[0]) + 1 == len(rows)
        return self.vectors[rows[0] : rows[-1] + 1] if contiguous else self.vectors[rows]

    def _similarity(self, queries: FloatArray, vectors: FloatArray) -> FloatArray:
        products: FloatArray = queries @ vectors.T
        if self.space != "l2":
            return products
        lengths = np.einsum("ij,ij->i", vectors, vectors)
        own = np.einsum("ij,ij->i", queries, queries)
        squared: FloatArray = 2 * products - lengths[None, :] - own[:, None]
        return squared


def _prepared(vectors: FloatArray, space: Space) -> FloatArray:
    if space != "cosine":
        return vectors
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: FloatArray = vectors / np.maximum(length, np.float32(1e-12))
    return unit
