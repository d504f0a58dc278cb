"""The lines of a PDF page: pieces that stand side by side."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.stages.load.pdf_chars import Piece
from pipelines.stages.load.writer import CELLS

PARAGRAPH_GAP = 0.7
_ROW_OVERLAP = 0.5
_OTHER_SIZE = 0.15
_ITEM = re.compile(r"[•·▪●○◦‣–—*-]|\(?[0-9a-zA-Z]{1,3}[.)]|\d{1,2}(\.\d{1,2})+\.?")


@dataclass
class Line:
    """Pieces that stand side by side, from left to right. `block` numbers the column or the band that it is part of."""

    pieces: list[Piece]
    block: int = 0
    table: int | None = None

    @property
    def top(self) -> float:
        return max(piece.top for piece in self.pieces)

    @property
    def bottom(self) -> float:
        return min(piece.bottom for piece in self.pieces)

    @property
    def left(self) -> float:
        return self.pieces[0].left

    @property
    def right(self) -> float:
        return max(piece.right for piece in self.pieces)

    @property
    def size(self) -> float:
        """The size of most of its letters."""
        return max(self.pieces, key=lambda piece: len(piece.text)).size

    @property
    def text(self) -> str:
        """Its text; in a table, its cells parted."""
        return (CELLS if self.table is not None else " ").join(piece.text for piece in self.pieces)


def rows_of(pieces: Sequence[Piece]) -> list[Line]:
    """Return the rows that pieces stand in, from above to below, each from left to right."""
    lines: list[Line] = []
    for piece in sorted(pieces, key=lambda piece: (-(piece.top + piece.bottom) / 2, piece.left)):
        last = lines[-1] if lines else None
        if last is not None and _overlap(last.pieces[-1], piece) >= _ROW_OVERLAP:
            last.pieces.append(piece)
        else:
            lines.append(Line([piece]))
    for line in lines:
        line.pieces.sort(key=lambda piece: piece.left)
    return lines


def itemised(pieces: list[Piece]) -> list[Piece]:
    """Join the bullet or the number of an item with its text: it is no cell of a table."""
    if len(pieces) != 2 or not _ITEM.fullmatch(pieces[0].text):
        return pieces
    mark, text = pieces
    top, bottom = max(mark.top, text.top), min(mark.bottom, text.bottom)
    return [Piece(f"{mark.text} {text.text}", mark.left, text.right, bottom, top, text.size)]


def _overlap(a: Piece, b: Piece) -> float:
    """Return how much of the lower of two pieces stands beside the other."""
    shared = min(a.top, b.top) - max(a.bottom, b.bottom)
    return shared / max(0.1, min(a.height, b.height))


def new_paragraph(before: Line, line: Line) -> bool:
    """Whether a line begins a paragraph of its own: it stands apart, or is of another size, or another part begins."""
    if before.block != line.block or before.table != line.table:
        return True
    gap = before.bottom - line.top
    return gap > PARAGRAPH_GAP * line.size or abs(before.size - line.size) > _OTHER_SIZE * max(before.size, line.size)
