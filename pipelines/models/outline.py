"""What a document's marks, or else its text, say of its structure: sections below headings, tables, pages."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from pipelines.models import markdown
from pipelines.records import PAGE, SECTION, TABLE, Document, MetadataValue

Span = tuple[int, int]
Labelled = tuple[int, int, str]

_BLANK = re.compile(r"\s*")


def sections(document: Document) -> list[Labelled]:
    """Return (start, end, path) of spans that cover the text one after another; what lies below no heading has path "".

    They come of the document's marks where it has any, else of the markdown headings in its text.
    """
    marked = document.marks.get(SECTION)
    if marked:
        return labelled(marked, document.text)
    return list(_below_headings(document.text))


def pages(document: Document) -> list[Span]:
    """Return spans that cover the text, one a page: by the document's marks, else by form feeds."""
    marked = document.marks.get(PAGE)
    if marked:
        starts = [start for start, _, _ in marked]
    else:
        starts = [match.end() for match in re.finditer("\f", document.text)]
    return cut_at(document.text, starts)


def tables(document: Document) -> list[Labelled]:
    """Return (start, end, "table") or "", spans that cover the text: tables, and what lies between them.

    Tables are those marked, else runs of lines that are a markdown or pipe table.
    """
    marked = document.marks.get(TABLE)
    spans = [mark[:2] for mark in marked] if marked else list(markdown.tables(document.text))
    return labelled([(start, end, TABLE) for start, end in spans], document.text)


def first_heading(document: Document) -> str:
    """Return the first heading of a document, "" where it has none."""
    path = next((path for _, _, path in sections(document) if path), "")
    return path.split(" > ")[0]


def header_rows(text: str) -> str:
    """Return the header of a markdown table: the lines above its rule, or its first line."""
    rows = [line for line in text.strip("\n").splitlines() if line.strip()]
    ruled = next((i for i, line in enumerate(rows[:4]) if i and markdown.is_rule(line)), None)
    return "\n".join(rows[: 1 if ruled is None else ruled])


def cut_at(text: str, starts: Iterable[int]) -> list[Span]:
    """Return spans that cover `text`, cut at the first visible character from each of `starts` on."""
    if not text:
        return []
    first = _visible(text, 0)
    inner = {_visible(text, start) for start in starts}
    return list(pairwise([0, *sorted(start for start in inner if first < start < len(text)), len(text)]))


def _visible(text: str, at: int) -> int:
    """Return the first place from `at` on that is no white space."""
    found = _BLANK.match(text, at)
    return found.end() if found else at


def labelled(marks: Sequence[tuple[int, int, MetadataValue]], text: str) -> list[Labelled]:
    """Return spans that cover `text`: the marks, and with "" what lies between them, white space at their ends."""
    begun, found = [start for start, _, _ in marks], []
    for start, end in cut_at(text, [place for mark in marks for place in mark[:2]]):
        seen = _visible(text, start)
        row = bisect_right(begun, seen) - 1
        found.append((start, end, str(marks[row][2]) if row >= 0 and seen < marks[row][1] else ""))
    return found


def _below_headings(text: str) -> Iterator[Labelled]:
    start, path = 0, ""
    above: list[tuple[int, str]] = []
    for at, level, title in markdown.headings(text):
        if text[start:at].strip():
            yield start, at, path
            start = at
        above = [*(one for one in above if one[0] < level), (level, title)]
        path = " > ".join(one for _, one in above)
    if start < len(text):
        yield start, len(text), path
