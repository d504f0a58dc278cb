"""Strikes as they hold under a chunking: which chunks are struck out of which question's positives and negatives."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipelines.records import Chunks, Documents
from pipelines.training.strikes import Strike, Struck


@dataclass(frozen=True)
class StruckOut:
    """The chunks that are struck out, by question id and what they are struck out of; `unknown` name no chunk."""

    chunks: Mapping[tuple[str, Struck], frozenset[int]]
    unknown: tuple[Strike, ...]

    @classmethod
    def of(cls, strikes: Sequence[Strike], documents: Documents, chunks: Chunks) -> StruckOut:
        """Find the chunk of each strike: that with its very span, or else those that are mostly the same text."""
        found: dict[tuple[str, Struck], set[int]] = defaultdict(set)
        unknown = []
        for strike in strikes:
            rows = _meant(strike, documents, chunks)
            found[strike.question_id, strike.of].update(rows)
            unknown += [] if rows else [strike]
        return cls({key: frozenset(rows) for key, rows in found.items()}, tuple(unknown))

    def positives(self, question_id: str) -> frozenset[int]:
        """Return the chunks that are no answer to a question."""
        return self.chunks.get((question_id, "positive"), frozenset())

    def negatives(self, question_id: str) -> frozenset[int]:
        """Return the chunks that are no negative of a question."""
        return self.chunks.get((question_id, "negative"), frozenset())


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
