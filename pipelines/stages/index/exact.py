"""Exact search: every vector is compared, in blocks of bounded memory."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import Field

from pipelines.records import BoolArray, FloatArray, IntArray, Rankings
from pipelines.stages.index import Index
from pipelines.topk import Best

Space = Literal["cosine", "ip", "l2"]
_BLOCK_ROWS = 8_192
_BLOCK_QUERIES = 512
# What it costs to copy a number of a chosen row, in multiply-adds of a matrix product.
_COPY_COST = 25


class ExactIndex(Index, name="exact", version=2):
    """Compare with every vector: no loss, and fast enough up to some hundred thousand chunks. Choose it for sweeps.

    It costs nothing to build; a search reads every vector that the filter leaves.
    """

    space: Space = Field("cosine", description="Nearness: cosine, inner product (ip) or Euclidean distance (l2)")

    def open(self, vectors: FloatArray, folder: Path | None) -> ExactSearch:
        """Return the search over `vectors`, which are not copied; nothing is written."""
        return ExactSearch(vectors, self.space)


@dataclass(frozen=True)
class ExactSearch:
    """Search by matrix products over blocks of 512 queries and 8,192 vectors: 16 MiB of scores at a time.

    Besides the vectors, which are not copied, a search to a depth of 100 takes under 64 MiB, and 8 bytes a chunk.
    """

    vectors: FloatArray
    space: Space

    def search(self, queries: FloatArray, depth: int, allowed: BoolArray | None) -> Rankings:
        """Return the `depth` nearest allowed chunks of each query."""
        n = len(self.vectors)
        rows = np.arange(n, dtype=np.int32) if allowed is None else np.flatnonzero(allowed).astype(np.int32)
        parts = [
            self._nearest(queries[at : at + _BLOCK_QUERIES], rows, depth)
            for at in range(0, len(queries), _BLOCK_QUERIES)
        ]
        if not parts:
            return Rankings.empty(0, depth)
        return Rankings(np.concatenate([p.chunk for p in parts]), np.concatenate([p.score for p in parts]))

    def score(self, queries: FloatArray, rows: IntArray) -> FloatArray:
        """Return the scores [n_queries, n_rows] of the chunks `rows`."""
        return self._similarity(self._prepared(queries), self.vectors[rows], self._lengths[rows])

    def _nearest(self, queries: FloatArray, rows: IntArray, depth: int) -> Rankings:
        best, prepared = Best(len(queries), depth), self._prepared(queries)
        for at in range(0, len(rows), _BLOCK_ROWS):
            best.add(*self._block(prepared, rows[at : at + _BLOCK_ROWS]))
        return best.rankings(depth)

    def _block(self, queries: FloatArray, rows: IntArray) -> tuple[IntArray, FloatArray]:
        """Return columns and scores of `rows`: by copying them out, or by scoring what lies between them as well."""
        first, end = int(rows[0]), int(rows[-1]) + 1
        if len(queries) * (end - first - len(rows)) > _COPY_COST * len(rows):
            return rows, self._similarity(queries, self.vectors[rows], self._lengths[rows])
        scores = self._similarity(queries, self.vectors[first:end], self._lengths[first:end])
        if end - first > len(rows):
            between = np.ones(end - first, dtype=np.bool_)
            between[rows - first] = False
            scores[:, between] = -np.inf
        return np.arange(first, end, dtype=np.int32), scores

    def _similarity(self, queries: FloatArray, vectors: FloatArray, lengths: FloatArray) -> FloatArray:
        products: FloatArray = queries @ vectors.T
        if self.space == "cosine":
            products /= lengths
        elif self.space == "l2":
            products *= 2
            products -= lengths
            products -= _squares(queries)[:, None]
        return products

    @cached_property
    def _lengths(self) -> FloatArray:
        """What the products are divided by (cosine), or what is taken from them (l2), float32 [n_chunks]."""
        if self.space == "ip":
            return np.broadcast_to(np.float32(0), len(self.vectors))
        squares = _squares(self.vectors)
        if self.space == "l2":
            return squares
        lengths: FloatArray = np.maximum(np.sqrt(squares), np.float32(1e-12))
        return lengths

    def _prepared(self, queries: FloatArray) -> FloatArray:
        if self.space != "cosine":
            return queries
        lengths: FloatArray = np.maximum(np.sqrt(_squares(queries)), np.float32(1e-12))
        return queries / lengths[:, None]


def _squares(vectors: FloatArray) -> FloatArray:
    """Return the squared length of each row, without a copy of the rows."""
    squares: FloatArray = np.einsum("ij,ij->i", vectors, vectors)
    return squares
