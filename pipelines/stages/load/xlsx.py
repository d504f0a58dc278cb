"""Workbooks of sheets."""

from __future__ import annotations

import io
from typing import Any, ClassVar

from pipelines.errors import DatasetError
from pipelines.stages.load import Attempt, Loader
from pipelines.stages.load.choices import SheetsKnob
from pipelines.stages.load.sheets import row_documents, sheet_document
from pipelines.stages.load.writer import titled
from pipelines.stages.load.zips import open_archive


class XlsxLoader(Loader, name="xlsx", version=1):
    """Read workbooks (.xlsx): each value behind its column's name, formulas as the values last computed.

    A workbook of one sheet is the document of its file; of several, each is called `file/sheet`, and with `sheets:
    row`, row 7 is `file/sheet/7`.

    `auto` takes it for such files; choose it by name where any other file is a mistake, which is then reported.
    Costs some tens of milliseconds a file, once a content.
    """

    suffixes: ClassVar[tuple[str, ...]] = (".xlsx", ".xlsm")

    sheets: SheetsKnob = "sheet"

    def attempt(self, data: bytes, document_id: str, where: str) -> Attempt:
        """Yield one document a sheet, or one a row."""
        import openpyxl

        open_archive(data, where, "workbook (.xlsx)").close()
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
        title = titled(book.properties.title)
        found = False
        for sheet in book.worksheets:
            name = document_id if len(book.worksheets) == 1 else f"{document_id}/{sheet.title}"
            metadata = {**title, "sheet": sheet.title}
            if self.sheets == "row":
                for row in row_documents(name, _rows(sheet), metadata):
                    found = True
                    yield row
            elif (document := sheet_document(name, sheet.title, _rows(sheet), metadata)) is not None:
                found = True
                yield document
        if not found:
            yield DatasetError(f"{where} is a workbook without any rows; take it out, or see whether they were lost.")


def _rows(sheet: Any) -> Any:
    """Return an iterator over the values of a sheet; what it says of its own size is not believed."""
    sheet.reset_dimensions()
    return sheet.iter_rows(values_only=True)
