"""The sections and tables of Markdown, as spans of the text as it is."""

from __future__ import annotations

from pipelines.models.markdown import headings, tables
from pipelines.records import SECTION, TABLE
from pipelines.stages.load.writer import Span, sections


def markdown_marks(text: str) -> dict[str, list[Span]]:
    """Return the marks of headings, underlined ones too, and of tables, which are numbered."""
    numbered: list[Span] = [(start, end, str(n)) for n, (start, end) in enumerate(tables(text), 1)]
    marks = {SECTION: sections(headings(text), len(text)), TABLE: numbered}
    return {kind: rows for kind, rows in marks.items() if rows}
