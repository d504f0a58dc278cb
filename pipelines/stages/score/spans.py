"""Metrics on spans: how much of the evidence the context of the first k chunks holds, and how much else.

Throughout, for one question: R is the union of its evidence characters over all documents, alternatives included;
C is the union of the context spans of the first k chunks. Definitions of precision and iou follow Chroma's technical
report *Evaluating Chunking Strategies for Retrieval* (2024).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipelines.records import DoubleArray, LongArray
from pipelines.stages.score.intervals import FirstRanks, Spans, expand, first_ranks
from pipelines.stages.score.measured import Measured, Reason, share
from pipelines.stages.score.relevant import Relevant
from pipelines.stages.score.retrieved import Cuts, Matches, Retrieved


@dataclass(frozen=True)
class Coverage:
    """Counts of characters: `relevant` is |R| [n_questions, 1]; the others are [n_questions, n_cuts].

    `covered` is |R ∩ C|; `handed_on` is the sum of the context lengths of the first k chunks, overlap counted twice.
    """

    relevant: LongArray
    covered: LongArray
    handed_on: LongArray

    @classmethod
    def of(cls, relevant: Relevant, retrieved: Retrieved, matches: Matches, cuts: Cuts) -> Coverage:
        """Count for every question and cut."""
        pieces = covered_at(relevant.regions, relevant, retrieved, matches)
        question = relevant.question[relevant.regions.owner[pieces.owner]]
        gains = np.zeros(retrieved.document.shape, dtype=np.int64)
        np.add.at(gains, (question, pieces.rank - 1), pieces.chars)
        return cls(
            relevant=relevant.chars[:, None],
            covered=cuts.total(gains),
            handed_on=cuts.total(retrieved.end - retrieved.start),
        )


def covered_at(targets: Spans, relevant: Relevant, retrieved: Retrieved, matches: Matches) -> FirstRanks:
    """Return the first rank whose context covers each piece of `targets`; owners of the pieces are rows of `targets`.

    The owners of `targets` are pairs, in order.
    """
    counts = np.bincount(targets.owner, minlength=len(relevant.question))
    match, offset = expand(counts[matches.pair])
    target = (np.cumsum(counts) - counts)[matches.pair[match]] + offset
    place = relevant.question[matches.pair[match]], matches.rank[match] - 1
    start = np.maximum(targets.start[target], retrieved.start[place])
    end = np.minimum(targets.end[target], retrieved.end[place])
    hit = np.flatnonzero(start < end)
    return first_ranks(Spans(target[hit], start[hit], end[hit]), matches.rank[match[hit]])


def recall(coverage: Coverage) -> DoubleArray:
    """Share of the evidence that is handed on.

    recall = |R ∩ C| / |R|
    """
    return share(coverage.covered, coverage.relevant)


def precision(coverage: Coverage) -> DoubleArray:
    """Share of what is handed on that is evidence.

    precision = |R ∩ C| / Σ len(c), over the first k chunks c; overlap between chunks counts twice below, once above.
    """
    return share(coverage.covered, coverage.handed_on)


def iou(coverage: Coverage) -> DoubleArray:
    r"""Intersection over union: falls with what is missed as well as with what is superfluous.

    iou = |R ∩ C| / (Σ len(c) + |R \ C|), over the first k chunks c
    """
    return share(coverage.covered, coverage.handed_on + coverage.relevant - coverage.covered)


def measure(coverage: Coverage, retrieved: Retrieved, cuts: Cuts) -> dict[str, Measured]:
    """Return recall, precision and iou of every question at every cut."""
    precise = (
        Measured.of(precision(coverage))
        .unless(coverage.handed_on == 0, Reason.EMPTY_CHUNKS)
        .unless(cuts.rank == 0, Reason.NOTHING_FITS)
        .unless((retrieved.n_chunks() == 0)[:, None], Reason.NOTHING_RETRIEVED)
    )
    return {"recall": Measured.of(recall(coverage)), "precision": precise, "iou": Measured.of(iou(coverage))}
