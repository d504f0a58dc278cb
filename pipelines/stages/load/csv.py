"""Tables as text: comma, semicolon or tab separated."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import ClassVar

from pipelines.errors import DatasetError, shorten
from pipelines.stages.load import Attempt, Loader
from pipelines.stages.load.choices import EncodingKnob, SheetsKnob
from pipelines.stages.load.encodings import decoded
from pipelines.stages.load.sheets import Cell, row_documents, sheet_document

_SAMPLE_CHARS = 1 << 14
_SEPARATORS = ",;\t|"


class CsvLoader(Loader, name="csv", version=1):
    """Read a table, its first row the names of the columns; each value is written behind its column's name.

    Choose `sheets: row` for rows that stand for themselves, such as questions with answers: their short values become
    metadata, and row 7 of `data.csv` is the document `data/7`.

    `auto` takes it for such files; choose it by name where any other file is a mistake, which is then reported.
    Costs next to nothing.
    """

    suffixes: ClassVar[tuple[str, ...]] = (".csv", ".tsv")

    encoding: EncodingKnob = "auto"
    sheets: SheetsKnob = "sheet"

    def attempt(self, data: bytes, document_id: str, where: str) -> Attempt:
        """Yield one document, or one a row."""
        text, notes = decoded(data, where, self.encoding)
        yield from notes
        rows = _rows(text, where)
        if self.sheets == "row":
            yield from row_documents(document_id, rows, {})
            return
        found = sheet_document(document_id, PurePosixPath(where).stem, rows, {})
        yield found or DatasetError(f"{where} is a table without any rows; take it out, or see whether they were lost.")


def _rows(text: str, where: str) -> Iterator[list[Cell]]:
    csv.field_size_limit(min(sys.maxsize, max(131_072, len(text))))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text))
    try:
        for row in reader:
            yield [_value(cell) for cell in row]
    except csv.Error as error:
        found = f"{where}, line {reader.line_num}, is no row of a table ({shorten(error, 60)})"
        raise DatasetError(f"{found}; mend that line, or take the file out.") from error


def _separator(text: str) -> str:
    """Return the separator that parts the first lines most evenly: the one with the most columns that agree."""
    lines = [line for line in text[:_SAMPLE_CHARS].splitlines()[:20] if line.strip()]
    counts = {one: [len(row) for row in csv.reader(lines, delimiter=one)] for one in _SEPARATORS}
    return max(_SEPARATORS, key=lambda one: (min(counts[one], default=0), sum(counts[one])))


def _value(cell: str) -> Cell:
    """Return a number where a cell is one as numbers are written; a number with leading zeros is a name."""
    stripped = cell.strip()
    if not stripped or not (stripped[-1].isdigit() and stripped.isascii()) or len(stripped) > 18:
        return stripped or None
    try:
        number = int(stripped)
        return number if str(number) == stripped else stripped
    except ValueError:
        pass
    try:
        value = float(stripped)
        return value if repr(value) == stripped else stripped
    except ValueError:
        return stripped
