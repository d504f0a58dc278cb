"""Metrics on evidence items: the ranked list in which an item is gained where its coverage suffices."""

from __future__ import annotations

import numpy as np

from pipelines.records import LongArray
from pipelines.stages.score import ranked
from pipelines.stages.score.intervals import FirstRanks, chars_by, pack
from pipelines.stages.score.measured import Measured
from pipelines.stages.score.relevant import Relevant
from pipelines.stages.score.retrieved import Cuts, Matches, Retrieved
from pipelines.stages.score.spans import covered_at

_TOLERANCE_CHARS = 1e-9  # 0.7 x 10 characters is 7, though 0.7 * 10 may come out a hair above.


def gained_items(relevant: Relevant, retrieved: Retrieved, matches: Matches, coverage: float) -> ranked.Items:
    """Find the first rank at which `coverage` of an item's characters are handed on: the best of its alternatives'."""
    spans = relevant.evidence
    needed = np.ceil(coverage * (spans.end - spans.start) - _TOLERANCE_CHARS).astype(np.int64)
    pieces = covered_at(spans, relevant, retrieved, matches)
    reached = first_reached(pieces, np.maximum(needed, 1))
    rank = np.full(len(relevant.item_question), ranked.NEVER)
    np.minimum.at(rank, relevant.item, reached)
    return ranked.Items(relevant.n_questions, relevant.item_question, relevant.item_grade, rank)


def first_reached(pieces: FirstRanks, needed: LongArray) -> LongArray:
    """Return the least rank by which each owner has `needed` [n_owners] characters covered, NEVER where none."""
    order = np.argsort(pack(pieces.owner, pieces.rank), kind="stable")
    owner, chars = pieces.owner[order], pieces.chars[order]
    totals = chars_by(owner, chars, len(needed))
    covered = np.cumsum(chars) - (np.cumsum(totals) - totals)[owner]
    enough = covered >= needed[owner]
    reached = np.full(len(needed), ranked.NEVER)
    np.minimum.at(reached, owner[enough], pieces.rank[order][enough])
    return reached


def measure(items: ranked.Items, cuts: Cuts) -> dict[str, Measured]:
    """Return hit, mrr, map and ndcg of every question at every cut."""
    placed = ranked.gained(items)
    n_items = np.bincount(items.question, minlength=items.n_questions)
    return {
        "hit": Measured.of(ranked.hit(items, cuts.rank)),
        "mrr": Measured.of(ranked.reciprocal_rank(placed, cuts.rank)),
        "map": Measured.of(ranked.average_precision(placed, n_items, cuts.rank)),
        "ndcg": Measured.of(ranked.ndcg(placed, ranked.ideal(items), cuts.rank)),
    }
