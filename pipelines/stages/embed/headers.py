"""What is put before a chunk's text for embedding only: its document's title, its section, its table's header row."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import Literal, TypeAlias

from pipelines.models.outline import Labelled, first_heading, header_rows, sections, tables
from pipelines.records import Chunks, Document, Documents

Header: TypeAlias = Literal["none", "title", "section", "title-section", "title-section-table"]

HEADERS_VERSION = 2
"""Raise it when the same documents and chunks would get other headers."""


def headed_texts(documents: Documents, chunks: Chunks, header: Header) -> list[str]:
    """Return what is embedded for each chunk: header lines, an empty line, and the chunk's text; or the text alone.

    The title is the metadata's `title`, else the first heading, else the document's id made readable. The section is
    that at the chunk's start, by the document's marks or else its headings. The header row is that of the table that
    the chunk continues.
    """
    headers = (line for d, starts in _by_document(chunks) for line in _Headers(documents[d], header).at(starts))
    return [f"{head}\n\n{text}" if head else text for head, text in zip(headers, chunks.texts(documents), strict=True)]


def _by_document(chunks: Chunks) -> Iterator[tuple[int, list[int]]]:
    rows: dict[int, list[int]] = {}
    for document, start in zip(chunks.document.tolist(), chunks.start.tolist(), strict=True):
        rows.setdefault(document, []).append(start)
    return iter(rows.items())


class _Headers:
    """The headers of one document's chunks."""

    def __init__(self, document: Document, header: Header) -> None:
        self._text = document.text
        self._title = title_of(document) if "title" in header else ""
        self._sections = sections(document) if "section" in header else []
        self._tables = tables(document) if "table" in header else []

    def at(self, starts: Sequence[int]) -> Iterator[str]:
        """Yield the header of the chunk that begins at each place."""
        for start in starts:
            path, table = _held(self._sections, start), _held(self._tables, start)
            lines = [_line(self._title, path[2] if path else "")]
            if table and table[2] and start > table[0]:
                lines.append(header_rows(self._text[table[0] : table[1]]))
            yield "\n".join(line for line in lines if line)


def _held(spans: Sequence[Labelled], place: int) -> Labelled | None:
    return spans[bisect_right(spans, place, key=lambda span: span[0]) - 1] if spans else None


def _line(title: str, path: str) -> str:
    """Join title and section path; a path that begins with the title says it already."""
    if not title or not path or path.split(" > ")[0] == title:
        return path or title
    return f"{title} > {path}"


def title_of(document: Document) -> str:
    """Return the title of a document: its metadata's, else its first heading, else its id made readable."""
    title = document.metadata.get("title")
    return str(title) if title else first_heading(document) or readable(document.id)


def readable(document_id: str) -> str:
    """Return an id as words: "policies/gifts_policy-2021.pdf" is "gifts policy 2021"."""
    name = PurePosixPath(document_id).name
    stem = re.sub(r"\.[A-Za-z][A-Za-z0-9]{1,4}$", "", name)
    return " ".join(re.sub(r"[_\-.]+", " ", stem).split()) or document_id
