"""Tables of data as documents: a sheet each, or a row each, every value with its column's name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time
from itertools import chain

from pipelines.records import TABLE, Document, MetadataValue
from pipelines.stages.load.reading import RuleError
from pipelines.stages.load.values import metadata_value
from pipelines.stages.load.writer import CELLS, one_line

Cell = MetadataValue | date | time | None
_MOST_METADATA_CHARS = 200


def written(value: Cell) -> str:
    """Return a cell as text: whole numbers without a fraction, dates in ISO form."""
    if value is None:
        return ""
    if isinstance(value, datetime) and value.time() == time():
        return value.date().isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return one_line(str(value))


def headed(rows: Iterable[Sequence[Cell]]) -> tuple[list[str], Iterator[Sequence[Cell]]]:
    """Return the names of the columns, which the first row of several cells holds, and an iterator over the rows below.

    A row above it, such as a title, is among the rows.
    """
    above: list[Sequence[Cell]] = []
    reader = iter(rows)
    for row in reader:
        if sum(cell is not None and written(cell) != "" for cell in row) > 1:
            return _names(row), chain(above, reader)
        above.append(row)
    return [], iter(above)


def _names(row: Sequence[Cell]) -> list[str]:
    """Return a name for each column, no two the same."""
    names: list[str] = []
    for number, cell in enumerate(row, start=1):
        name = written(cell) or f"column {number}"
        names.append(name if name not in names else f"{name} ({number})")
    return names


def row_text(names: Sequence[str], row: Sequence[Cell], between: str) -> str:
    """Return the values of a row, each behind its column's name; one alone in a table of many columns stands bare."""
    cells = [(names[i] if i < len(names) else f"column {i + 1}", written(cell)) for i, cell in enumerate(row)]
    present = [(name, value) for name, value in cells if value]
    if len(present) == 1 and len(names) > 2:
        return present[0][1]
    return between.join(f"{name}: {value}" for name, value in present)


def sheet_document(
    document_id: str, title: str, rows: Iterable[Sequence[Cell]], metadata: dict[str, MetadataValue]
) -> Document | None:
    """Return a sheet as one document, a line a row; None for an empty one."""
    names, below = headed(rows)
    lines = [line for row in below if (line := row_text(names, row, CELLS))]
    text = "\n".join(lines or ([CELLS.join(names)] if names else []))
    return Document(document_id, text, metadata, {TABLE: [(0, len(text), title)]}) if text else None


def row_documents(
    document_id: str, rows: Iterable[Sequence[Cell]], metadata: dict[str, MetadataValue]
) -> Iterator[Document]:
    """Yield each row as a document called by its number among them, its short values as metadata."""
    names, below = headed(rows)
    number = 0
    for row in below:
        text = row_text(names, row, "\n")
        if text:
            number += 1
            yield Document(f"{document_id}/{number}", text, {**_values(names, row), **metadata})


def _values(names: Sequence[str], row: Sequence[Cell]) -> dict[str, MetadataValue]:
    found: dict[str, MetadataValue] = {}
    if len(names) > 2 and sum(written(cell) != "" for cell in row) == 1:
        return found  # a title, and no value of the first column
    for name, cell in zip(names, row, strict=False):
        value = written(cell) if isinstance(cell, date | time) else cell
        if value is None or (isinstance(value, str) and (not value.strip() or len(value) > _MOST_METADATA_CHARS)):
            continue
        try:
            found[name] = metadata_value(value, "", name)
        except RuleError:  # no finite number, or one that is too long: the text has it
            continue
    return found
