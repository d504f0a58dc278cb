"""One question in depth: its gold, and what each run found for it, rank by rank."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipelines.errors import DatasetError, NotFoundError, shorten
from pipelines.golden.dataset import Dataset
from pipelines.records import Evidence, Question
from pipelines.runs.record import Details, Run
from pipelines.stages.load import Loader


@dataclass(frozen=True)
class RankedChunk:
    """A chunk as a run ranked it. `found` is how many characters of the question's evidence it holds."""

    rank: int
    score: float
    document_id: str
    start: int
    end: int
    found: int


@dataclass(frozen=True)
class QuestionInDepth:
    """One question with its gold, and several runs' rankings by run id; `texts` holds the documents they name."""

    question: Question
    rankings: Mapping[str, tuple[RankedChunk, ...]]
    scores: Mapping[str, Mapping[str, float | None]]
    texts: Mapping[str, str]


def first_rank(ranked: Sequence[RankedChunk], item: Evidence) -> int | None:
    """Return the rank of the first chunk that holds a part of a piece of evidence; None where none does."""
    if _lost(item):
        return None
    start, end = item.start or 0, float("inf") if item.end is None else item.end
    hits = (c.rank for c in ranked if c.document_id == item.document_id and c.start < end and start < c.end)
    return next(hits, None)


def _lost(item: Evidence) -> bool:
    """Whether the quote of a piece of evidence is not in the parsed text."""
    return item.start is None and item.quote is not None


def in_depth(
    dataset: Dataset, kept: Mapping[str, Details], question_id: str, loader: Loader | None = None
) -> QuestionInDepth:
    """Return a question with what each run, by id, found for it, in the texts as `loader` reads them.

    Raises:
        NotFoundError: when the dataset or a run lacks the question.
    """
    question = next((q for q in dataset.resolved(loader=loader) if q.id == question_id), None)
    if question is None:
        raise NotFoundError(f"The dataset '{shorten(dataset.name)}' has no question '{shorten(question_id)}'.")
    documents = dataset.documents(loader)
    rankings = {run_id: _ranked(found, question, run_id) for run_id, found in kept.items()}
    named = {c.document_id for row in rankings.values() for c in row} | {e.document_id for e in question.evidence}
    texts = {name: documents.texts[documents.position[name]] for name in named if name in documents.position}
    return QuestionInDepth(question, rankings, {r: _values(d, question_id) for r, d in kept.items()}, texts)


def dataset_of(found: Run) -> Dataset:
    """Return the dataset that a run was evaluated on.

    Raises:
        NotFoundError: when it is no longer there, or no longer the same.
    """
    try:
        dataset = Dataset.open(found.dataset_path)
    except DatasetError as error:
        raise NotFoundError(f"The dataset of run '{shorten(found.name)}' cannot be opened: {error}") from error
    if dataset.version != found.dataset_version:
        raise NotFoundError(
            f"The dataset '{shorten(dataset.name)}' was changed after run '{shorten(found.name)}' (it was version "
            f"{found.dataset_version[:8]} and is {dataset.version[:8]}); evaluate the run again to look into it."
        )
    return dataset


def _ranked(kept: Details, question: Question, run_id: str) -> tuple[RankedChunk, ...]:
    if question.id not in kept.question_ids:
        raise NotFoundError(
            f"Run {run_id} did not evaluate the question '{shorten(question.id)}': it is of another split."
        )
    row = kept.question_ids.index(question.id)
    return tuple(
        RankedChunk(i + 1, float(kept.rankings.score[row, i]), name, start, end, _overlap(question, name, start, end))
        for i, (name, start, end) in enumerate(kept.spans.of(row))
    )


def _overlap(question: Question, document_id: str, start: int, end: int) -> int:
    """Count the evidence characters in a chunk, those that several pieces of evidence share once."""
    covered: set[int] = set()
    for item in question.evidence:
        if item.document_id == document_id and item.grade > 0 and not _lost(item):
            first, last = item.start or 0, end if item.end is None else item.end
            covered.update(range(max(first, start), min(last, end)))
    return len(covered)


def _values(kept: Details, question_id: str) -> dict[str, float | None]:
    row = kept.scores.values[kept.question_ids.index(question_id)]
    return {m.name: None if v != v else float(v) for m, v in zip(kept.scores.metrics, row, strict=True)}
