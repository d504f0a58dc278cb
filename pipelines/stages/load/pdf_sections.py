"""The sections of a PDF file: by its outline, or else by letters that are larger than the text's."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_LARGER = 1.12
_MOST_HEADING_CHARS = 160
_MOST_LEVELS = 4
_MOST_SHARE = 0.12
_LETTERS = re.compile(r"[^\W\d_]")


@dataclass(frozen=True)
class Placed:
    """A line of the document's text: its page (from 0), where it begins, what it says and how large it is."""

    page: int
    start: int
    text: str
    size: float
    in_table: bool


def outline_headings(entries: Sequence[tuple[int, int, str]], lines: Sequence[Placed]) -> list[tuple[int, int, str]]:
    """Return the headings (start, level, title) of outline entries (page, level, title).

    An entry begins at the line of its page that holds its title, or else at the page's first line.
    """
    by_page: Mapping[int, list[Placed]] = _by_page(lines)
    found: list[tuple[int, int, str]] = []
    for page, level, title in entries:
        there = by_page.get(page)
        if there and title.strip():
            least = found[-1][0] if found else 0
            found.append((max(least, _place(there, title, least)), level, title))
    return found


def _by_page(lines: Sequence[Placed]) -> Mapping[int, list[Placed]]:
    pages: dict[int, list[Placed]] = defaultdict(list)
    for line in lines:
        pages[line.page].append(line)
    return pages


def _place(lines: Sequence[Placed], title: str, least: int) -> int:
    wanted = _folded(title)
    for i, line in enumerate(lines):
        here = _folded(line.text + (lines[i + 1].text if i + 1 < len(lines) else ""))
        if wanted and line.start >= least and here.startswith(wanted):
            return line.start
    for line in lines:
        if wanted and line.start >= least and wanted in _folded(line.text):
            return line.start
    return lines[0].start


def _folded(text: str) -> str:
    return "".join(c for c in text.lower() if c.isalnum())


def sized_headings(lines: Sequence[Placed]) -> list[tuple[int, int, str]]:
    """Return the headings that larger letters give away; none where that is no reliable sign.

    It is one where most letters are of one size, and few lines are larger.
    """
    letters: Counter[float] = Counter()
    for line in lines:
        letters[line.size] += len(line.text)
    if not letters:
        return []
    body, n = letters.most_common(1)[0]
    larger = [line for line in lines if line.size >= _LARGER * body]
    if n < 0.4 * letters.total() or not larger or len(larger) > max(5, _MOST_SHARE * len(lines)):
        return []
    return list(_joined([line for line in larger if not line.in_table], lines))


def _joined(larger: Sequence[Placed], lines: Sequence[Placed]) -> Iterator[tuple[int, int, str]]:
    """Yield headings, lines of one size that follow one another as one; levels are by size, the largest first."""
    position = {line.start: i for i, line in enumerate(lines)}
    runs: list[list[Placed]] = []
    for line in larger:
        last = runs[-1][-1] if runs else None
        follows = last is not None and position[line.start] == position[last.start] + 1
        if follows and last is not None and last.page == line.page and last.size == line.size:
            runs[-1].append(line)
        else:
            runs.append([line])
    kept = [run for run in runs if _LETTERS.search(said := _said(run)) and len(said) <= _MOST_HEADING_CHARS]
    sizes = sorted({run[0].size for run in kept}, reverse=True)
    level = {size: min(i, _MOST_LEVELS - 1) + 1 for i, size in enumerate(sizes)}
    for run in kept:
        yield run[0].start, level[run[0].size], _said(run)


def _said(run: Sequence[Placed]) -> str:
    return " ".join(line.text for line in run)


def read_outline(document: Any, most: int = 5000) -> list[tuple[int, int, str]]:
    """Return the entries of a file's outline (page from 0, level from 1, title), in its order."""
    found = []
    for number, entry in enumerate(document.get_toc(max_depth=8)):
        target = entry.get_dest()
        page = target.get_index() if target is not None else None
        if page is not None and number < most:
            found.append((page, entry.level + 1, entry.get_title()))
    return sorted(found, key=lambda row: row[0])
