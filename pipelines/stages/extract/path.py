"""Metadata from where a document lies: its folders, its name, its extension."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Annotated

from pydantic import Field

from pipelines.records import Chunks, Column, Documents, MetadataValue
from pipelines.stages.extract import Replacing
from pipelines.stages.extract.texts import rows_to_columns, typed


class PathExtractor(Replacing, name="path", version=1):
    """Take folder, file name and extension from a document's id, such as reports/2023/q1.pdf.

    Choose it where files are sorted into folders that mean something: `folders` names them, so that of
    `folders: [document_type, year]` the example has document_type: reports and year: 2023. Costs next to nothing.
    """

    folders: tuple[Annotated[str, Field(min_length=1, max_length=100)], ...] = Field(
        (),
        description="Fields that the folders are the values of, from the top; empty names none",
        examples=[["document_type"], ["document_type", "year"]],
    )

    def extract(self, documents: Documents, chunks: Chunks) -> Mapping[str, Column]:
        """Return the fields `folder`, `file`, `extension`, and those that name folders."""
        names = ("folder", "file", "extension", *self.folders)
        columns = rows_to_columns(names, [self._row(name) for name in documents.ids])
        return {name: column.take(chunks.document) for name, column in columns.items()}

    def _row(self, document_id: str) -> list[MetadataValue | None]:
        path = PurePosixPath(document_id.replace("\\", "/"))
        folders = [part for part in path.parts[:-1] if part not in ("/", ".", "..")]
        named = [typed(folders[i]) if i < len(folders) else None for i in range(len(self.folders))]
        suffix = path.suffix[1:].lower()
        extension = suffix if suffix.isalnum() and len(suffix) <= 5 and not suffix.isdigit() else ""
        stem = path.stem if extension else path.name
        return ["/".join(folders) or None, stem or None, extension or None, *named]
