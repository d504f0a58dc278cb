"""Training pairs as numbers: every distinct text once, and each pair by the positions of its texts."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from pipelines.errors import DatasetError, counted
from pipelines.records.pairs import TrainingPair, TrainingPairs
from pipelines.training.methods import FEWEST_PAIRS, Loss


@dataclass(frozen=True, slots=True)
class Example:
    """A pair: positions of its question, its positive and its negatives among the texts.

    `answers` are the positions of all texts that are known to answer the question: none is ever its negative.
    """

    question: int
    positive: int
    negatives: tuple[int, ...]
    answers: frozenset[int]
    grade: float = 1.0


@dataclass(frozen=True)
class Examples:
    """The distinct questions come first among `texts`, then the passages; `n_skipped` pairs a loss has no use for."""

    texts: tuple[str, ...]
    n_questions: int
    rows: tuple[Example, ...]
    n_skipped: int = 0

    @property
    def questions(self) -> tuple[str, ...]:
        """Return the distinct questions."""
        return self.texts[: self.n_questions]

    @property
    def passages(self) -> tuple[str, ...]:
        """Return the distinct passages, positives and negatives."""
        return self.texts[self.n_questions :]


def examples_of(pairs: TrainingPairs, loss: Loss) -> Examples:
    """Return what is trained on; a text that is known to answer a question is left out of its negatives.

    Raises:
        DatasetError: when there are too few pairs, too few with a negative for `triplet`, or only one grade for
            `cosent`.
    """
    given = pairs.pairs
    if len(given) < FEWEST_PAIRS:
        raise DatasetError(_too_few(len(given), len(pairs.left_out)))
    used = [pair for pair in given if pair.negatives] if loss == "triplet" else list(given)
    if len(used) < FEWEST_PAIRS:
        raise DatasetError(
            f"The loss 'triplet' needs a hard negative for each pair, but {counted(len(used), 'pair')} of "
            f"{len(given):,} have one and {FEWEST_PAIRS} are the fewest; set negatives to both with a smaller "
            "negatives_margin, or choose the loss mnrl."
        )
    if loss == "cosent" and len({one.grade for one in used}) < 2 and not any(one.negatives for one in used):
        raise DatasetError(
            "The loss 'cosent' learns from differences of grade, but all pairs have the same grade and none has a "
            "hard negative; set negatives to both, or choose the loss mnrl."
        )
    return _numbered(used, len(given) - len(used))


def _numbered(pairs: list[TrainingPair], n_skipped: int) -> Examples:
    questions: dict[str, int] = {}
    passages: dict[str, int] = {}
    answers: dict[str, set[str]] = defaultdict(set)
    for pair in pairs:
        questions.setdefault(pair.question, len(questions))
        answers[pair.question].add(pair.positive.text)
        for passage in (pair.positive, *pair.negatives):
            passages.setdefault(passage.text, len(passages))
    at = {text: len(questions) + i for text, i in passages.items()}
    rows = tuple(
        Example(
            question=questions[pair.question],
            positive=at[pair.positive.text],
            negatives=tuple(
                dict.fromkeys(at[one.text] for one in pair.negatives if one.text not in answers[pair.question])
            ),
            answers=frozenset(at[text] for text in answers[pair.question]),
            grade=pair.grade,
        )
        for pair in pairs
    )
    return Examples((*questions, *passages), len(questions), rows, n_skipped)


def _too_few(n_pairs: int, n_left_out: int) -> str:
    left_out = f" ({counted(n_left_out, 'question')} left out)" if n_left_out else ""
    return (
        f"There are {counted(n_pairs, 'training pair')}{left_out}, but {FEWEST_PAIRS} are the fewest that anything is "
        "learnt from; mark evidence for more questions of the train split, or raise share or augment."
    )
