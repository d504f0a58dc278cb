"""Rankings made readable without the chunks: where each ranked chunk lies."""

from __future__ import annotations

from pipelines.records import PADDING, Chunks, Documents, Rankings
from pipelines.runs.record import Spans


def ranked_spans(rankings: Rankings, chunks: Chunks, documents: Documents) -> Spans:
    """Return document id, start and end of every ranked chunk, row by row without the padding."""
    rows = [row[row != PADDING] for row in rankings.chunk]
    return Spans(
        tuple(tuple(documents.ids[d] for d in chunks.document[row]) for row in rows),
        tuple(tuple(chunks.start[row].tolist()) for row in rows),
        tuple(tuple(chunks.end[row].tolist()) for row in rows),
    )
