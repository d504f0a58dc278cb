"""How a golden set is divided, and where its parts touch: what every report of a gain must state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

from pipelines.errors import counted
from pipelines.finetune.records import Leak, Splits
from pipelines.golden.dataset import Dataset
from pipelines.records import SPLITS, Question
from pipelines.training.guard import guarded


def splits_of(dataset: Dataset, reported: str) -> Splits:
    """Return how many questions and documents each split has, how many they share, and a sentence on it.

    The documents of train are those of questions that may be trained on.
    """
    asked: dict[str, list[Question]] = {split: _answerable(dataset.questions, split) for split in SPLITS}
    learnt = guarded(dataset.questions)[0]
    lie_in: dict[str, frozenset[str]] = {
        split: _documents(questions) for split, questions in {**asked, "train": learnt}.items()
    }
    shared = {f"{a} and {b}": len(lie_in[a] & lie_in[b]) for a, b in combinations(SPLITS, 2)}
    return Splits(
        {split: len(questions) for split, questions in asked.items()},
        {split: len(documents) for split, documents in lie_in.items()},
        shared,
        _sentence(asked, lie_in, reported),
    )


def leaks_of(dataset: Dataset) -> tuple[Leak, ...]:
    """Return the train questions that are not trained on because dev or test asks nearly the same."""
    by_id = {question.id: question.text for question in dataset.questions}
    return tuple(
        Leak(one.question_id, by_id[one.question_id], one.twin, one.twin_split, by_id.get(one.twin, ""), one.why)
        for one in guarded(dataset.questions)[1]
    )


def evidence_documents(question: Question) -> frozenset[str]:
    """Return the documents that a question's relevant evidence lies in."""
    return frozenset(item.document_id for item in question.evidence if item.grade > 0)


def _answerable(questions: Sequence[Question], split: str) -> list[Question]:
    return [one for one in questions if one.split == split and one.answerable]


def _documents(questions: Sequence[Question]) -> frozenset[str]:
    return frozenset().union(*map(evidence_documents, questions))


def _sentence(asked: Mapping[str, list[Question]], lie_in: Mapping[str, frozenset[str]], reported: str) -> str:
    n = len(asked[reported])
    seen = sum(bool(evidence_documents(one) & lie_in["train"]) for one in asked[reported])
    by = "by document" if not seen else "by question" if seen == n else "neither by document nor wholly by question"
    sizes = ", ".join(f"{split} {counted(len(questions), 'question')}" for split, questions in asked.items())
    if not seen:
        return f"Split {by} ({sizes}): no {reported} question lies in a document that train questions lie in."
    return (
        f"Split {by} ({sizes}): {seen} of {counted(n, f'{reported} question')} have evidence in a document that train "
        f"questions lie in too, so that a gain on these may be memory of it; the gain on unseen documents "
        f"{'has no question' if seen == n else f'is on the other {n - seen}'}."
    )
