"""The passages that several runs retrieved, each once, however the runs cut their documents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import log2

from pipelines.errors import ComparisonError, shorten
from pipelines.golden.quotes import Found, find_quote
from pipelines.kept import KeptRun
from pipelines.records import PADDING, Documents
from pipelines.stages.score.retrieved import Retrieved

Span = tuple[int, int]


@dataclass
class Passage:
    """A piece of a document that runs retrieved for a question; `ranks` is the best rank of each run that did."""

    question_id: str
    document_id: str
    start: int
    end: int
    ranks: dict[str, int] = field(default_factory=dict)

    def weight(self, n_runs: int) -> float:
        """Return how much a judgement of it could change: of a difference between runs, or of one run's own value.

        Each rank weighs 1 / log2(rank + 1), as ndcg discounts it. With several runs it is the greatest difference of
        these weights, 0 for a run that has not found it.
        """
        weights = [1 / log2(rank + 1) for rank in self.ranks.values()]
        least = 0.0 if len(weights) < n_runs or n_runs == 1 else min(weights)
        return max(weights) - least


@dataclass(frozen=True)
class Pool:
    """The passages of each question, best ranks first; `n_elsewhere` chunks are not in the dataset's own parsing."""

    passages: Mapping[str, Sequence[Passage]]
    n_chunks: int
    n_elsewhere: int


def pooled(runs: Sequence[KeptRun], documents: Documents, depth: int) -> Pool:
    """Pool what `runs` handed on within their first `depth` ranks, as spans of `documents`.

    Passages of which at least half lies within better ranked ones are taken for the same.

    Raises:
        ComparisonError: for no run, one given twice, or runs on several dataset versions.
    """
    _check(runs)
    chunks: dict[str, list[Passage]] = {}
    n_elsewhere = 0
    for kept in runs:
        finder = _Finder(kept, documents)
        for passage in _retrieved(kept, depth, finder):
            chunks.setdefault(passage.question_id, []).append(passage)
        n_elsewhere += finder.n_lost
    passages = {question_id: _distinct(found) for question_id, found in chunks.items()}
    return Pool(passages, sum(map(len, chunks.values())), n_elsewhere)


def _check(runs: Sequence[KeptRun]) -> None:
    if not runs:
        raise ComparisonError("No run was given to judge; choose at least one.")
    first = runs[0].run
    for other in (kept.run for kept in runs[1:]):
        if other.dataset_version != first.dataset_version:
            raise ComparisonError(
                f"Run '{shorten(first.name, 60)}' and run '{shorten(other.name, 60)}' were evaluated on different "
                "versions of their datasets; evaluate both on one, which computes only their scores again."
            )
    if len({kept.run.id for kept in runs}) < len(runs):
        raise ComparisonError("A run was given twice to judge; give each run once.")


class _Finder:
    """Finds a run's spans in the documents as the dataset itself parses them."""

    def __init__(self, kept: KeptRun, documents: Documents) -> None:
        self._own, self._documents = kept.documents, documents
        self.n_lost = 0

    def find(self, document: int, start: int, end: int) -> tuple[str, Span] | None:
        """Return document id and span, None for a text that is not there."""
        name = self._own.ids[document]
        position = self._documents.position.get(name)
        text = self._own.texts[document]
        if position is not None and self._documents.texts[position] == text:
            return name, (start, end)
        found = None if position is None else find_quote(text[start:end], self._documents.texts[position])
        if isinstance(found, Found):
            return name, (found.start, found.end)
        self.n_lost += 1
        return None


def _retrieved(kept: KeptRun, depth: int, finder: _Finder) -> Iterable[Passage]:
    """Return what a run handed on, one passage a rank."""
    retrieved = Retrieved.of(kept.details.rankings.cut(depth), kept.chunks)
    columns = (retrieved.document.tolist(), retrieved.start.tolist(), retrieved.end.tolist())
    for question, rows in zip(kept.questions, zip(*columns, strict=True), strict=True):
        for rank, (document, start, end) in enumerate(zip(*rows, strict=True), start=1):
            if document == PADDING or start >= end:
                continue
            found = finder.find(document, start, end)
            if found is not None:
                yield Passage(question.id, found[0], *found[1], {kept.run.id: rank})


def _distinct(found: Sequence[Passage]) -> list[Passage]:
    """Keep passages in order of rank; one that the kept cover by half lends its ranks to that which covers most."""
    kept: list[Passage] = []
    for one in sorted(found, key=lambda p: (min(p.ranks.values()), p.document_id, p.start, p.end)):
        same = [other for other in kept if other.document_id == one.document_id]
        overlaps = [overlap((other.start, other.end), (one.start, one.end)) for other in same]
        if 2 * covered((one.start, one.end), [(other.start, other.end) for other in same]) >= one.end - one.start:
            _lend(one, same[max(range(len(same)), key=overlaps.__getitem__)])
        else:
            kept.append(Passage(one.question_id, one.document_id, one.start, one.end, dict(one.ranks)))
    return kept


def _lend(one: Passage, other: Passage) -> None:
    for run_id, rank in one.ranks.items():
        other.ranks[run_id] = min(rank, other.ranks.get(run_id, rank))


def overlap(a: Span, b: Span) -> int:
    """Return how many characters two spans share."""
    return max(0, min(a[1], b[1]) - max(a[0], b[0]))


def covered(span: Span, others: Iterable[Span]) -> int:
    """Return how many characters of a span the others cover together."""
    reached, total = span[0], 0
    for start, end in sorted(others):
        first, last = max(start, reached), min(end, span[1])
        if first < last:
            total += last - first
            reached = last
    return total
