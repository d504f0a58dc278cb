"""What is searched: documents and their metadata, marks and chunks. Columnar, immutable."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from pipelines.records.values import PADDING, IntArray, LongArray, MetadataValue

PAGE = "page"
"""Marks of a page: its number, from 1."""
SECTION = "section"
"""Marks of what lies below a heading: the headings down to it, joined by " > "."""
TABLE = "table"
"""Marks of a table: its caption, or its number within the document, as text."""


@dataclass(frozen=True, slots=True)
class Document:
    """A source text with its id and flat metadata.

    `marks` are labelled half-open spans of the text by kind (`PAGE`, `SECTION`, `TABLE`), in order, without overlap
    within a kind.
    """

    id: str
    text: str
    metadata: Mapping[str, MetadataValue] = field(default_factory=dict)
    marks: Mapping[str, Sequence[tuple[int, int, MetadataValue]]] = field(default_factory=dict)


@dataclass(frozen=True)
class Column:
    """One metadata field over many rows, dictionary-encoded: a predicate is evaluated once a distinct value.

    `codes` is int32 [n_rows], an index into `values`, -1 where the row has no value.
    """

    codes: IntArray
    values: tuple[MetadataValue, ...]

    @classmethod
    def of(cls, rows: Iterable[MetadataValue | None]) -> Column:
        """Encode one value a row. `True`, `1` and `1.0` stay apart: the type is part of the value."""
        seen: dict[tuple[type, MetadataValue], int] = {}
        codes = [PADDING if v is None else seen.setdefault((type(v), v), len(seen)) for v in rows]
        return cls(np.asarray(codes, dtype=np.int32), tuple(value for _, value in seen))

    def take(self, rows: IntArray) -> Column:
        """Return the column at `rows`, an index array."""
        return Column(self.codes[rows], self.values)

    def __getitem__(self, row: int) -> MetadataValue | None:
        code = int(self.codes[row])
        return None if code == PADDING else self.values[code]


@dataclass(frozen=True)
class Marks:
    """Labelled spans of documents, columnar: the pages of a file, its sections, its tables.

    Arrays have shape [n_marks], in order of document and start; spans are half-open, in characters of the document's
    text. `value` holds what each is called.
    """

    document: IntArray
    start: IntArray
    end: IntArray
    value: Column

    @classmethod
    def of(cls, rows: Sequence[tuple[int, int, int, MetadataValue]]) -> Marks:
        """Build marks of (document, start, end, value), in any order."""
        ordered = sorted(rows, key=lambda row: row[:3])
        spans = np.asarray([row[:3] for row in ordered], dtype=np.int32).reshape(-1, 3)
        return cls(spans[:, 0], spans[:, 1], spans[:, 2], Column.of(row[3] for row in ordered))

    def __len__(self) -> int:
        return len(self.document)

    def at(self, document: IntArray, start: IntArray) -> Column:
        """Return the value that holds at each place, both int32 [n]: that of the last mark begun there, if not ended.

        Marks of one kind may touch and must not overlap.
        """
        places = _packed(document, start)
        row = np.searchsorted(_packed(self.document, self.start), places, side="right") - 1
        ended = _packed(self.document, self.end) if len(self) else np.zeros(0, dtype=np.int64)
        within = (row >= 0) & (places < np.append(ended, 0)[row])
        codes = np.where(within, np.append(self.value.codes, PADDING)[row], PADDING)
        return Column(codes.astype(np.int32), self.value.values)

    def of_document(self, position: int) -> list[tuple[int, int, MetadataValue]]:
        """Return (start, end, value) of every mark of one document, in order."""
        first, last = np.searchsorted(self.document, (position, position + 1))
        rows = range(int(first), int(last))
        found = [(int(self.start[i]), int(self.end[i]), self.value[i]) for i in rows]
        return [(start, end, value) for start, end, value in found if value is not None]


def _packed(document: IntArray, place: IntArray) -> LongArray:
    """Return document and place as one number that sorts like the pair."""
    return (document.astype(np.int64) << 32) + place.astype(np.int64)


@dataclass(frozen=True)
class Documents:
    """All documents of a dataset, in a fixed order; a document is referred to by its position."""

    ids: tuple[str, ...]
    texts: tuple[str, ...]
    columns: Mapping[str, Column] = field(default_factory=dict)
    marks: Mapping[str, Marks] = field(default_factory=dict)

    @classmethod
    def of(cls, documents: Sequence[Document]) -> Documents:
        """Turn rows into columns; a field that a document lacks is missing there."""
        names = sorted({name for d in documents for name in d.metadata})
        columns = {name: Column.of(d.metadata.get(name) for d in documents) for name in names}
        kinds = sorted({kind for d in documents for kind in d.marks})
        marks = {
            kind: Marks.of([(i, *mark) for i, d in enumerate(documents) for mark in d.marks.get(kind, ())])
            for kind in kinds
        }
        return cls(tuple(d.id for d in documents), tuple(d.text for d in documents), columns, marks)

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, position: int) -> Document:
        values = {name: column[position] for name, column in self.columns.items()}
        metadata = {name: value for name, value in values.items() if value is not None}
        marks = {kind: found for kind, m in self.marks.items() if (found := m.of_document(position))}
        return Document(self.ids[position], self.texts[position], metadata, marks)

    @cached_property
    def position(self) -> Mapping[str, int]:
        """Where each id stands."""
        return {document_id: i for i, document_id in enumerate(self.ids)}


@dataclass(frozen=True)
class Chunks:
    """Pieces of documents, columnar: `documents.texts[document[i]][start[i]:end[i]]` is the text of chunk i.

    Every array has shape [n_chunks], in order of document and start. `context_start` and `context_end` bound what is
    handed on when the chunk is hit (equal to the chunk unless a chunker widens it); `tokens` is the length of that
    context span in tokens of cl100k_base, filled in by the pipeline after chunking.
    """

    document: IntArray
    start: IntArray
    end: IntArray
    context_start: IntArray
    context_end: IntArray
    tokens: IntArray
    columns: Mapping[str, Column] = field(default_factory=dict)

    @classmethod
    def of(cls, document: npt.ArrayLike, start: npt.ArrayLike, end: npt.ArrayLike) -> Chunks:
        """Build chunks whose context span is the chunk itself; tokens are 0 until counted."""
        rows, first, last = (np.asarray(a, dtype=np.int32).reshape(-1) for a in (document, start, end))
        return cls(rows, first, last, first, last, np.zeros(len(rows), dtype=np.int32))

    def __len__(self) -> int:
        return len(self.document)

    def text(self, documents: Documents, i: int) -> str:
        """Return the text of chunk `i`."""
        return documents.texts[int(self.document[i])][int(self.start[i]) : int(self.end[i])]

    def texts(self, documents: Documents) -> list[str]:
        """Return the text of every chunk, in order."""
        spans = zip(self.document.tolist(), self.start.tolist(), self.end.tolist(), strict=True)
        return [documents.texts[d][s:e] for d, s, e in spans]

    def context_texts(self, documents: Documents) -> list[str]:
        """Return what is handed on for every chunk, in order."""
        spans = zip(self.document.tolist(), self.context_start.tolist(), self.context_end.tolist(), strict=True)
        return [documents.texts[d][s:e] for d, s, e in spans]
