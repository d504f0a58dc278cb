"""Recursive splitting: at paragraphs where that suffices, else at lines, sentences, words, tokens."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from pydantic import Field

from pipelines.models.tokens import boundaries
from pipelines.records import IntArray
from pipelines.stages.chunk import Chunker, Span

_SEPARATORS = (
    re.compile(r"\n[^\S\n]*\n\s*"),
    re.compile(r"\n\s*"),
    re.compile(r"(?<=[.?!…。？！])[\"'”’)\]]*\s+|(?<=[。？！])"),
    re.compile(r"\s+"),
)


class RecursiveChunker(Chunker, name="recursive", version=1):
    """Keep paragraphs whole where they fit `size`, else lines, sentences, words. A good first choice for prose.

    Pieces are joined up to `size` tokens; what is cut at a separator keeps it at its end, so no character is lost.
    """

    size: int = Field(256, ge=16, le=8192, description="Greatest chunk length", json_schema_extra={"unit": "tokens"})
    overlap: float = Field(0.0, ge=0.0, le=0.5, description="Greatest share of a chunk repeated from the one before")

    def spans(self, text: str) -> Iterator[Span]:
        """Return the joined pieces, each begun earlier by at most `overlap`, at a separator."""
        if not text:
            return
        repeated = round(self.size * self.overlap)
        ruler = _Ruler(text, boundaries(text))
        previous = 0
        for start, end in _split(ruler, 0, len(text), self.size - repeated, 0):
            begin = ruler.step_back(start, repeated, previous) if start and repeated else start
            yield begin, end
            previous = begin + 1


@dataclass(frozen=True)
class _Ruler:
    """Measures spans of one text in tokens of the whole text."""

    text: str
    at: IntArray

    def tokens(self, start: int, end: int) -> int:
        """Return how many tokens begin in [start, end)."""
        first, last = np.searchsorted(self.at, (start, end))
        return int(last - first)

    def forward(self, start: int, n_tokens: int) -> int:
        """Return the end of the span that begins at `start` and holds `n_tokens`, and at least one character."""
        first = int(np.searchsorted(self.at, start))
        return max(int(self.at[min(first + n_tokens, len(self.at) - 1)]), start + 1)

    def step_back(self, start: int, n_tokens: int, floor: int) -> int:
        """Return the first word that begins within `n_tokens` before `start`, and not before `floor`."""
        at = int(np.searchsorted(self.at, start))
        earliest = max(int(self.at[max(at - n_tokens, 0)]), floor)
        for separator in _SEPARATORS[2:]:
            for match in separator.finditer(self.text, earliest, start):
                if match.end() < start:
                    return match.end()
        return start


def _split(ruler: _Ruler, start: int, end: int, size: int, level: int) -> Iterator[Span]:
    """Cut [start, end) at the separators of `level`, join neighbours up to `size`, cut longer ones one level on."""
    if ruler.tokens(start, end) <= size:
        yield start, end
    elif level == len(_SEPARATORS):
        yield from _windows(ruler, start, end, size)
    else:
        for first, last in _joined(ruler, _cut(ruler.text, start, end, level), size):
            yield from _split(ruler, first, last, size, level + 1)


def _cut(text: str, start: int, end: int, level: int) -> Iterator[Span]:
    for match in _SEPARATORS[level].finditer(text, start, end):
        if start < match.end() < end:
            yield start, match.end()
            start = match.end()
    yield start, end


def _joined(ruler: _Ruler, pieces: Iterator[Span], size: int) -> Iterator[Span]:
    start, end = next(pieces)
    for first, last in pieces:
        if ruler.tokens(start, last) > size:
            yield start, end
            start = first
        end = last
    yield start, end


def _windows(ruler: _Ruler, start: int, end: int, size: int) -> Iterator[Span]:
    while start < end:
        stop = min(ruler.forward(start, size), end)
        yield start, stop
        start = stop
