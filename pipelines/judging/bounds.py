"""What the chunks that nobody judged could make of a metric: its least and greatest value, where they bound it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from pipelines.records import PADDING, BoolArray, DoubleArray, Gold, LongArray
from pipelines.stages.score import documents, items, ranked
from pipelines.stages.score.intervals import Spans, first_ranks
from pipelines.stages.score.relevant import Relevant
from pipelines.stages.score.retrieved import Cuts, Matches, Retrieved

DEEPEST = 100
"""Beyond this rank ndcg is not bounded: every number of further relevant chunks would have to be tried."""

_ALL_EVIDENCE = "it divides by all evidence there is, so text that no run retrieved would change it too"
_NO_RANKING = "it does not depend on which of the retrieved chunks are relevant"
UNBOUNDED: Mapping[str, str] = {
    **dict.fromkeys(("recall", "iou", "map", "doc_recall", "doc_map"), _ALL_EVIDENCE),
    **dict.fromkeys(("precision_omega", "gold_survival"), "it depends on the evidence and the chunking alone"),
}
CAVEATS: Mapping[str, str] = {
    "hit": "the greatest value takes an unjudged chunk for an alternative to what was missed",
    **dict.fromkeys(
        ("ndcg", "doc_ndcg"), "evidence outside the first k, which was not retrieved, could make it lower still"
    ),
}

Range = tuple[DoubleArray, DoubleArray]


def why_unbounded(family: str) -> str:
    """Return why a family of metrics has no bounds."""
    return UNBOUNDED.get(family, _NO_RANKING)


@dataclass(frozen=True, eq=False)
class Retrieval:
    """A run's ranks with their gold, and which of them were judged, bool [n_questions, depth]."""

    relevant: Relevant
    retrieved: Retrieved
    judged: BoolArray
    everything: Gold
    cutoffs: tuple[int, ...]
    budgets_tokens: tuple[int, ...]
    coverage: float

    @property
    def unjudged(self) -> BoolArray:
        """Where a chunk stands that nobody judged."""
        return ~self.judged

    @property
    def cuts(self) -> Cuts:
        """The rank after which the list is cut, at each cut-off and budget."""
        return Cuts.of(self.retrieved, self.cutoffs, self.budgets_tokens)

    def names(self) -> list[str]:
        """Return what stands behind the @ of a metric, in the order of the cuts."""
        return [*(str(k) for k in self.cutoffs), *(f"{tokens}tok" for tokens in self.budgets_tokens)]


def bounded(retrieval: Retrieval, measured: Mapping[str, DoubleArray]) -> dict[str, Range]:
    """Return the least and the greatest value of each question, both [n_questions], by the metric's name.

    `measured` are the run's own values. The bounds are over all ways of judging the unjudged among the first k, as
    irrelevant or as relevant with the question's highest grade.
    """
    found: dict[str, Range] = {}
    for family, bound in _FAMILIES.items():
        names = retrieval.names() if not family.startswith("doc_") else retrieval.names()[: len(retrieval.cutoffs)]
        columns = [measured.get(f"{family}@{name}") for name in names]
        if any(column is None for column in columns):
            continue
        own = np.stack([column for column in columns if column is not None], axis=1)
        low, high = bound(retrieval, own)
        missing = np.isnan(own)
        for i, name in enumerate(names):
            if not np.isnan(high[:, i][~missing[:, i]]).any():
                values = (np.where(missing[:, i], np.nan, side[:, i]) for side in (low, high))
                found[f"{family}@{name}"] = next(values), next(values)
    return found


def _precision(retrieval: Retrieval, own: DoubleArray) -> Range:
    """Add the unjudged chunks' characters, each once, to what is evidence among the characters handed on."""
    retrieved, cuts = retrieval.retrieved, retrieval.cuts
    question, column = np.nonzero(retrieval.unjudged)
    pair = question * (int(retrieved.document.max(initial=0)) + 1) + retrieved.document[question, column]
    pairs, owner = np.unique(pair, return_inverse=True)
    start, end = (side[question, column].astype(np.int64) for side in (retrieved.start, retrieved.end))
    pieces = first_ranks(Spans(owner, start, end), column + 1)
    gains = np.zeros(retrieved.document.shape, dtype=np.int64)
    owners = pairs // (int(retrieved.document.max(initial=0)) + 1)
    np.add.at(gains, (owners[pieces.owner], pieces.rank - 1), pieces.chars)
    handed_on = np.maximum(cuts.total(retrieved.end - retrieved.start), 1)
    return own, np.minimum(own + cuts.total(gains) / handed_on, 1.0)


def _first_unjudged(retrieval: Retrieval) -> LongArray:
    """Return the rank of the first unjudged chunk, [n_questions, 1]; NEVER where there is none."""
    there = retrieval.unjudged.any(axis=1)
    first: LongArray = np.where(there, retrieval.unjudged.argmax(axis=1) + 1, ranked.NEVER)[:, None]
    return first


def _hit(retrieval: Retrieval, own: DoubleArray) -> Range:
    return own, np.where(_first_unjudged(retrieval) <= retrieval.cuts.rank, 1.0, own)


def _mrr(retrieval: Retrieval, own: DoubleArray) -> Range:
    first = _first_unjudged(retrieval)
    return own, np.where(first <= retrieval.cuts.rank, np.maximum(own, 1 / first), own)


def _ndcg(retrieval: Retrieval, own: DoubleArray) -> Range:
    relevant, retrieved = retrieval.relevant, retrieval.retrieved
    matches = Matches.of(relevant, retrieved)
    gained = items.gained_items(relevant, retrieved, matches, retrieval.coverage)
    question, column = np.nonzero(retrieval.unjudged)
    return ndcg_range(gained, question, column + 1, retrieval.cuts.rank)


