"""What came of dealing a dataset's questions to splits: how many of what, and which documents two splits share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from pipelines.errors import counted
from pipelines.golden.dataset import Dataset
from pipelines.records import SPLITS, Question, Split

By: TypeAlias = Literal["question", "document"]
Shares: TypeAlias = Mapping[Split, float]


@dataclass(frozen=True)
class SplitShare:
    """One split as it came out: the documents are those that hold evidence of its questions."""

    split: Split
    wanted: float
    achieved: float
    n_questions: int
    n_answerable: int
    n_documents: int


@dataclass(frozen=True)
class SplitReport:
    """How a dataset was split, and where it was written to.

    `shared` counts the documents with evidence of two splits, by their names; `n_together` the questions that were kept
    with others because they ask nearly the same or, by document, are answered in the same ones.
    """

    path: Path
    name: str
    version: str
    by: By
    seed: int
    splits: tuple[SplitShare, ...]
    shared: Mapping[tuple[Split, Split], int]
    n_together: int

    def summary(self) -> Iterator[str]:
        """Yield what was done, in a few sentences."""
        n = sum(one.n_questions for one in self.splits)
        where = f"version {self.version[:8]} is in {self.path}"
        yield f"{n:,} questions were split by {self.by} with seed {self.seed}; {where}."
        if self.n_together:
            why = " or are answered in the same documents" if self.by == "document" else ""
            yield f"Kept together: {self.n_together:,} questions that ask nearly the same as others{why}."
        for (one, other), shared in self.shared.items():
            found = f"{one} and {other} share {counted(shared, 'document')} with evidence of both"
            yield f"{found}." if not shared else f"{found}: a gain there may be memory of the document."


def documents_of(question: Question) -> set[str]:
    """Return the documents that hold relevant evidence of a question."""
    return {item.document_id for item in question.evidence if item.grade > 0}


def split_report(
    written: Dataset,
    questions: Sequence[Question],
    dealt: Mapping[str, Split],
    by: By,
    seed: int,
    shares: Shares,
    together: int,
) -> SplitReport:
    """Return what came of dealing `questions`, by id, to splits; `together` is how many were kept with others."""
    of = {split: [one for one in questions if dealt[one.id] == split] for split in SPLITS if shares[split] > 0}
    documents = {split: set().union(*map(documents_of, own)) for split, own in of.items()}
    rows = [
        SplitShare(
            split=split,
            wanted=shares[split],
            achieved=len(own) / len(questions),
            n_questions=len(own),
            n_answerable=sum(one.answerable for one in own),
            n_documents=len(documents[split]),
        )
        for split, own in of.items()
    ]
    pairs = [(a, b) for i, a in enumerate(of) for b in list(of)[i + 1 :]]
    shared = {(a, b): len(documents[a] & documents[b]) for a, b in pairs}
    return SplitReport(written.path, written.name, written.version, by, seed, tuple(rows), shared, together)
