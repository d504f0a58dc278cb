"""The sections and tables of Markdown, as spans of the text as it is."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipelines.records import SECTION, TABLE
from pipelines.stages.load.writer import Span, sections

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_ATX = re.compile(r" {0,3}(#{1,6})[ \t]+(.*?)[ \t]*#*[ \t]*$")
_RULE = re.compile(r"[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$")
_MARKUP = re.compile(r"[*_`]+|!?\[([^\]]*)\]\([^)]*\)")
_MOST_LINE_CHARS = 2000

Line = tuple[int, int, str]


def markdown_marks(text: str) -> dict[str, list[Span]]:
    """Return the marks of headings (also underlined ones) and of tables with a rule below their head."""
    lines = list(_lines(text))
    tables = list(_tables(lines))
    marks = {SECTION: sections(_headings(lines), len(text)), TABLE: tables}
    return {kind: rows for kind, rows in marks.items() if rows}


def _lines(text: str) -> Iterator[Line]:
    """Yield the lines outside of code (start, end, text); a line of code is yielded empty."""
    at, fence = 0, ""
    for line in text.splitlines(keepends=True):
        start, at = at, at + len(line)
        match = _FENCE.match(line)
        if match and (not fence or line.lstrip().startswith(fence)):
            fence = "" if fence else match[1]
            yield start, at, ""
        else:
            content = line.rstrip("\r\n")
            yield start, at, "" if fence or len(content) > _MOST_LINE_CHARS else content


def _headings(lines: list[Line]) -> Iterator[tuple[int, int, str]]:
    before: Line = (0, 0, "")
    for start, end, line in lines:
        atx = _ATX.match(line)
        if atx and (title := _plain(atx[2])):
            yield start, len(atx[1]), title
        elif before[2].strip() and not _ATX.match(before[2]) and "|" not in before[2]:
            kind = line.strip()
            if len(kind) >= 2 and len(line) - len(line.lstrip()) < 4 and kind in ("=" * len(kind), "-" * len(kind)):
                yield before[0], 1 if kind[0] == "=" else 2, _plain(before[2])
        before = (start, end, line)


def _plain(title: str) -> str:
    return _MARKUP.sub(lambda match: match[1] or "", title).strip()


def _tables(lines: list[Line]) -> Iterator[Span]:
    number, i = 0, 1
    while i < len(lines):
        if not ("|" in lines[i][2] and "|" in lines[i - 1][2] and _RULE.match(lines[i][2])):
            i += 1
            continue
        last = i
        while last + 1 < len(lines) and "|" in lines[last + 1][2]:
            last += 1
        number += 1
        end = lines[last][1] - len(_line_end(lines, last))
        yield lines[i - 1][0], end, str(number)
        i = last + 2


def _line_end(lines: list[Line], i: int) -> str:
    start, end, content = lines[i]
    return " " * (end - start - len(content))
