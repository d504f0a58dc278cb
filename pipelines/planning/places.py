"""What a chunk's place in its document says of it: the section that it begins in, the document's first line."""

from __future__ import annotations

from collections.abc import Mapping

from pipelines.records import SECTION, Chunks, Column, Documents
from pipelines.stages.retrieve import FIRST_LINE

_LINE_CHARS = 300


def columns_of_place(documents: Documents, chunks: Chunks) -> Mapping[str, Column]:
    """Return the columns of the chunks, with the section by the documents' marks where no field of that name is.

    The first line of each document, without what marks it as a heading, is the column `FIRST_LINE`.
    """
    found = {FIRST_LINE: Column.of(first_line(text) for text in documents.texts).take(chunks.document)}
    if SECTION in documents.marks:
        found[SECTION] = documents.marks[SECTION].at(chunks.document, chunks.start)
    return {**found, **chunks.columns}


def first_line(text: str) -> str | None:
    """Return the first line of a text that holds anything, cut at 300 characters; None where none does."""
    lines = (line.strip().lstrip("#").strip() for line in text[: 20 * _LINE_CHARS].splitlines())
    return next((line[:_LINE_CHARS] for line in lines if line), None)
