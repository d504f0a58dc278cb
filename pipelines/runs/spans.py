"""Rankings made readable without the chunks: where each ranked chunk lies."""

from __future__ import annotations

import numpy as np

from pipelines.records import PADDING, Chunks, Documents, IntArray, Rankings
from pipelines.runs.record import Spans


def ranked_spans(rankings: Rankings, chunks: Chunks, documents: Documents) -> Spans:
    """Return document, start and end of every ranked chunk; padding stays padding."""
    empty = rankings.chunk == PADDING

    def at_rank(values: IntArray) -> IntArray:
        if not len(values):
            return np.full(empty.shape, PADDING, dtype=np.int32)
        return np.where(empty, np.int32(PADDING), values[rankings.chunk])

    return Spans(documents.ids, at_rank(chunks.document), at_rank(chunks.start), at_rank(chunks.end))
