"""Which chunks share characters with which pieces of evidence, found without comparing all with all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipelines.records import Chunks, Gold, LongArray


@dataclass(frozen=True)
class Overlaps:
    """Every chunk that shares a character with a piece of evidence: int64 [n_overlaps] throughout.

    `piece` is a row of the gold, `chunk` one of the chunks, in order of both; `shared` counts characters.
    """

    piece: LongArray
    chunk: LongArray
    shared: LongArray

    @classmethod
    def of(cls, gold: Gold, chunks: Chunks) -> Overlaps:
        """Find them by two binary searches a piece; chunks are in order of document and start, and may overlap."""
        starts = _packed(chunks.document, chunks.start)
        # Chunks may lie within others: the greatest end so far is in order where the ends are not.
        reached = np.maximum.accumulate(_packed(chunks.document, chunks.end)) if len(chunks) else starts
        first = np.searchsorted(reached, _packed(gold.document, gold.start), side="right")
        last = np.searchsorted(starts, _packed(gold.document, gold.end), side="left")
        piece, chunk = _expanded(first, np.maximum(last - first, 0))
        end = np.minimum(chunks.end[chunk], gold.end[piece]).astype(np.int64)
        shared = end - np.maximum(chunks.start[chunk], gold.start[piece])
        held = (shared > 0) & (chunks.document[chunk] == gold.document[piece])
        return cls(piece[held], chunk[held], shared[held])

    def of_question(self, gold: Gold) -> LongArray:
        """Return the question of every overlap, int64 [n_overlaps]."""
        return gold.question[self.piece].astype(np.int64)


def _packed(document: npt.NDArray[np.int32], place: npt.NDArray[np.int32]) -> LongArray:
    """Return document and place as one number that sorts like the pair."""
    return (document.astype(np.int64) << 32) + place.astype(np.int64)


def _expanded(first: LongArray, counts: LongArray) -> tuple[LongArray, LongArray]:
    """Return (row, number) for `counts[row]` numbers from `first[row]` on."""
    row = np.repeat(np.arange(len(counts)), counts)
    nth = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
    return row, first[row] + nth
