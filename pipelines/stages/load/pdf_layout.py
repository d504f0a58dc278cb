"""The order in which a page is read: columns one after another, rows of cells kept together as tables."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from pipelines.stages.load.pdf_chars import Piece
from pipelines.stages.load.writer import CELLS

_LEAST_COLUMN_LINES = 4
_COLUMN_FILLED = 0.55
_MOST_COLUMNS_DEEP = 3
_LEAST_TABLE_ROWS = 3
_SAME_EDGE_PT = 4.0
_ALIGNED = 0.5
_ROW_OVERLAP = 0.5
_PARAGRAPH_GAP = 0.7
_LEAST_GUTTER_PT = 6.0
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


@dataclass
class _Order:
    """Lines in reading order, on their way."""

    lines: list[Line] = field(default_factory=list)
    blocks: int = 0

    def rows(self, pieces: Sequence[Piece]) -> None:
        """Append pieces row by row."""
        self.blocks += 1
        for line in rows_of(pieces):
            line.block = self.blocks
            line.pieces = _itemised(line.pieces)
            self.lines.append(line)

    def region(self, pieces: Sequence[Piece], depth: int) -> None:
        """Append pieces column by column, where there are columns; what spans them parts what is above from below."""
        gutter = _gutter(pieces) if pieces and depth < _MOST_COLUMNS_DEEP else None
        if gutter is None:
            self.rows(pieces)
            return
        for columns, band in _bands(pieces, gutter):
            if not columns:
                self.rows(band)
                continue
            middle = sum(gutter) / 2
            self.region([piece for piece in band if piece.right <= middle], depth + 1)
            self.region([piece for piece in band if piece.right > middle], depth + 1)


def reading_order(pieces: Sequence[Piece]) -> list[Line]:
    """Return the lines of a page in the order in which they are read, tables numbered from 0."""
    order = _Order()
    if pieces:
        order.region(pieces, 0)
    _mark_tables(order.lines)
    return order.lines


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


def _itemised(pieces: list[Piece]) -> list[Piece]:
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


def _gutter(pieces: Sequence[Piece]) -> tuple[float, float] | None:
    """Return where between left and right a strip without text parts two columns of lines, if there is one.

    Both sides must be lines of text that fill their column: a table has gaps as well, but narrow cells.
    """
    left, right = min(p.left for p in pieces), max(p.right for p in pieces)
    width = right - left
    best: tuple[float, float, float] | None = None
    for start, end in _strips(pieces, left + 0.15 * width, right - 0.15 * width):
        sides = [p for p in pieces if p.right <= start + 0.5], [p for p in pieces if p.left >= end - 0.5]
        within = [p for side in sides for p in side]
        if all(_is_column(side) for side in sides) and _reach(within) >= 0.5 * _reach_of_all(pieces):
            score = sum(len(p.text) for p in within)
            if best is None or score > best[0]:
                best = (score, start, end)
    return None if best is None else best[1:]


def _strips(pieces: Sequence[Piece], low: float, high: float) -> Iterator[tuple[float, float]]:
    """Yield the strips that few pieces cross: those that do span the columns, such as headings."""
    counts: dict[float, int] = {}
    for piece in pieces:
        counts[piece.left] = counts.get(piece.left, 0) + 1
        counts[piece.right] = counts.get(piece.right, 0) - 1
    places = sorted(counts)
    crossing, allowed = 0, max(2, len(pieces) // 4)
    begun: float | None = None
    least = allowed + 1
    for place, after in pairwise(places):
        crossing += counts[place]
        within = low < (place + after) / 2 < high
        if within and crossing <= allowed and after - place >= _LEAST_GUTTER_PT:
            begun = place if begun is None or crossing < least else begun
            least = crossing
            yield place, after


def _is_column(pieces: Sequence[Piece]) -> bool:
    """Whether pieces are lines of text, most of which fill the column."""
    if len(pieces) < _LEAST_COLUMN_LINES:
        return False
    width = max(1.0, max(p.right for p in pieces) - min(p.left for p in pieces))
    rows = rows_of(pieces)
    filled = [sum(p.right - p.left for p in row.pieces) / width for row in rows]
    full = sum(share >= _COLUMN_FILLED for share in filled)
    return len(rows) >= _LEAST_COLUMN_LINES and full >= 0.5 * len(rows) and _wordy(pieces)


def _wordy(pieces: Sequence[Piece]) -> bool:
    """Whether lines are prose rather than cells: several words each."""
    words = sorted(len(p.text.split()) for p in pieces)
    return words[len(words) // 2] >= 3


def _reach(pieces: Sequence[Piece]) -> float:
    return max(p.top for p in pieces) - min(p.bottom for p in pieces)


def _reach_of_all(pieces: Sequence[Piece]) -> float:
    """Return how much of the page's height text reaches over, its head and foot left aside."""
    edges = sorted([p.top for p in pieces] + [p.bottom for p in pieces])
    cut = len(edges) // 20
    return 0.5 * (edges[-1 - cut] - edges[cut])


