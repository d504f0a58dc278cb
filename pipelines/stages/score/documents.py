"""Metrics on documents: the ranking folded to documents by best rank, scored as trec_eval does.

`k` counts documents of the folded ranking: the whole ranking is folded first and cut after. Values equal those of
`ir_measures` (R@k, nDCG@k, AP@k, RR@k, Success@k) on the folded run.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipelines.records import DoubleArray, IntArray, LongArray
from pipelines.stages.score import ranked
from pipelines.stages.score.intervals import high_part, low_part, pack
from pipelines.stages.score.measured import Measured
from pipelines.stages.score.relevant import Relevant
from pipelines.stages.score.retrieved import Matches, Retrieved


def folded_ranks(document: IntArray) -> LongArray:
    """Return how many different documents stand in ranks 1 to r, int64 [n_questions, depth].

    At the first chunk of a document that is the document's rank in the folded list.
    """
    ordered = np.sort(pack(document, np.arange(document.shape[1])), axis=1)
    first = np.ones(document.shape, dtype=np.bool_)
    first[:, 1:] = high_part(ordered[:, 1:]) != high_part(ordered[:, :-1])
    new = np.zeros(document.shape, dtype=np.bool_)
    np.put_along_axis(new, low_part(ordered), first & (ordered >= 0), axis=1)
    return np.cumsum(new, axis=1)


def folded_items(relevant: Relevant, retrieved: Retrieved, matches: Matches) -> ranked.Items:
    """Return the relevant documents as items, gained at their rank in the folded list."""
    pair, first = np.unique(matches.pair, return_index=True)
    rank = np.full(len(relevant.question), ranked.NEVER)
    rank[pair] = folded_ranks(retrieved.document)[relevant.question[pair], matches.rank[first] - 1]
    return ranked.Items(relevant.n_questions, relevant.question, relevant.grade, rank)


def recall(placed: ranked.Placed, n_items: LongArray, cut: LongArray) -> DoubleArray:
    """Share of the n relevant documents that are found.

    doc_recall = |{relevant documents with rank <= k}| / n
    """
    return ranked.found(placed, cut) / np.maximum(n_items, 1)[:, None]


def hit(placed: ranked.Placed, cut: LongArray) -> DoubleArray:
    """Whether any relevant document is found.

    doc_hit = 1 if min rank <= k, else 0
    """
    return (ranked.found(placed, cut) > 0).astype(np.float64)


def measure(items: ranked.Items, cutoffs: Sequence[int]) -> dict[str, Measured]:
    """Return every document metric of every question at every cut-off."""
    cut = np.broadcast_to(np.asarray(cutoffs, dtype=np.int64), (items.n_questions, len(cutoffs)))
    placed = ranked.gained(items)
    n_items = np.bincount(items.question, minlength=items.n_questions)
    return {
        "doc_recall": Measured.of(recall(placed, n_items, cut)),
        "doc_ndcg": Measured.of(ranked.ndcg(placed, ranked.ideal(items), cut)),
        "doc_map": Measured.of(ranked.average_precision(placed, n_items, cut)),
        "doc_mrr": Measured.of(ranked.reciprocal_rank(placed, cut)),
        "doc_hit": Measured.of(hit(placed, cut)),
    }
