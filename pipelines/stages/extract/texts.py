"""Extractors that read texts: a chunk's own, or its whole document's."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from pydantic import Field

from pipelines.records import Chunks, Column, Documents, MetadataValue
from pipelines.stages.extract import Replacing

JOINT = "; "
"""What stands between several values in one field: metadata are flat, and `$contains` finds each."""


class TextExtractor(Replacing):
    """Reads one text at a time; what it finds depends on no other text."""

    level: Literal["chunk", "document"] = Field(
        "chunk", description="Read each chunk by itself, or the whole document once for all of its chunks"
    )

    @abstractmethod
    def read(self, texts: Sequence[str], ids: Sequence[str]) -> Mapping[str, Column]:
        """Return columns with one row a text; `ids` are the documents that the texts are of."""

    def extract(self, documents: Documents, chunks: Chunks) -> Mapping[str, Column]:
        """Return columns with one row a chunk."""
        if self.level == "document":
            read = self.read(documents.texts, documents.ids)
            return {name: column.take(chunks.document) for name, column in read.items()}
        return self.read(chunks.texts(documents), [documents.ids[i] for i in chunks.document.tolist()])


def commonest(values: Iterable[MetadataValue]) -> MetadataValue | None:
    """Return the most frequent value; of equally frequent ones the first. None for none."""
    counts = Counter(values).most_common(1)
    return counts[0][0] if counts else None


def joined(values: Iterable[str]) -> str | None:
    """Return distinct values as one text, the most frequent first; None for none."""
    counts = Counter(values)
    return JOINT.join(value for value, _ in counts.most_common()) or None


def rows_to_columns(names: Sequence[str], rows: Sequence[Sequence[MetadataValue | None]]) -> dict[str, Column]:
    """Return a column for each name of rows that hold one value a name."""
    return {name: Column.of(row[i] for row in rows) for i, name in enumerate(names)}


def typed(text: str) -> MetadataValue:
    """Return a text of digits as the number that it is, up to nine of them; any other text as it stands."""
    plain = text.strip()
    return int(plain) if plain.isascii() and plain.isdigit() and len(plain) < 10 and plain == str(int(plain)) else plain
