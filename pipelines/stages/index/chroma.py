"""Chroma's HNSW index on disk: a cache that is built aside, verified, and rebuilt when anything is wrong with it."""

from __future__ import annotations

import subprocess
import sys
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field

from pipelines.errors import StorageError, shorten
from pipelines.records import PADDING, BoolArray, FloatArray, Rankings
from pipelines.stages.index import Index
from pipelines.stages.index.exact import ExactIndex, ExactSearch, Space
from pipelines.topk import top_k

COLLECTION = "chunks"
_QUERIES_AT_ONCE = 512
_MOST_IDS = 20_000
_OPENED = count()


class ChromaIndex(Index, name="chroma", version=2):
    """Search approximately with Chroma's HNSW graph. Choose it to measure what a Chroma deployment would lose.

    The run reports its loss against exact search as `ann_recall@k`. The graph comes out a little different each time
    it is built: numbers repeat as long as the built one is kept, and may move slightly after the cache was deleted.

    It costs the building of a graph for every chunking, which `exact` does without.
    """

    persistent = True
    exact = False

    space: Space = Field("cosine", description="Nearness: cosine, inner product (ip) or Euclidean distance (l2)")
    M: int = Field(16, ge=2, le=128, description="Neighbours a vector keeps in the graph: more is exacter and larger")
    ef_construction: int = Field(100, ge=10, le=1000, description="Neighbours considered while building")
    ef_search: int = Field(
        100, ge=1, le=2000, description="Neighbours considered while searching: more is exacter, slower"
    )

    exact_share: float = Field(
        0.1, ge=0.0, le=1.0, description="Share of the chunks, left by a filter, up to which the search is exact"
    )

    def builds(self) -> str:
        """Return a digest of all that decides what is built: how it is searched under filters does not."""
        default = type(self).model_fields["exact_share"].default
        return self.model_copy(update={"exact_share": default}).fingerprint()

    def build(self, vectors: FloatArray, folder: Path) -> None:
        """Write the collection in one process, close it, and verify it in another.

        Raises:
            StorageError: when Chroma cannot write it, or the verification fails.
        """
        try:
            with _damage_as_runtime_error():
                client = open_client(folder)
                try:
                    _fill(client, self._configuration(len(vectors)), vectors)
                finally:
                    close_client(client)
        except RuntimeError as error:
            raise StorageError(
                f"The index could not be written at {folder} ({shorten(error, 200)}); "
                "see that the disk has room, or use index: exact."
            ) from error
        problem = verified(folder, len(vectors))
        if problem:
            raise StorageError(
                f"Chroma wrote an index that cannot be read back ({problem}); run again, or use index: exact."
            )

    def _configuration(self, n_vectors: int) -> dict[str, Any]:
        return {
            "hnsw": {
                "space": self.space,
                "max_neighbors": self.M,
                "ef_construction": self.ef_construction,
                "ef_search": self.ef_search,
                "batch_size": max(2, min(n_vectors, 5_000)),
                "sync_threshold": max(2, n_vectors),
            }
        }

    def open(self, vectors: FloatArray, folder: Path | None) -> ChromaSearch:
        """Return the search over the collection in `folder`.

        Raises:
            RuntimeError: when another process could not read the folder: then it is not opened in this one.
        """
        if folder is None:
            raise RuntimeError("a Chroma index is opened from its folder")
        problem = verified(folder, len(vectors))
        if problem:
            raise RuntimeError(problem)
        with _damage_as_runtime_error():
            client = open_client(_own_spelling(folder))
            collection = client.get_collection(COLLECTION, embedding_function=None)
            search = ChromaSearch(collection, self.exact_twin().open(vectors, None), self.exact_share)
        weakref.finalize(search, close_client, client)
        return search

    def exact_twin(self) -> ExactIndex:
        """Return exact search in the same space."""
        return ExactIndex(space=self.space)


