"""Slides."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

from pipelines.stages.load import Attempt, Loader
from pipelines.stages.load.choices import NotesKnob
from pipelines.stages.load.html_text import refuse_empty
from pipelines.stages.load.writer import Writer, titled
from pipelines.stages.load.zips import open_archive

_ROW_EMU = 360_000  # 1 cm: what lies that near in height is read from left to right
_EDGE = ("DATE", "FOOTER", "SLIDE_NUMBER", "HEADER")


class PptxLoader(Loader, name="pptx", version=1):
    """Read slides (.pptx): each is a page, its title a section, tables stay row by row.

    Dates, footers and slide numbers are left out.

    `auto` takes it for such files; choose it by name where any other file is a mistake, which is then reported.
    Costs some tens of milliseconds a file, once a content.
    """

    suffixes: ClassVar[tuple[str, ...]] = (".pptx",)

    notes: NotesKnob = True

    def attempt(self, data: bytes, document_id: str, where: str) -> Attempt:
        """Yield the one document, its title as metadata."""
        import pptx

        open_archive(data, where, "presentation (.pptx)").close()
        slides = pptx.Presentation(io.BytesIO(data))
        writer = Writer()
        for number, slide in enumerate(slides.slides, start=1):
            writer.page(number)
            _write(slide, writer, notes=self.notes)
        empty = list(refuse_empty(writer, where, "a presentation"))
        yield from empty
        if not empty:
            yield writer.document(document_id, titled(slides.core_properties.title))


def _write(slide: Any, writer: Writer, *, notes: bool) -> None:
    title = slide.shapes.title
    if title is not None:
        writer.heading(title.text_frame.text, 1)
    own = None if title is None else title.shape_id
    for shape in _in_order(shape for shape in slide.shapes if shape.shape_id != own):
        if getattr(shape, "has_table", False) and shape.has_table:
            writer.table([[cell.text for cell in row.cells] for row in shape.table.rows])
        elif getattr(shape, "has_text_frame", False) and shape.has_text_frame:
            writer.block("\n".join(p.text for p in shape.text_frame.paragraphs if p.text.strip()).replace("\x0b", "\n"))
    if notes and slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
        writer.block(slide.notes_slide.notes_text_frame.text)


def _in_order(shapes: Iterable[Any]) -> list[Any]:
    """Return shapes from above to below and from left to right, those of groups among them."""
    return sorted(_flat(shapes), key=lambda shape: ((shape.top or 0) // _ROW_EMU, shape.left or 0))


def _flat(shapes: Iterable[Any]) -> Iterator[Any]:
    for shape in shapes:
        if hasattr(shape, "shapes"):
            yield from _flat(shape.shapes)
        elif not (shape.is_placeholder and shape.placeholder_format.type.name in _EDGE):
            yield shape
