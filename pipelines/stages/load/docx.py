"""Word documents."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Any, ClassVar

from pipelines.stages.load import Attempt, Loader
from pipelines.stages.load.html_text import refuse_empty
from pipelines.stages.load.writer import Writer, one_line, titled
from pipelines.stages.load.zips import open_archive

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_TEXT = {f"{_W}t": None, f"{_W}tab": "\t", f"{_W}br": "\n", f"{_W}cr": "\n", f"{_W}noBreakHyphen": "-"}
_LEFT_OUT = (f"{_W}del", f"{_W}moveFrom", _FALLBACK)
_HEADING = re.compile(r"heading\s*([1-9])$", re.IGNORECASE)
_LEVELS = {"title": 1, "subtitle": 2}
_BODY_LEVEL = 9


class DocxLoader(Loader, name="docx", version=1):
    """Read Word documents (.docx) in their order: headings become sections, tables stay row by row, lists lines.

    Headers, footers, footnotes, comments and deleted text are left out; inserted text is read.

    `auto` takes it for such files; choose it by name where any other file is a mistake, which is then reported.
    Costs some tens of milliseconds a file, once a content.
    """

    suffixes: ClassVar[tuple[str, ...]] = (".docx",)

    def attempt(self, data: bytes, document_id: str, where: str) -> Attempt:
        """Yield the one document, its title as metadata."""
        import docx

        open_archive(data, where, "Word document (.docx)").close()
        document = docx.Document(io.BytesIO(data))
        levels, writer = _levels(document), Writer()
        for element in _elements(document.element.body):
            _write(element, levels, writer)
        empty = list(refuse_empty(writer, where, "a Word document"))
        yield from empty
        if not empty:
            properties = document.core_properties
            yield writer.document(document_id, titled(properties.title))


def _levels(document: Any) -> dict[str, int]:
    """Return the heading level of each paragraph style, by its id: its own, or that of the style it is based on."""
    found: dict[str, int] = {}
    for style in document.styles.element.iterchildren(f"{_W}style"):
        level = _outline(style)
        name = style.find(f"{_W}name")
        said = name.get(f"{_W}val", "").lower() if name is not None else ""
        match = _HEADING.match(said)
        level = int(match[1]) if match else _LEVELS.get(said, level)
        base = style.find(f"{_W}basedOn")
        if level is None and base is not None:
            level = found.get(base.get(f"{_W}val", ""))
        if level is not None:
            found[style.get(f"{_W}styleId", "")] = level
    return found


def _outline(holder: Any) -> int | None:
    """Return the outline level that a style or paragraph sets, from 1; None for body text."""
    element = holder.find(f"{_W}pPr/{_W}outlineLvl")
    if element is None:
        return None
    level = int(element.get(f"{_W}val", str(_BODY_LEVEL)))
    return level + 1 if 0 <= level < _BODY_LEVEL else None


def _elements(holder: Any) -> Iterator[Any]:
    """Yield paragraphs and tables in their order, also those within content controls and insertions."""
    for child in holder:
        if child.tag in (f"{_W}p", f"{_W}tbl"):
            yield child
        elif child.tag in (f"{_W}sdt", f"{_W}sdtContent", f"{_W}ins", f"{_W}moveTo", f"{_W}customXml"):
            yield from _elements(child)


def _write(element: Any, levels: dict[str, int], writer: Writer) -> None:
    if element.tag == f"{_W}tbl":
        writer.table([[_cell(cell) for cell in row.iterchildren(f"{_W}tc")] for row in element.iter(f"{_W}tr")])
        return
    text = paragraph_text(element)
    style = element.find(f"{_W}pPr/{_W}pStyle")
    level = _outline(element) or (levels.get(style.get(f"{_W}val", "")) if style is not None else None)
    if level is not None and text.strip():
        writer.heading(text, level)
    elif element.find(f"{_W}pPr/{_W}numPr") is not None:
        writer.block(f"- {one_line(text)}" if text.strip() else "")
    else:
        writer.block(text)


def _cell(cell: Any) -> str:
    return " ".join(paragraph_text(p) for p in cell.iter(f"{_W}p"))


def paragraph_text(paragraph: Any) -> str:
    """Return what a paragraph shows: insertions, hyperlinks and text boxes too, nothing deleted, nothing twice."""
    parts: list[str] = []

    def collect(element: Any) -> None:
        for child in element:
            if child.tag in _LEFT_OUT:
                continue
            if child.tag in _TEXT:
                fixed = _TEXT[child.tag]
                parts.append(fixed if fixed is not None else child.text or "")
            else:
                collect(child)

    collect(paragraph)
    return "".join(parts)
