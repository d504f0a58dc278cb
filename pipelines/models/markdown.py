"""The headings and tables of Markdown, as places in the text as it is; what is fenced as code has none."""

from __future__ import annotations

import re
from collections.abc import Iterator

Span = tuple[int, int]
Line = tuple[int, int, str]
"""Where a line begins, where the next one does, and what it holds."""

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_ATX = re.compile(r" {0,3}(#{1,6})[ \t]+(.*?)[ \t]*#*[ \t]*$")
_UNDERLINE = re.compile(r" {0,3}(=+|-+)[ \t]*$")
_RULE = re.compile(r"[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$")
_MARKUP = re.compile(r"`+([^`]+)`+|!?\[([^\]]*)\]\([^)]*\)|[*`]+|(?<!\w)_+|_+(?!\w)")
"""Code, links, and marks of emphasis; an underscore within a word is none."""
_MOST_CHARS = 2000
"""A longer line is no heading and no rule: it is not searched."""
_MOST_UNDERLINED_CHARS = 120


def headings(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield where each heading begins, its level from 1, and its words without markup."""
    before: Line = (0, 0, "")
    for start, end, line in _lines(text):
        short = line if len(line) <= _MOST_CHARS else ""
        marked, underline = _ATX.match(short), _UNDERLINE.match(short)
        if marked and (title := _plain(marked[2])):
            yield start, len(marked[1]), title
        elif underline and len(line.strip()) > 1 and _may_be_underlined(before[2]):
            yield before[0], 1 if underline[1][0] == "=" else 2, _plain(before[2])
        before = (start, end, line)


def tables(text: str) -> Iterator[Span]:
    """Yield runs of two or more lines that begin with a bar, or that follow a line with bars and a rule below it."""
    lines = [*_lines(text), (len(text), len(text), "")]
    i = 0
    while i < len(lines):
        last = i
        ruled = i + 1 < len(lines) and "|" in lines[i][2] and is_rule(lines[i + 1][2])
        while _is_row(lines[last][2]) or (ruled and "|" in lines[last][2]):
            last += 1
        if last - i >= 2:
            start, _, content = lines[last - 1]
            yield lines[i][0], start + len(content)
        i = max(last, i + 1)


def is_rule(line: str) -> bool:
    """Return whether a line is what stands below the head of a table: bars and dashes."""
    return "|" in line and "-" in line and len(line) <= _MOST_CHARS and bool(_RULE.match(line))


def _lines(text: str) -> Iterator[Line]:
    """Yield the lines; one of code is yielded empty."""
    at, fence = 0, ""
    for line in text.splitlines(keepends=True):
        start, at = at, at + len(line)
        match = _FENCE.match(line)
        if match and (not fence or line.lstrip().startswith(fence)):
            fence = "" if fence else match[1]
            yield start, at, ""
        else:
            yield start, at, "" if fence else line.rstrip("\r\n")


def _is_row(line: str) -> bool:
    return line.lstrip().startswith("|") and line.count("|") >= 2


def _may_be_underlined(line: str) -> bool:
    words = line.strip()
    return bool(words) and len(line) <= _MOST_UNDERLINED_CHARS and "|" not in words and words[0] not in "#->*+`~="


def _plain(title: str) -> str:
    return _MARKUP.sub(lambda match: match[1] or match[2] or "", title).strip()
