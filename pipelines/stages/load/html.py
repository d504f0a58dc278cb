"""Web pages that were saved as files."""

from __future__ import annotations

from typing import ClassVar

from pipelines.stages.load import Attempt, Loader
from pipelines.stages.load.choices import MainTextKnob
from pipelines.stages.load.html_text import decode_page, refuse_empty, write_page
from pipelines.stages.load.writer import Writer, titled


class HtmlLoader(Loader, name="html", version=1):
    """Read the main text of web pages (trafilatura finds it): headings become sections, tables stay row by row.

    Choose `main_text: false` for pages that are all content, such as printed documentation.

    Costs some tens of milliseconds a page, once a content.
    """

    suffixes: ClassVar[tuple[str, ...]] = (".html", ".htm", ".xhtml")

    main_text: MainTextKnob = True

    def attempt(self, data: bytes, document_id: str, where: str) -> Attempt:
        """Yield the one document, its title as metadata."""
        text, notes = decode_page(data, where)
        yield from notes
        writer = Writer()
        title = write_page(text, writer, main_text=self.main_text)
        empty = list(refuse_empty(writer, where, "a web page"))
        yield from empty
        if not empty:
            yield writer.document(document_id, titled(title))
