"""The tables of a PDF page: rows whose cells stand below one another."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.stages.load.pdf_lines import Line

LEAST_TABLE_ROWS = 3
_SAME_EDGE_PT = 4.0
_ALIGNED = 0.5


def mark_tables(lines: Sequence[Line]) -> None:
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
    return last + 1 if rows >= LEAST_TABLE_ROWS else None


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
