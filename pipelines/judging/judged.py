"""Which of the retrieved chunks were judged: what the gold says something about, good or bad."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pipelines.records import PADDING, BoolArray, Documents, Gold, LongArray, Question
from pipelines.stages.score.intervals import expand
from pipelines.stages.score.relevant import Relevant
from pipelines.stages.score.retrieved import Matches, Retrieved


def all_judged(questions: Sequence[Question], documents: Documents) -> Gold:
    """Return all that was judged as if it were relevant: evidence of every grade, 0 among them.

    `questions` have their evidence located in `documents`.
    """
    graded = [
        replace(question, evidence=tuple(replace(item, grade=1.0) for item in question.evidence))
        for question in questions
    ]
    return Gold.of(graded, documents)


def judged(relevant: Gold, everything: Gold, retrieved: Retrieved) -> BoolArray:
    """Return which ranks hold a chunk that was judged, bool [n_questions, depth]; padding counts as judged.

    Judged is a chunk that shares a character with relevant evidence of its question, or of whose characters at least
    half were judged, with whatever grade. Less than half is no judgement: neighbours overlap.
    """
    length = (retrieved.end - retrieved.start).astype(np.int64)
    touched = covered_chars(relevant, retrieved) > 0
    half = 2 * covered_chars(everything, retrieved) >= length
    found: BoolArray = touched | half | (retrieved.document == PADDING)
    return found


def covered_chars(gold: Gold, retrieved: Retrieved) -> LongArray:
    """Return how many characters of each retrieved chunk are evidence of its question, int64 [n_questions, depth]."""
    relevant = Relevant.of(gold)
    matches = Matches.of(relevant, retrieved)
    regions = relevant.regions
    counts = np.bincount(regions.owner, minlength=len(relevant.question))
    match, offset = expand(counts[matches.pair])
    region = (np.cumsum(counts) - counts)[matches.pair[match]] + offset
    place = relevant.question[matches.pair[match]], matches.rank[match] - 1
    start = np.maximum(regions.start[region], retrieved.start[place])
    end = np.minimum(regions.end[region], retrieved.end[place])
    chars: LongArray = np.zeros(retrieved.document.shape, dtype=np.int64)
    np.add.at(chars, place, np.maximum(end - start, 0))
    return chars
