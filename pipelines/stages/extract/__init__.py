"""Extract: metadata columns for chunks, from their text and their documents'."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping

from pipelines.component import Component
from pipelines.records import Chunks, Column, Documents


class Extractor(Component, stage="extract"):
    """Adds metadata to chunks, for filters to use."""

    @abstractmethod
    def extract(self, documents: Documents, chunks: Chunks) -> Mapping[str, Column]:
        """Return new columns by field name, each with one row a chunk."""
