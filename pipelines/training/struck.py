"""Strikes as they hold under a chunking: which chunks are struck out of which question's positives and negatives."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pipelines.records import Chunks, Documents
from pipelines.training.strikes import Strike, Struck


@dataclass(frozen=True)
class StruckOut:
    """Strikes with the chunks that each of them means; one that means none holds for nothing here."""

    meant: Mapping[Strike, frozenset[int]]

    @classmethod
    def of(cls, strikes: Sequence[Strike], documents: Documents, chunks: Chunks) -> StruckOut:
        """Find the chunk of each strike: that with its very span, or else those that are mostly the same text."""
        return cls({strike: frozenset(_meant(strike, documents, chunks)) for strike in strikes})

    def positives(self, question_id: str) -> frozenset[int]:
        """Return the chunks that are no answer to a question."""
        return self._chunks.get((question_id, "positive"), frozenset())

    def negatives(self, question_id: str) -> frozenset[int]:
        """Return the chunks that are no negative of a question."""
        return self._chunks.get((question_id, "negative"), frozenset())

    @cached_property
    def _chunks(self) -> Mapping[tuple[str, Struck], frozenset[int]]:
        found: dict[tuple[str, Struck], frozenset[int]] = defaultdict(frozenset)
        for strike, rows in self.meant.items():
            found[strike.question_id, strike.of] |= rows
        return found


def _meant(strike: Strike, documents: Documents, chunks: Chunks) -> list[int]:
    """Return the chunk that begins and ends where the strike does, else those that share more than half of both."""
    document = documents.position.get(strike.document_id)
    if document is None:
        return []
    first, last = np.searchsorted(chunks.document, (document, document + 1))
    start, end = chunks.start[first:last].astype(np.int64), chunks.end[first:last].astype(np.int64)
    same = (start == strike.start) & (end == strike.end)
    shared = np.minimum(end, strike.end) - np.maximum(start, strike.start)
    mostly = 2 * shared > np.maximum(end - start, strike.end - strike.start)
    rows: list[int] = (int(first) + np.flatnonzero(same if same.any() else mostly)).tolist()
    return rows
