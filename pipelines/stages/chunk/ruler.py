"""Spans of one text measured in tokens of the whole text, cut at separators and joined up to a size."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from pipelines.models.named_tokenizers import CL100K
from pipelines.models.tokens import boundaries
from pipelines.records import IntArray, LongArray

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
        """Join neighbouring pieces, in order, as long as they hold at most `size` tokens together."""
        spans = list(pieces)
        first, last = self._places(spans)
        at = 0
        while at < len(spans):
            behind = max(int(np.searchsorted(last, first[at] + size, side="right")), at + 1)
            yield spans[at][0], spans[behind - 1][1]
            at = behind

    def bounded(self, pieces: Iterable[Span], size: int) -> Iterator[Span]:
        """Yield the pieces, those of more than `size` tokens cut further."""
        spans = list(pieces)
        first, last = self._places(spans)
        for span, fits in zip(spans, (last - first <= size).tolist(), strict=True):
            yield from ((span,) if fits and span[0] < span[1] else self.split(*span, size))

    def _places(self, spans: Sequence[Span]) -> tuple[LongArray, LongArray]:
        """Return which tokens begin at or behind the start and the end of each span, both int64 [n_spans]."""
        bounds = np.asarray(spans, dtype=np.int32).reshape(-1, 2)
        return np.searchsorted(self.at, bounds[:, 0]), np.searchsorted(self.at, bounds[:, 1])

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
