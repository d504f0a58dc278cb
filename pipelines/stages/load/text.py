"""Plain text files, as they are."""

from __future__ import annotations

from typing import ClassVar

from pipelines.records import PAGE, Document
from pipelines.stages.load import Attempt, Loader
from pipelines.stages.load.choices import EncodingKnob
from pipelines.stages.load.encodings import decoded

_PAGE_BREAK = "\f"


class TextLoader(Loader, name="text", version=2):
    """Read .txt files as they are, one document a file; where form feeds part pages, these are marked.

    `auto` takes it for such files; choose it by name where any other file is a mistake, which is then reported.
    Costs next to nothing.
    """

    suffixes: ClassVar[tuple[str, ...]] = (".txt",)
    verbatim: ClassVar[bool] = True
    bounded: ClassVar[bool] = False

    encoding: EncodingKnob = "auto"

    def attempt(self, data: bytes, document_id: str, where: str) -> Attempt:
        """Yield the one document."""
        text, notes = decoded(data, where, self.encoding)
        yield from notes
        pages = _pages(text)
        yield Document(document_id, text, marks={PAGE: pages} if pages else {})


def _pages(text: str) -> list[tuple[int, int, int]]:
    """Return the pages that form feeds part; a break at the end begins none."""
    if _PAGE_BREAK not in text:
        return []
    pages, start = [], 0
    for number, part in enumerate(text.split(_PAGE_BREAK), start=1):
        end = min(len(text), start + len(part) + 1)
        pages.append((start, end, number))
        start = end
    return [(start, end, number) for start, end, number in pages if start < end]
