"""JSON lines: one document a row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pipelines.records import Document
from pipelines.stages.load import Attempt, Loader
from pipelines.stages.load.reading import RuleError, clean, json_lines, show
from pipelines.stages.load.values import identifier, metadata_of, refuse_unknown

_KEYS = ("id", "text", "metadata")


class JsonLinesLoader(Loader, name="jsonl", version=1):
    """Read rows of `{"id", "text", "metadata"}`, one document a row.

    Choose it for texts that you have prepared yourself: spans of gold count their characters. Costs next to
    nothing.
    """

    suffixes: ClassVar[tuple[str, ...]] = (".jsonl",)
    verbatim: ClassVar[bool] = True
    bounded: ClassVar[bool] = False

    def attempt(self, data: bytes, document_id: str, where: str) -> Attempt:
        """Yield each row's document; the rows bring their own ids."""
        for number, row in json_lines(data, where):
            if isinstance(row, RuleError):
                yield row
                continue
            try:
                yield document_of(row, f"{where}, line {number}")
            except RuleError as error:
                yield error


def document_of(row: Mapping[str, object], where: str) -> Document:
    """Turn one row into a document.

    Raises:
        RuleError: for a missing, unknown or wrongly typed entry.
    """
    refuse_unknown(row, _KEYS, where)
    text = row.get("text")
    if not isinstance(text, str):
        raise RuleError("bad-document", f"{where}: 'text' must be text, but is {show(text)}; give the document's text.")
    return Document(identifier(row, "id", where), clean(text), metadata_of(row.get("metadata"), where))