def _unjudged_documents(retrieval: Retrieval) -> tuple[LongArray, LongArray]:
    """Return question and rank, in the list folded to documents, of documents without any judged text."""
    retrieved = retrieval.retrieved
    everything = Relevant.of(retrieval.everything)
    width = int(max(retrieved.document.max(initial=0), everything.document.max(initial=0))) + 1
    rank = documents.folded_ranks(retrieved.document)
    new = np.diff(rank, axis=1, prepend=0) > 0
    question, column = np.nonzero(new & (retrieved.document != PADDING))
    known = np.isin(
        question * width + retrieved.document[question, column], everything.question * width + everything.document
    )
    return question[~known], rank[question, column][~known]


def _document_cuts(retrieval: Retrieval) -> LongArray:
    shape = len(retrieval.judged), len(retrieval.cutoffs)
    return np.broadcast_to(np.asarray(retrieval.cutoffs, dtype=np.int64), shape)


def _first_document(retrieval: Retrieval) -> LongArray:
    question, rank = _unjudged_documents(retrieval)
    first = np.full(len(retrieval.judged), ranked.NEVER, dtype=np.int64)
    np.minimum.at(first, question, rank)
    return first[:, None]


def _doc_hit(retrieval: Retrieval, own: DoubleArray) -> Range:
    return own, np.where(_first_document(retrieval) <= _document_cuts(retrieval), 1.0, own)


def _doc_mrr(retrieval: Retrieval, own: DoubleArray) -> Range:
    first = _first_document(retrieval)
    return own, np.where(first <= _document_cuts(retrieval), np.maximum(own, 1 / first), own)


def _doc_ndcg(retrieval: Retrieval, own: DoubleArray) -> Range:
    relevant, retrieved = retrieval.relevant, retrieval.retrieved
    folded = documents.folded_items(relevant, retrieved, Matches.of(relevant, retrieved))
    return ndcg_range(folded, *_unjudged_documents(retrieval), _document_cuts(retrieval))


_FAMILIES: Mapping[str, Callable[[Retrieval, DoubleArray], Range]] = {
    "precision": _precision,
    "hit": _hit,
    "mrr": _mrr,
    "ndcg": _ndcg,
    "doc_hit": _doc_hit,
    "doc_mrr": _doc_mrr,
    "doc_ndcg": _doc_ndcg,
}
BOUNDED = tuple(_FAMILIES)
"""The families of metrics that the unjudged among the retrieved chunks bound."""


def ndcg_range(gained: ranked.Items, question: LongArray, rank: LongArray, cut: LongArray) -> Range:
    """Return the least and greatest ndcg, [n_questions, n_cuts], when some of the chunks at `rank` were relevant.

    `question` and `rank`, both [n_unjudged], in order of question and rank. With m of them relevant the ideal list is
    the same whichever they are, so the greatest value is with the first m, the least with the last m within the cut:
    each m is tried. NaN at cuts beyond rank 100.
    """
    grade = np.zeros(gained.n_questions)
    np.maximum.at(grade, gained.question, gained.grade)
    grade[grade == 0] = 1.0
    near = np.flatnonzero(rank <= np.minimum(cut.max(axis=1, initial=0), DEEPEST)[question])
    question, rank = question[near], rank[near]
    high = _with_first(gained, grade, question, rank, cut)
    low = np.stack(
        [_with_last(gained, grade, question, rank, cut[:, i : i + 1])[:, 0] for i in range(cut.shape[1])], axis=1
    )
    beyond = cut.max(axis=0, initial=0) > DEEPEST
    low[:, beyond], high[:, beyond] = np.nan, np.nan
    return low, high


def _with_first(
    gained: ranked.Items, grade: DoubleArray, question: LongArray, rank: LongArray, cut: LongArray
) -> DoubleArray:
    best = _ndcg_of(gained, cut)
    ordinal = _ordinal(question)
    for m in range(1, int(ordinal.max(initial=0)) + 1):
        some = ordinal <= m
        best = np.maximum(best, _ndcg_of(_added(gained, grade, question[some], rank[some]), cut))
    return best


def _with_last(
    gained: ranked.Items, grade: DoubleArray, question: LongArray, rank: LongArray, cut: LongArray
) -> DoubleArray:
    worst = _ndcg_of(gained, cut)
    within = rank <= cut[question, 0]
    question, rank = question[within], rank[within]
    ordinal = _ordinal(question[::-1])[::-1]
    for m in range(1, int(ordinal.max(initial=0)) + 1):
        some = ordinal <= m
        worst = np.minimum(worst, _ndcg_of(_added(gained, grade, question[some], rank[some]), cut))
    return worst


def _ordinal(owner: LongArray) -> LongArray:
    """Number the rows of each owner from 1; rows of one owner stand together."""
    if not len(owner):
        return owner
    starts = np.flatnonzero(np.append(True, np.diff(owner) != 0))
    return np.arange(1, len(owner) + 1) - np.repeat(starts, np.diff(np.append(starts, len(owner))))


def _added(gained: ranked.Items, grade: DoubleArray, question: LongArray, rank: LongArray) -> ranked.Items:
    return ranked.Items(
        gained.n_questions,
        np.concatenate([gained.question, question]),
        np.concatenate([gained.grade, grade[question]]),
        np.concatenate([gained.rank, rank]),
    )


def _ndcg_of(found: ranked.Items, cut: LongArray) -> DoubleArray:
    return ranked.ndcg(ranked.gained(found), ranked.ideal(found), cut)
