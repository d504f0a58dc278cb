"""Running heads, running feet and page numbers: lines at the edge of pages that return from page to page."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipelines.records import PAGE, Document
from pipelines.stages.load.edits import Edit

EDGE_LINES = 4
NEAR_PAGES = 4
LEAST_PAGES = 3
_NUMBER = re.compile(r"\d{1,5}|\b[ivxlc]{1,7}\b", re.IGNORECASE)
_ROMAN = {"i": 1, "v": 5, "x": 10, "l": 50, "c": 100}
_MOST_CHARS = 200
_ENDS = '.!?:;"”»)'

Place = tuple[int, int]
Key = tuple[str, int | None]


@dataclass(frozen=True)
class _Page:
    """The lines of a page that hold anything, as spans of the text."""

    number: int
    lines: tuple[Place, ...]


def running_heads(document: Document) -> Iterator[Edit]:
    """Take out the lines at the edges of pages that return.

    From the edge inwards, a line goes as long as its text, or its text with a number that grows by one a page, stands
    at the same edge of three pages or more among the nine around it. What was parted by such lines is joined again.
    """
    pages = list(_pages(document))
    if len(pages) < LEAST_PAGES:
        return
    text = document.text
    heads = _counted(pages, text, top=True)
    feet = _counted(pages, text, top=False)
    yield from _edits(pages, [h for h, _ in zip(heads, pages, strict=True)], feet, text)


def _pages(document: Document) -> Iterator[_Page]:
    for start, end, _ in document.marks.get(PAGE, ()):
        lines, at = [], start
        for line in document.text[start:end].splitlines(keepends=True):
            stripped = line.strip()
            if stripped:
                first = at + line.index(stripped)
                lines.append((first, first + len(stripped)))
            at += len(line)
        yield _Page(len(lines), tuple(lines))


def _counted(pages: Sequence[_Page], text: str, *, top: bool) -> list[int]:
    """Return for each page how many of its lines, from the edge inwards, return on pages nearby."""
    edges = [page.lines[:EDGE_LINES] if top else page.lines[::-1][:EDGE_LINES] for page in pages]
    keys = [[_keys(text[start:end], i) for start, end in edge] for i, edge in enumerate(edges)]
    seen: dict[Key, set[int]] = defaultdict(set)
    for i, rows in enumerate(keys):
        for row in rows:
            for key in row:
                seen[key].add(i)
    return [_run(rows, i, seen) for i, rows in enumerate(keys)]


def _run(rows: Sequence[Sequence[Key]], page: int, seen: dict[Key, set[int]]) -> int:
    near = range(page - NEAR_PAGES, page + NEAR_PAGES + 1)
    count = 0
    for row in rows:
        if not any(sum(i in seen[key] for i in near) >= LEAST_PAGES for key in row):
            break
        count += 1
    return count


def _keys(line: str, page: int) -> list[Key]:
    """Return what a line may return as: its text, or its text with one number less the page's position."""
    if len(line) > _MOST_CHARS:
        return []
    words = " ".join(line.split())
    found: list[Key] = [(words, None)] if not words.isdecimal() else []
    for match in _NUMBER.finditer(words):
        number = _value(match[0])
        if number is not None:
            found.append((words[: match.start()] + "#" + words[match.end() :], number - page))
    return found


def _value(token: str) -> int | None:
    if token.isdecimal():
        return int(token)
    digits = [_ROMAN[c] for c in token.lower()]
    pairs = zip(digits, [*digits[1:], 0], strict=True)
    return sum(-digit if digit < after else digit for digit, after in pairs)


def _edits(pages: Sequence[_Page], heads: Sequence[int], feet: Sequence[int], text: str) -> Iterator[Edit]:
    """Join what is kept of one page with what is kept of the next."""
    done, removed = 0, False  # where the kept text before ends, and whether anything was removed since
    before = False
    for page, head, foot in zip(pages, heads, feet, strict=True):
        kept = page.lines[head : max(head, page.number - foot)]
        removed |= head > 0
        if not kept:
            removed |= page.number > 0
            continue
        if removed:
            yield Edit(done, kept[0][0], _seam(text, done, kept[0][0]) if before else "")
        done, removed, before = kept[-1][1], foot > 0, True
    if removed and before:
        yield Edit(done, len(text))


def _seam(text: str, end: int, start: int) -> str:
    """Return what parts two pages: a line end within a sentence, else an empty line."""
    goes_on = text[end - 1] not in _ENDS and text[start].islower()
    return "\n" if goes_on else "\n\n"
