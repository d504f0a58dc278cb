"""Maximal marginal relevance: near the question, and not near what was already chosen."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
from pydantic import Field, PrivateAttr

from pipelines.progress import Progress, silent
from pipelines.records import PADDING, FloatArray, IntArray, Rankings
from pipelines.stages.rerank import Reranker, Retrieved

_BLOCK_BYTES = 16 * 2**20
_REMEMBERED_BYTES = 256 * 2**20
_REMEMBERED_BATCHES = 4
_one_thread_lock = threading.Lock()


@dataclass(frozen=True)
class _Batch:
    """What the cosines of a batch depend on: chunk is int32 [q, d], vectors [n_chunks, dims], asked [q, dims]."""

    chunk: IntArray
    vectors: FloatArray
    asked: FloatArray

    def same(self, other: _Batch) -> bool:
        """Return whether the cosines are the same, going by the arrays themselves where they are large."""
        corpus = self.vectors is other.vectors and self.asked is other.asked
        return corpus and np.array_equal(self.chunk, other.chunk)

    def slices(self) -> list[slice]:
        """Cut the questions into blocks whose vectors and cosines take 16 MiB at most, where one question does not."""
        width, dimensions = self.chunk.shape[1] + 1, self.vectors.shape[1]
        step = max(1, _BLOCK_BYTES // (4 * width * (width + dimensions)))
        return [slice(at, min(at + step, len(self.chunk))) for at in range(0, len(self.chunk), step)]

    def cosines(self, rows: slice) -> FloatArray:
        """Return every cosine among each question, which stands first, and its chunks: float32 [q, d + 1, d + 1].

        One matrix product a question, so that the bits do not depend on which questions stand in a block.
        """
        asked, ranked = self.asked[rows], self.chunk[rows]
        vectors = np.empty((len(ranked), ranked.shape[1] + 1, asked.shape[1]), dtype=np.float32)
        vectors[:, 0] = asked
        np.take(self.vectors, ranked, axis=0, out=vectors[:, 1:], mode="wrap")  # padding takes some vector, unused
        cosines: FloatArray = np.matmul(vectors, vectors.transpose(0, 2, 1))
        length = np.sqrt(np.maximum(np.diagonal(cosines, axis1=1, axis2=2), np.float32(1e-24)))
        cosines /= length[:, :, None] * length[:, None, :]
        return cosines


@dataclass
class Cosines:
    """The cosines of the latest batches, for another lambda on the same rankings and vectors: they don't depend on it.

    At most four batches of together 256 MiB are held.
    """

    _held: list[tuple[_Batch, list[FloatArray]]] = field(default_factory=list)

    def find(self, batch: _Batch) -> list[FloatArray]:
        """Return the blocks of a batch; none where it is not held."""
        return next((blocks for one, blocks in self._held if one.same(batch)), [])

    def keep(self, batch: _Batch, blocks: list[FloatArray]) -> None:
        """Hold a batch, and let go of the oldest ones that there is no room for beside it."""
        self._held.append((batch, blocks))
        while len(self._held) > _REMEMBERED_BATCHES or self._bytes() > _REMEMBERED_BYTES:
            del self._held[0]

    def _bytes(self) -> int:
        return sum(block.nbytes for _, blocks in self._held for block in blocks)


class MMRReranker(Reranker, name="mmr", version=2):
    """Trade relevance against repetition (Carbonell and Goldstein, 1998). Choose it where chunks repeat each other.

    At each rank the chunk is taken with the greatest lambda x cos(question, chunk) - (1 - lambda) x (greatest cosine,
    at least 0, to a chosen chunk).

    It needs the chunks' vectors, and costs about half a millisecond a question. Where each question has one answer
    it can harm.
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
    _cosines: Cosines | None = PrivateAttr(None)

    def remembering(self, cosines: Cosines) -> MMRReranker:
        """Return the same reranker, which looks cosines up in `cosines` and keeps them there: equal bits, sooner."""
        own = self.model_copy()
        own._cosines = cosines
        return own

    def rerank(self, retrieved: Retrieved, progress: Progress = silent) -> Rankings:
        """Return the first `depth` chunks of each question, reordered; scores are the marginal relevances."""
        if retrieved.vectors is None or retrieved.question_vectors is None:
            raise TypeError("mmr needs vectors")
        batch = _Batch(retrieved.rankings.chunk[:, : self.depth], retrieved.vectors, retrieved.question_vectors)
        chosen = Rankings.empty(*batch.chunk.shape)
        for rows, cosines in self._blocks(batch):
            self._greedy(batch.chunk[rows], cosines, Rankings(chosen.chunk[rows], chosen.score[rows]))
            progress(rows.stop, len(batch.chunk))
        return chosen

    def _blocks(self, batch: _Batch) -> Iterator[tuple[slice, FloatArray]]:
        """Yield the cosines of a block of questions at a time, computed or remembered."""
        parts = batch.slices()
        known = self._cosines.find(batch) if self._cosines else []
        if known:
            yield from zip(parts, known, strict=True)
            return
        n, depth = batch.chunk.shape
        holds = self._cosines is not None and 4 * n * (depth + 1) ** 2 <= _REMEMBERED_BYTES
        held: list[FloatArray] = []
        for rows in parts:
            with _one_thread():
                cosines = batch.cosines(rows)
            held += [cosines] if holds else []
            yield rows, cosines
        if self._cosines is not None and held:
            self._cosines.keep(batch, held)

    def _greedy(self, chunk: IntArray, cosines: FloatArray, chosen: Rankings) -> None:
        """Choose rank by rank, all questions at once. Shapes: chunk, chosen [q, d], cosines [q, d + 1, d + 1]."""
        rows, n_left = np.arange(len(chunk)), np.count_nonzero(chunk != PADDING, axis=1)
        share, cost = np.float32(self.lambda_mult), np.float32(1 - self.lambda_mult)
        relevance = np.where(chunk == PADDING, np.float32(-np.inf), share * cosines[:, 0, 1:])
        repeated, value = np.zeros_like(relevance), np.empty_like(relevance)
        for rank in range(int(n_left.max(initial=0))):
            np.multiply(repeated, cost, out=value)
            np.subtract(relevance, value, out=value)
            best = value.argmax(axis=1)
            chosen.chunk[:, rank], chosen.score[:, rank] = chunk[rows, best], value[rows, best]
            relevance[rows, best] = -np.inf
            np.maximum(repeated, cosines[rows, best + 1, 1:], out=repeated)
        ended = np.arange(chunk.shape[1]) >= n_left[:, None]
        chosen.chunk[ended], chosen.score[ended] = PADDING, 0.0


@contextmanager
def _one_thread() -> Iterator[None]:
    """Have BLAS use one thread: on matrices of a hundred rows, several wait for one another three times as long."""
    # The number is the whole process's: one at a time changes it, so that each puts back what was there before.
    with _one_thread_lock, _pools().limit(limits=1, user_api="blas"):
        yield


@cache
def _pools() -> Any:
    from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

    return ThreadpoolController()
