"""Extract: metadata columns for chunks, from their text and their documents'."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from pipelines.component import Component
from pipelines.records import Chunks, Column, Documents
from pipelines.stages.extract.merging import merged


class Extractor(Component, stage="extract"):
    """Adds metadata to chunks, for filters to use.

    What a document is known to have is kept: an extracted value fills a gap, unless `replaces` names its field.
    """

    reads_metadata: ClassVar[bool] = False
    """Whether what is extracted depends on the metadata that are there already."""

    @abstractmethod
    def extract(self, documents: Documents, chunks: Chunks) -> Mapping[str, Column]:
        """Return columns by field name, each with one row a chunk: what is extracted, before anything is filled."""

    def replaces(self) -> bool:
        """Whether extracted values stand above those that the documents have."""
        return False

    def added(self, chunks: Chunks, extracted: Mapping[str, Column]) -> Mapping[str, Column]:
        """Return the chunks' columns with what was extracted of them."""
        return merged(chunks.columns, extracted, replace=self.replaces())


class Replacing(Extractor):
    """An extractor that may be told to set its values above those of the documents."""

    replace: bool = Field(False, description="Whether extracted values stand above those that documents already have")

    def replaces(self) -> bool:
        """Return the knob."""
        return self.replace
