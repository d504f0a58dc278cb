"""Tables as text: comma, semicolon or tab, quoted or not, of any width."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pipelines.errors import DatasetError, did_you_mean, shorten

_FIELD_CHARS = 2**31 - 1


@dataclass(frozen=True)
class Row:
    """One row: the line it ends on, its cells by column, and what is wrong with their number (else "")."""

    line: int
    cells: Mapping[str, str]
    wrong: str = ""

    def __getitem__(self, column: str) -> str:
        return self.cells.get(column, "")


@dataclass(frozen=True)
class Table:
    """Column names, in lower case, and the rows that are not blank."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def read_table(text: str, where: str, required: Sequence[str], delimiters: str = ",;\t", quoted: bool = True) -> Table:
    """Read a table with a header; the delimiter is the one under which all `required` columns are there.

    Raises:
        DatasetError: for a missing column, two of one name, or quotation marks that don't close.
    """
    body = text.partition("\n")[2] if text[:4].lower() == "sep=" else text  # a line that Excel writes
    headers = {delimiter: _header(body, delimiter, quoted) for delimiter in delimiters}
    complete = [d for d in delimiters if set(required) <= set(headers[d])]
    delimiter = complete[0] if complete else max(delimiters, key=lambda d: len(headers[d]))
    columns = headers[delimiter]
    _refuse_columns(columns, required, where)
    try:
        return Table(columns, tuple(_rows(body, columns, delimiter, quoted, required)))
    except csv.Error as error:
        found = f"{where} is not a sound table ({error})"
        raise DatasetError(f"{found}; see that every quotation mark closes, and save it again.") from error


def header_of(text: str, delimiters: str = ",;\t") -> tuple[str, ...]:
    """Return the column names, in lower case, under the delimiter that parts most of them."""
    body = text.partition("\n")[2] if text[:4].lower() == "sep=" else text
    return max((_header(body, delimiter, True) for delimiter in delimiters), key=len)


def _reader(text: str, delimiter: str, quoted: bool) -> Iterator[tuple[int, list[str]]]:
    csv.field_size_limit(_FIELD_CHARS)
    lines = io.StringIO(text, newline="")
    if quoted:
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
    else:
        reader = csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_NONE)
    for cells in reader:
        yield reader.line_num, cells


def _header(text: str, delimiter: str, quoted: bool) -> tuple[str, ...]:
    try:
        for _, cells in _reader(text, delimiter, quoted):
            if any(cell.strip() for cell in cells):
                return tuple(cell.strip().lower() for cell in cells)
    except csv.Error:
        return ()
    return ()


def _refuse_columns(columns: Sequence[str], required: Sequence[str], where: str) -> None:
    for name in required:
        if name not in columns:
            there = ", ".join(shorten(column, 40) for column in columns) or "no columns"
            guess = did_you_mean(name, [column for column in columns if column not in required])
            found = f"{where} has no column '{name}'; it has {there}, and needs {', '.join(required)}"
            raise DatasetError(f"{found}: add the column, or rename one.{guess}")
        if columns.count(name) > 1:
            raise DatasetError(f"{where} has {columns.count(name)} columns called '{name}'; keep one of them.")


def _rows(text: str, columns: tuple[str, ...], delimiter: str, quoted: bool, required: Sequence[str]) -> Iterator[Row]:
    rows = ((line, cells) for line, cells in _reader(text, delimiter, quoted) if any(cell.strip() for cell in cells))
    next(rows, None)
    needed = 1 + max(columns.index(name) for name in required)
    for line, cells in rows:
        surplus = any(cell.strip() for cell in cells[len(columns) :])
        wrong = f"it has {len(cells)} cells, not {len(columns)}" if surplus or len(cells) < needed else ""
        yield Row(line, dict(zip(columns, cells, strict=False)), wrong)
