"""Text written block by block, with the pages, sections and tables that it is made of noted as marks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pipelines.records import PAGE, SECTION, TABLE, Document, MetadataValue

Span = tuple[int, int, MetadataValue]
CELLS = " | "
PATH = " > "
_MOST_TITLE_CHARS = 200


class Writer:
    """Blocks come one below another, an empty line between them."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0
        self._pages: list[tuple[int, int]] = []
        self._headings: list[tuple[int, int, str]] = []
        self._tables: list[Span] = []

    def block(self, text: str) -> tuple[int, int] | None:
        """Write a paragraph and return its span; nothing is written of white space."""
        if not text.strip():
            return None
        if self._parts:
            self._put("\n\n")
        start = self._length
        self._put(text.strip("\n"))
        return start, self._length

    def heading(self, text: str, level: int) -> None:
        """Write a heading: what follows lies below it, up to the next of its level or above."""
        span = self.block(one_line(text))
        if span is not None:
            self._headings.append((span[0], level, one_line(text)))

    def table(self, rows: Iterable[Sequence[str]], caption: str = "") -> None:
        """Write a table, a line a row; it is called by its caption, which is written above it, or by its number."""
        lines = [line for row in rows if (line := row_line(row))]
        if lines:
            said = one_line(caption)
            start, end = self.block("\n".join([said, *lines] if said else lines)) or (0, 0)
            self._tables.append((start, end, said[:_MOST_TITLE_CHARS] or str(len(self._tables) + 1)))

    def page(self, number: int) -> None:
        """Begin a page."""
        self._pages.append((self._length, number))

    @property
    def empty(self) -> bool:
        """Whether nothing was written yet."""
        return not self._parts

    def document(self, document_id: str, metadata: Mapping[str, MetadataValue]) -> Document:
        """Return what was written."""
        text = "".join(self._parts)
        return Document(document_id, text, dict(metadata), self._marks(text))

    def _marks(self, text: str) -> dict[str, list[Span]]:
        begun = [(start + (text[start : start + 2] == "\n\n") * 2 if start else 0, n) for start, n in self._pages]
        ends = [start for start, _ in [*begun[1:], (len(text), 0)]] if begun else []
        pages: list[Span] = [(start, end, n) for (start, n), end in zip(begun, ends, strict=True) if start < end]
        marks = {PAGE: pages, SECTION: sections(self._headings, len(text)), TABLE: self._tables}
        return {kind: rows for kind, rows in marks.items() if rows}

    def _put(self, text: str) -> None:
        self._parts.append(text)
        self._length += len(text)


def sections(headings: Iterable[tuple[int, int, str]], length: int) -> list[Span]:
    """Return what lies below each heading (start, level, text), up to the next one, named by the headings above it."""
    found: list[tuple[int, str]] = []
    path: list[tuple[int, str]] = []
    for start, level, text in headings:
        path = [(above, title) for above, title in path if above < level]
        path.append((level, one_line(text)[:_MOST_TITLE_CHARS]))
        found.append((start, PATH.join(title for _, title in path if title)))
    ends = [start for start, _ in [*found[1:], (length, "")]] if found else []
    return [(start, end, name) for (start, name), end in zip(found, ends, strict=True) if start < end and name]


def row_line(row: Sequence[str]) -> str:
    """Return the cells of a row on one line; one without any content is empty."""
    cells = [one_line(cell) for cell in row]
    return CELLS.join(cells) if any(cells) else ""


def one_line(text: str) -> str:
    """Return text with each run of white space as one space."""
    return " ".join(text.split())


def titled(title: object, **others: MetadataValue | None) -> dict[str, MetadataValue]:
    """Return metadata with a title, if there is one worth the name; what is None or empty is left out."""
    said = one_line(str(title or ""))[:_MOST_TITLE_CHARS]
    named = {} if said.lower() in ("", "untitled", "anonymous", "unknown") else {"title": said}
    return {**named, **{name: value for name, value in others.items() if value not in (None, "")}}
