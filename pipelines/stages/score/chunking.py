"""Metrics that need no ranking: the ceiling of a chunking, and what the filter leaves and removes.

Throughout, for one question: R is the union of its evidence characters; chunks are meant by their own spans, not by
the context that is handed on with them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipelines.records import PADDING, BoolArray, Candidates, Chunks, DoubleArray, LongArray
from pipelines.stages.score.intervals import Spans, chars_by, expand, merge, pack
from pipelines.stages.score.measured import Measured, Reason, share
from pipelines.stages.score.relevant import Relevant


@dataclass(frozen=True)
class Touching:
    """Which chunks share a character with which region of evidence: rows of `relevant.regions` and of `chunks`."""

    region: LongArray
    chunk: LongArray

    @classmethod
    def of(cls, relevant: Relevant, chunks: Chunks) -> Touching:
        """Find them by two binary searches a region; chunks are ordered by document and start, but not by end."""
        regions = relevant.regions
        document = relevant.document[regions.owner]
        reach = np.maximum.accumulate(pack(chunks.document, chunks.end))
        first = np.searchsorted(reach, pack(document, regions.start), side="right")
        behind = np.searchsorted(pack(chunks.document, chunks.start), pack(document, regions.end))
        region, offset = expand(np.maximum(behind - first, 0))
        chunk = first[region] + offset
        start = np.maximum(chunks.start[chunk], regions.start[region])
        touches = start < np.minimum(chunks.end[chunk], regions.end[region])
        return cls(region[touches], chunk[touches])


def precision_omega(relevant: Relevant, chunks: Chunks, touching: Touching) -> DoubleArray:
    """Return the ceiling of a chunking: iou if retrieval returned just the chunks that touch the evidence.

    precision_omega = |R ∩ D| / |D ∪ R|, with D the union of all chunks that share a character with R
    """
    regions, pair = relevant.regions, relevant.regions.owner[touching.region]
    start, end = chunks.start[touching.chunk], chunks.end[touching.chunk]
    touched = Spans(pair, start.astype(np.int64), end.astype(np.int64))
    both = Spans(*(np.concatenate(columns) for columns in zip(touched, regions, strict=True)))
    n_touched, n_both = (_chars(relevant, spans) for spans in (touched, both))
    return share(n_touched + relevant.chars - n_both, n_both)


def gold_survival(relevant: Relevant, chunks: Chunks, touching: Touching, candidates: Candidates) -> DoubleArray:
    """Return the share of the evidence that the filter leaves: the most that any retrieval behind it could recall.

    gold_survival = |R ∩ S| / |R|, with S the union of the chunks that the filter leaves
    """
    regions = relevant.regions.take(touching.region)
    left = np.flatnonzero(_allowed(candidates, relevant.question[regions.owner], touching.chunk))
    chunk, regions = touching.chunk[left], regions.take(left)
    start, end = np.maximum(chunks.start[chunk], regions.start), np.minimum(chunks.end[chunk], regions.end)
    return share(_chars(relevant, Spans(regions.owner, start, end)), relevant.chars)


def candidates_removed(candidates: Candidates, n_chunks: int) -> DoubleArray:
    """Return the share of the chunks that the filter takes out of the search.

    candidates_removed = 1 - |chunks that the filter leaves| / |chunks|
    """
    # One more row behind the masks: a mask of -1, by which every chunk may be returned, finds it there.
    left = np.append(np.count_nonzero(candidates.allowed, axis=1), n_chunks)[candidates.mask]
    return share(n_chunks - left, np.full(len(left), n_chunks))


def measure(relevant: Relevant, chunks: Chunks, candidates: Candidates) -> dict[str, Measured]:
    """Return precision_omega, gold_survival and candidates_removed of every question."""
    touching = Touching.of(relevant, chunks)
    removed = Measured.of(candidates_removed(candidates, len(chunks)))
    return {
        "precision_omega": Measured.of(precision_omega(relevant, chunks, touching)),
        "gold_survival": Measured.of(gold_survival(relevant, chunks, touching, candidates)),
        "candidates_removed": removed.unless(np.full((1, 1), len(chunks) == 0), Reason.NO_CHUNKS),
    }


def _chars(relevant: Relevant, spans: Spans) -> LongArray:
    """Return how many characters the spans (owners are pairs) hold together, int64 [n_questions]."""
    merged = merge(spans)
    return chars_by(relevant.question[merged.owner], merged.end - merged.start, relevant.n_questions)


def _allowed(candidates: Candidates, question: LongArray, chunk: LongArray) -> BoolArray:
    mask = candidates.mask[question]
    allowed: BoolArray = mask == PADDING
    masked = np.flatnonzero(~allowed)
    allowed[masked] = candidates.allowed[mask[masked], chunk[masked]]
    return allowed
