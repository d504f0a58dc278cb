"""PDF files with a text layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from pydantic import Field

from pipelines.errors import DatasetError
from pipelines.records import PAGE, SECTION, TABLE, Document
from pipelines.stages.load import Attempt, Loader, Note
from pipelines.stages.load.pdf_chars import page_pieces
from pipelines.stages.load.pdf_layout import reading_order
from pipelines.stages.load.pdf_lines import Line, new_paragraph, rows_of
from pipelines.stages.load.pdf_sections import Placed, outline_headings, read_outline, sized_headings
from pipelines.stages.load.writer import Span, sections, titled

_ENDS = '.!?:;"”»)'
_MOST_CAPTION_CHARS = 200
_SHOWN = 10


class PdfLoader(Loader, name="pdf", version=1):
    """Read the text layer of PDF files (pdfium): pages, sections and tables are marked, columns read one by one.

    Sections are those of the file's outline, or else lines in larger letters. A table is rows of cells that stand
    below one another. A scanned page has no text: it is reported, not guessed.

    `auto` takes it for such files; choose it by name where any other file is a mistake, which is then reported.
    Costs some 12 ms of processor time a page, once a content.
    """

    suffixes: ClassVar[tuple[str, ...]] = (".pdf",)

    columns: bool = Field(True, description="Read columns one after another; off: every line across the page")

    def attempt(self, data: bytes, document_id: str, where: str) -> Attempt:
        """Yield the one document, its title and number of pages as metadata."""
        document = _opened(data, where)
        try:
            n_pages = len(document)
            text, broken = _Text(), list[int]()
            for number in range(n_pages):
                lines = self._lines(document, number)
                if lines is None:
                    broken.append(number + 1)
                else:
                    text.page(number, lines)
            if not text.parts:
                yield _textless(where, n_pages, len(broken))
                return
            if text.without:
                yield Note(_some(where, text.without, n_pages, "no text"))
            if broken:
                yield Note(_some(where, broken, n_pages, "damage and could not be read"))
            marks = text.marks(read_outline(document))
            title = document.get_metadata_dict().get("Title", "")
            yield Document(document_id, "".join(text.parts), titled(title, pages=n_pages), marks)
        finally:
            document.close()

    def _lines(self, document: Any, number: int) -> list[Line] | None:
        """Return the lines of a page in reading order; None for one that is damaged."""
        import pypdfium2

        try:
            page = document[number]
        except pypdfium2.PdfiumError:
            return None
        try:
            pieces = [piece for piece in page_pieces(page) if piece.text.strip()]
            return reading_order(pieces) if self.columns else rows_of(pieces)
        finally:
            page.close()


def _opened(data: bytes, where: str) -> Any:
    import pypdfium2

    try:
        return pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        said = str(error).lower()
        if "password" in said or "security" in said:
            found = f"{where} is an encrypted PDF file that asks for a password"
            raise DatasetError(f"{found}; save it without one, or take it out.") from error
        found = f"{where} is no whole PDF file"
        raise DatasetError(f"{found}; it seems to be damaged: save it anew, or take it out.") from error


def _textless(where: str, n_pages: int, n_broken: int) -> DatasetError:
    if n_broken:
        found = f"None of the {n_pages} pages of {where} can be read ({n_broken} are damaged)"
        return DatasetError(f"{found}; save it anew, or take it out.")
    found = (
        f"None of the {n_pages} pages of {where} has any text" if n_pages else f"{where} is a PDF file without pages"
    )
    return DatasetError(f"{found}: it seems to be scanned; have its text recognised (OCR), or take it out.")


def _some(where: str, pages: Sequence[int], n_pages: int, what: str) -> str:
    shown = ", ".join(map(str, pages[:_SHOWN]))
    more = f" and {len(pages) - _SHOWN} more" if len(pages) > _SHOWN else ""
    word = "Page" if len(pages) == 1 else "Pages"
    return f"{word} {shown}{more} of the {n_pages} pages of {where} {'has' if len(pages) == 1 else 'have'} {what}."


@dataclass
class _Text:
    """The text of a file on its way, and what its marks are made of. Pages count from 0 here."""

    parts: list[str] = field(default_factory=list)
    length: int = 0
    lines: list[Placed] = field(default_factory=list)
    pages: list[tuple[int, int]] = field(default_factory=list)
    tables: list[Span] = field(default_factory=list)
    without: list[int] = field(default_factory=list)

    def page(self, number: int, lines: Sequence[Line]) -> None:
        """Append a page; what follows a sentence that goes on is parted from it by a line end alone."""
        if not lines:
            self.without.append(number + 1)
            return
        if self.parts:
            self._put("\n" if self._goes_on(lines[0].text) else "\n\n")
        self.pages.append((self.length, number + 1))
        begun: tuple[int, str] | None = None
        for i, line in enumerate(lines):
            if i:
                self._put("\n\n" if new_paragraph(lines[i - 1], line) else "\n")
            if line.table is not None and (not i or lines[i - 1].table != line.table):
                begun = (self.length, _caption(lines, i))
            self.lines.append(Placed(number, self.length, line.text, line.size, line.table is not None))
            self._put(line.text)
            if begun and (i + 1 == len(lines) or lines[i + 1].table != line.table):
                self.tables.append((begun[0], self.length, begun[1] or str(len(self.tables) + 1)))
                begun = None

    def marks(self, outline: Sequence[tuple[int, int, str]]) -> dict[str, list[Span]]:
        """Return pages, sections and tables."""
        ends = [*(start for start, _ in self.pages[1:]), self.length]
        pages: list[Span] = [(s, e, n) for (s, n), e in zip(self.pages, ends, strict=True)]
        headings = outline_headings(outline, self.lines) or sized_headings(self.lines)
        marks = {PAGE: pages, SECTION: sections(headings, self.length), TABLE: self.tables}
        return {kind: rows for kind, rows in marks.items() if rows}

    def _goes_on(self, following: str) -> bool:
        return self.parts[-1][-1:] not in _ENDS and following[:1].islower()

    def _put(self, text: str) -> None:
        self.parts.append(text)
        self.length += len(text)


def _caption(lines: Sequence[Line], first: int) -> str:
    """Return the line above a table that names it, or nothing."""
    above = lines[first - 1].text.strip() if first else ""
    named = above.lower().startswith(("table", "tabelle", "tableau", "tabla", "exhibit", "figure"))
    return above[:_MOST_CAPTION_CHARS] if named else ""