@dataclass(frozen=True)
class ChromaSearch:
    """Approximate search. The chunks that the graph finds are scored exactly, from the vectors that we hold."""

    collection: Any
    exactly: ExactSearch
    exact_share: float = 0.1

    def search(self, queries: FloatArray, depth: int, allowed: BoolArray | None) -> Rankings:
        """Return near chunks; where the graph finds too few of the allowed, they are searched exactly instead."""
        if allowed is not None and allowed.all():
            allowed = None
        if allowed is not None and (allowed.mean() <= self.exact_share or allowed.sum() > _MOST_IDS):
            return self.exactly.search(queries, depth, allowed)
        possible = int(len(self.exactly.vectors) if allowed is None else allowed.sum())
        wanted = min(depth, possible)
        found = self._rescored(queries, self._ask(queries, wanted, allowed), depth)
        short = np.flatnonzero((found.chunk != PADDING).sum(axis=1) < wanted)
        if len(short):
            exact = self.exactly.search(queries[short], depth, allowed)
            found.chunk[short], found.score[short] = exact.chunk, exact.score
        return found

    def _ask(self, queries: FloatArray, wanted: int, allowed: BoolArray | None) -> list[list[int]]:
        if wanted == 0 or len(queries) == 0:
            return [[] for _ in queries]
        only = {} if allowed is None else {"ids": [str(i) for i in np.flatnonzero(allowed)]}
        found: list[list[int]] = []
        for at in range(0, len(queries), _QUERIES_AT_ONCE):
            part = queries[at : at + _QUERIES_AT_ONCE]
            with _damage_as_runtime_error():
                answer = self.collection.query(query_embeddings=part, n_results=wanted, include=[], **only)
            found += [[int(i) for i in ids] for ids in answer["ids"]]
        return found

    def _rescored(self, queries: FloatArray, found: list[list[int]], depth: int) -> Rankings:
        rankings = Rankings.empty(len(queries), depth)
        for row, ids in enumerate(found):
            if not ids:
                continue
            own = np.unique(np.asarray(ids, dtype=np.int32))
            columns, values = top_k(self.exactly.score(queries[row : row + 1], own), len(own))
            rankings.chunk[row, : len(own)] = own[columns[0]]
            rankings.score[row, : len(own)] = values[0]
        return rankings


@contextmanager
def _damage_as_runtime_error() -> Iterator[None]:
    """Make one error of the many kinds that Chroma and its parts raise; whoever opened the index then rebuilds it."""
    try:
        yield
    except Exception as error:
        raise RuntimeError(f"Chroma: {type(error).__name__}: {error}") from error


def _own_spelling(folder: Path) -> str:
    """Return a path to `folder` that was not used before.

    Chroma shares what it has opened by the path as it is spelled, and goes on reading files that were since replaced.
    """
    return str(folder) + "".join("/." if digit == "0" else "//." for digit in f"{next(_OPENED):b}")


def open_client(folder: str | Path) -> Any:
    """Open Chroma's embedded client on `folder`, silent."""
    import chromadb

    return chromadb.PersistentClient(str(folder), settings=chromadb.Settings(anonymized_telemetry=False))


def close_client(client: Any) -> None:
    """Let go of the files, so that the folder can be renamed and another process may open it."""
    close = getattr(client, "close", None)
    if close is not None:
        close()


def _fill(client: Any, configuration: dict[str, Any], vectors: FloatArray) -> None:
    collection = client.create_collection(COLLECTION, configuration=configuration, embedding_function=None)
    step = min(client.get_max_batch_size(), 5_000)
    for at in range(0, len(vectors), step):
        part = vectors[at : at + step]
        collection.add(ids=[str(i) for i in range(at, at + len(part))], embeddings=part)


def verified(folder: Path, n_vectors: int) -> str:
    """Read the index in a process of its own, for a damaged one may kill who opens it; return what is wrong, or ""."""
    command = [sys.executable, "-m", "pipelines.stages.index._verify", str(folder), str(n_vectors)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    except subprocess.TimeoutExpired:
        return "reading it took more than ten minutes"
    return "" if done.returncode == 0 else (done.stdout.strip() or f"its reader ended with code {done.returncode}")