def _bands(pieces: Sequence[Piece], gutter: tuple[float, float]) -> Iterator[tuple[bool, list[Piece]]]:
    """Part pieces, from above to below, into those in columns (True) and those that are read across (False).

    Read across is what crosses the gutter, what fills neither column for three rows or more, such as a table, and what
    does so at the upper or lower end and stands apart there, such as a running head.
    """
    rows = rows_of(pieces)
    kinds = [_kind(row, gutter, pieces) for row in rows]
    columns = _in_columns(rows, kinds)
    band: list[Piece] = []
    for i, row in enumerate(rows):
        if band and columns[i] != columns[i - 1]:
            yield columns[i - 1], band
            band = []
        band = band + row.pieces
    if band:
        yield columns[-1], band


def _kind(row: Line, gutter: tuple[float, float], pieces: Sequence[Piece]) -> str:
    """Return how a row relates to two columns: "across" both, "full" when it fills one of them, or "short"."""
    start, end = gutter
    if any(p.left < end - 0.5 and p.right > start + 0.5 for p in row.pieces):
        return "across"
    left, right = min(p.left for p in pieces), max(p.right for p in pieces)
    sides = (([p for p in row.pieces if p.right <= start + 0.5], start - left),
             ([p for p in row.pieces if p.left >= end - 0.5], right - end))  # fmt: skip
    full = (
        sum(p.right - p.left for p in side) >= _COLUMN_FILLED * width and _n_words(side) >= 3 for side, width in sides
    )
    return "full" if any(full) else "short"


def _n_words(pieces: Sequence[Piece]) -> int:
    return sum(len(p.text.split()) for p in pieces)


def _in_columns(rows: Sequence[Line], kinds: Sequence[str]) -> list[bool]:
    found = [kind == "full" for kind in kinds]
    for first, last in _runs(kinds, "short"):
        apart = (first == 0 and last + 1 < len(rows) and _apart(rows[last], rows[last + 1])) or (
            last + 1 == len(rows) and first > 0 and _apart(rows[first - 1], rows[first])
        )
        joined = last - first + 1 < _LEAST_TABLE_ROWS and not apart
        for i in range(first, last + 1):
            found[i] = joined
    return found


def _runs(kinds: Sequence[str], kind: str) -> Iterator[tuple[int, int]]:
    """Yield the first and the last of neighbours of one kind."""
    first = None
    for i, one in enumerate([*kinds, ""]):
        if one == kind and first is None:
            first = i
        elif one != kind and first is not None:
            yield first, i - 1
            first = None


def _apart(upper: Line, lower: Line) -> bool:
    return upper.bottom - lower.top > _PARAGRAPH_GAP * max(upper.size, lower.size)


def _mark_tables(lines: Sequence[Line]) -> None:
    """Number the runs of rows whose cells stand below one another."""
    number, i = 0, 0
    while i < len(lines):
        end = _table_end(lines, i)
        if end is None:
            i += 1
            continue
        for line in lines[i:end]:
            line.table = number
        number, i = number + 1, end


def _table_end(lines: Sequence[Line], first: int) -> int | None:
    """Return where the table that begins at a line ends; None where none begins."""
    if len(lines[first].pieces) < 2:
        return None
    last, rows, i = first, 1, first + 1
    while i < len(lines) and lines[i].block == lines[first].block:
        line, before = lines[i], lines[i - 1]
        if before.bottom - line.top > 2.0 * max(line.size, before.size):
            break
        if len(line.pieces) >= 2 and any(
            _aligned(line, lines[j]) for j in range(max(first, i - 3), i) if len(lines[j].pieces) > 1
        ):
            last, rows = i, rows + 1
        elif i - last > 1 or not _narrow(line, lines[first : last + 1]):
            break
        i += 1
    return last + 1 if rows >= _LEAST_TABLE_ROWS else None


def _aligned(a: Line, b: Line) -> bool:
    """Whether at least half of the cells of one row, and two of them, share an edge with cells of the other."""
    shared = sum(
        any(abs(p.left - q.left) <= _SAME_EDGE_PT or abs(p.right - q.right) <= _SAME_EDGE_PT for q in b.pieces)
        for p in a.pieces
    )
    return shared >= max(2, _ALIGNED * min(len(a.pieces), len(b.pieces)))


def _narrow(line: Line, table: Sequence[Line]) -> bool:
    """Whether a line of one piece may be within a table: a cell that goes on, or the head of some rows."""
    left, right = min(row.left for row in table), max(row.right for row in table)
    return line.left >= left - _SAME_EDGE_PT and line.right - line.left <= 0.6 * (right - left)


def new_paragraph(before: Line, line: Line) -> bool:
    """Whether a line begins a paragraph of its own: it stands apart, or is of another size, or another part begins."""
    if before.block != line.block or before.table != line.table:
        return True
    gap = before.bottom - line.top
    return gap > _PARAGRAPH_GAP * line.size or abs(before.size - line.size) > 0.15 * max(before.size, line.size)
