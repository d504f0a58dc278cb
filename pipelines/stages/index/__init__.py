"""Index: vectors into something that can be searched."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import ClassVar

from pipelines.component import Component
from pipelines.records import FloatArray, Searchable


class Index(Component, stage="index"):
    """Makes vectors searchable."""

    persistent: ClassVar[bool] = False
    """Whether `build` writes a folder. An index that is not is opened from the vectors alone."""

    exact: ClassVar[bool] = True
    """Whether the true nearest are returned. The loss of one that is not is reported with every run."""

    @abstractmethod
    def open(self, vectors: FloatArray, folder: Path | None) -> Searchable:
        """Return the index over `vectors`, float32 [n_chunks, dimensions]; `folder` is what `build` wrote."""

    def builds(self) -> str:
        """Return a digest of all that decides what `build` writes."""
        return self.fingerprint()

    def build(self, vectors: FloatArray, folder: Path) -> None:
        """Write a persistent index into an empty folder, and verify it."""

    def exact_twin(self) -> Index:
        """Return the exact index of the same space, against which this one's loss is measured."""
        return self
