"""Spans of one text measured in tokens of the whole text, cut at separators and joined up to a size."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from pipelines.models.named_tokenizers import CL100K
from pipelines.models.tokens import boundaries
from pipelines.records import IntArray

Span = tuple[int, int]

SEPARATORS = (
    re.compile(r"\n[^\S\n]*\n\s*"),
    re.compile(r"\n\s*"),
    re.compile(r"(?<=[.?!…。？！])[\"'”’)\]]*\s+|(?<=[。？！])"),
    re.compile(r"\s+"),
)
"""Paragraphs, lines, sentences, words."""


@dataclass(frozen=True)
class Ruler:
    """Measures spans of one text in tokens of the whole text; `at` is where each token begins, int32 [n_tokens + 1]."""

    text: str
    at: IntArray

    @classmethod
    def of(cls, text: str, tokenizer: str = CL100K) -> Ruler:
        """Measure `text` in tokens of a tokenizer by name."""
        return cls(text, boundaries(text, tokenizer))

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
        for separator in SEPARATORS[2:]:
            for match in separator.finditer(self.text, earliest, start):
                if match.end() < start:
                    return match.end()
        return start

    def split(self, start: int, end: int, size: int, level: int = 0) -> Iterator[Span]:
        """Cut [start, end) at the separators of `level`, join neighbours up to `size` tokens, cut longer ones further.

        The spans cover [start, end) one after another; what is cut at a separator keeps it at its end.
        """
        if start >= end:
            return
        if self.tokens(start, end) <= size:
            yield start, end
        elif level == len(SEPARATORS):
            yield from self._windows(start, end, size)
        else:
            for first, last in self.joined(self._cut(start, end, level), size):
                yield from self.split(first, last, size, level + 1)

    def joined(self, pieces: Iterable[Span], size: int) -> Iterator[Span]:
        """Join neighbouring pieces as long as they hold at most `size` tokens together."""
        start, end = -1, -1
        for first, last in pieces:
            if start >= 0 and self.tokens(start, last) > size:
                yield start, end
                start = first
            start, end = (first if start < 0 else start), last
        if start >= 0:
            yield start, end

    def bounded(self, pieces: Iterable[Span], size: int) -> Iterator[Span]:
        """Yield the pieces, those of more than `size` tokens cut further."""
        for start, end in pieces:
            yield from self.split(start, end, size)

    def _cut(self, start: int, end: int, level: int) -> Iterator[Span]:
        for match in SEPARATORS[level].finditer(self.text, start, end):
            if start < match.end() < end:
                yield start, match.end()
                start = match.end()
        yield start, end

    def _windows(self, start: int, end: int, size: int) -> Iterator[Span]:
        while start < end:
            stop = min(self.forward(start, size), end)
            yield start, stop
            start = stop
