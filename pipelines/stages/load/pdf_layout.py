"""The order in which a page is read: columns one after another, what spans them in between."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from pipelines.stages.load.pdf_chars import Piece
from pipelines.stages.load.pdf_lines import PARAGRAPH_GAP, Line, itemised, rows_of
from pipelines.stages.load.pdf_tables import LEAST_TABLE_ROWS, mark_tables

_LEAST_COLUMN_LINES = 4
_COLUMN_FILLED = 0.55
_MOST_COLUMNS_DEEP = 3
_LEAST_GUTTER_PT = 6.0


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
            line.pieces = itemised(line.pieces)
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
    mark_tables(order.lines)
    return order.lines


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
        joined = last - first + 1 < LEAST_TABLE_ROWS and not apart
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
    return upper.bottom - lower.top > PARAGRAPH_GAP * max(upper.size, lower.size)
