"""Cleaning of parsed text: ligatures, words broken at line ends, white space. Marks are carried along."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pipelines.records import Document
from pipelines.stages.load.edits import Edit, edited
from pipelines.stages.load.running_heads import running_heads

LIGATURES = {"\ufb00": "ff", "\ufb01": "fi", "\ufb02": "fl", "\ufb03": "ffi", "\ufb04": "ffl"} | dict.fromkeys(
    "\ufb05\ufb06", "st"
)
_LIGATURE = re.compile("[\ufb00-\ufb06]")
# What PDF files hold in the place of a hyphen that is only there because the line ends.
_SOFT = "\u00ad\u0002\ufffe"
_BROKEN = re.compile(rf"(?<=[^\W\d_])([-\u2010{_SOFT}])(\s++)(?=[^\W\d_])")
_WORD = re.compile(r"[^\W\d_]++(?:-[^\W\d_]++)*+")
_INVISIBLE = "\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\ufeff\ufffe\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f"
_SPACES = re.compile(rf"[\s{_INVISIBLE}]++")
_NEWLINE = re.compile("\r\n|[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_LEFT = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*$")
_MOST_WORD_CHARS = 60


@dataclass(frozen=True)
class Cleaning:
    """What is cleaned."""

    hyphens: bool
    running_heads: bool
    ligatures: bool
    white_space: bool

    def __bool__(self) -> bool:
        return self.hyphens or self.running_heads or self.ligatures or self.white_space

    def of(self, document: Document) -> Document:
        """Return the document cleaned, one step after the other."""
        steps: tuple[tuple[bool, Callable[[Document], Iterator[Edit]]], ...] = (
            (self.ligatures, ligatures),
            (self.running_heads, running_heads),
            (self.hyphens, hyphens),
            (self.white_space, white_space),
        )
        for wanted, step in steps:
            document = edited(document, step(document)) if wanted else document
        return document


def ligatures(document: Document) -> Iterator[Edit]:
    """Write ligatures as the letters that they stand for."""
    for match in _LIGATURE.finditer(document.text):
        yield Edit(match.start(), match.end(), LIGATURES[match[0]])


def hyphens(document: Document) -> Iterator[Edit]:
    """Join words that were broken at the end of a line.

    A hyphen that may belong to the word stays where the document writes the word so elsewhere, and never writes it
    in one; before a capital it is left alone.
    """
    text = document.text
    words: set[str] | None = None
    for match in _BROKEN.finditer(text):
        if not _NEWLINE.search(match[2]):
            continue
        if match[1] in _SOFT:
            yield Edit(match.start(), match.end())
        elif text[match.end()].islower():
            words = set(_WORD.findall(text.lower())) if words is None else words
            keep = _own_hyphen(text, match, words)
            yield Edit(match.start(2) if keep else match.start(), match.end())


def _own_hyphen(text: str, match: re.Match[str], words: set[str]) -> bool:
    before = _LEFT.search(text[max(0, match.start() - _MOST_WORD_CHARS) : match.start()])
    after = _WORD.match(text, match.end(), match.end() + _MOST_WORD_CHARS)
    left, right = (found[0].lower() if found else "" for found in (before, after))
    return f"{left}-{right}" in words and left + right not in words


def white_space(document: Document) -> Iterator[Edit]:
    """Make each run of white space one space, one line end or one empty line; what is invisible goes.

    The indentation of a line stays.
    """
    text = document.text
    for match in _SPACES.finditer(text):
        new = "" if match.start() == 0 or match.end() == len(text) else tidy(match[0])
        if new != match[0]:
            yield Edit(match.start(), match.end(), new)


def tidy(run: str) -> str:
    """Return what a run of white space becomes."""
    ends = list(_NEWLINE.finditer(run))
    if ends:
        indent = run[ends[-1].end() :]
        return "\n" * min(2, len(ends)) + (indent if not indent.strip(" \t") else "")
    return " " if any(c.isspace() for c in run) else ""
