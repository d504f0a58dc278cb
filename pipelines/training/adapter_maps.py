"""Linear maps of vectors: as they are kept, blended with the identity, and applied."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from pipelines.errors import StorageError, shorten
from pipelines.records import FloatArray

ADAPTER_FILE = "adapter.safetensors"
_ROWS = 32
"""Rows multiplied at once, always as many: so that a row's bits do not depend on how many stand beside it."""


@dataclass(frozen=True)
class Maps:
    """A map of the queries' vectors and one of the documents', float32 [d, d]; None leaves a side as it is."""

    query: FloatArray | None = None
    document: FloatArray | None = None

    def of(self, *, queries: bool) -> FloatArray | None:
        """Return the map of one side."""
        return self.query if queries else self.document

    def blended(self, share: float) -> Maps:
        """Return the maps on the way from the identity, at 0, to themselves, at 1."""
        return Maps(
            *(None if one is None or share == 0.0 else _lerped(one, share) for one in (self.query, self.document))
        )

    def save(self, folder: Path) -> None:
        """Write them into `folder`."""
        from safetensors.numpy import save_file

        held = {"query": self.query, "document": self.document}
        save_file(
            {name: np.ascontiguousarray(one) for name, one in held.items() if one is not None}, folder / ADAPTER_FILE
        )

    @classmethod
    def read(cls, folder: Path) -> Maps:
        """Return the maps in `folder`.

        Raises:
            StorageError: when they cannot be read.
        """
        path = folder / ADAPTER_FILE
        try:
            found = path.stat()
        except OSError as error:
            raise StorageError(f"The learnt map {path} is missing ({error.strerror}); train it again.") from error
        return _read(path, found.st_mtime_ns)


@lru_cache(maxsize=8)
def _read(path: Path, stamp: int) -> Maps:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        found = load_file(path)
    except (OSError, SafetensorError) as error:
        raise StorageError(
            f"The learnt map {path} cannot be read ({shorten(error, 120)}); delete its folder: it is learnt again."
        ) from error
    return Maps(found.get("query"), found.get("document"))


def _lerped(learnt: FloatArray, share: float) -> FloatArray:
    if share == 1.0:
        return learnt
    mixed: FloatArray = (share * learnt + (1.0 - share) * np.eye(len(learnt))).astype(np.float32)
    return mixed


def mapped(vectors: FloatArray, by: FloatArray | None) -> FloatArray:
    """Return vectors, float32 [n, d], times the map: each row the same whatever rows stand beside it."""
    if by is None:
        return vectors
    found = np.empty((len(vectors), by.shape[1]), dtype=np.float32)
    exact, block = by.astype(np.float64), np.zeros((_ROWS, vectors.shape[1]))
    for at in range(0, len(vectors), _ROWS):
        rows = vectors[at : at + _ROWS]
        block[: len(rows)] = rows
        found[at : at + len(rows)] = (block @ exact)[: len(rows)]
    return found


def cut(vectors: FloatArray, dimensions: int | None) -> FloatArray:
    """Return the first `dimensions` of every vector; None leaves them as they are."""
    return vectors if dimensions is None else np.ascontiguousarray(vectors[:, :dimensions])


def unit(vectors: FloatArray) -> FloatArray:
    """Return the vectors scaled to length 1; a vector of zeros stays one."""
    length = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))[:, None]
    scaled: FloatArray = (vectors / np.maximum(length, np.float32(1e-12))).astype(np.float32)
    return scaled
