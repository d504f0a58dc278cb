"""What a cross-encoder is trained on: each question once, with texts that answer it and texts that do not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from pipelines.errors import DatasetError, counted
from pipelines.records.pairs import TrainingPairs
from pipelines.training.methods import FEWEST_PAIRS


@dataclass(frozen=True, slots=True)
class TextList:
    """A question with texts and the grade of each: above 0 for one that answers, 0 for one that does not."""

    question: str
    texts: tuple[str, ...]
    grades: tuple[float, ...]


@dataclass
class _Gathered:
    answers: dict[str, float] = field(default_factory=dict)
    negatives: dict[str, None] = field(default_factory=dict)


def lists_of(pairs: TrainingPairs, random_negatives: int, seed: int) -> tuple[TextList, ...]:
    """Return a list a question, in their order: its positives, its hard negatives, and others drawn from all texts.

    A text that is known to answer a question, in any of its pairs, is never a negative of it. A question left without
    any negative is left out, for there is nothing to tell apart.

    Raises:
        DatasetError: when there are too few pairs, or no negative to tell an answer from.
    """
    if len(pairs.pairs) < FEWEST_PAIRS:
        raise DatasetError(_too_few(len(pairs.pairs), len(pairs.left_out)))
    gathered = _gathered(pairs)
    every = list(dict.fromkeys(text for one in gathered.values() for text in (*one.answers, *one.negatives)))
    rng = np.random.default_rng(seed)
    found = []
    for question, one in gathered.items():
        hard = [text for text in one.negatives if text not in one.answers]
        drawn = _drawn(every, {*one.answers, *hard}, random_negatives, rng)
        if hard or drawn:
            negatives = (*hard, *drawn)
            grades = (*one.answers.values(), *(0.0 for _ in negatives))
            found.append(TextList(question, (*one.answers, *negatives), grades))
    if not found:
        raise DatasetError(
            "No question has a text that does not answer it, so there is nothing to learn; set negatives to both, or "
            "random_negatives to 1 or more, or mark evidence in more documents."
        )
    return tuple(found)


def _gathered(pairs: TrainingPairs) -> dict[str, _Gathered]:
    found: dict[str, _Gathered] = {}
    for pair in pairs.pairs:
        one = found.setdefault(pair.question, _Gathered())
        one.answers[pair.positive.text] = max(pair.grade, one.answers.get(pair.positive.text, 0.0))
        one.negatives |= {negative.text: None for negative in pair.negatives}
    return found


def _drawn(every: list[str], taken: Iterable[str], n: int, rng: np.random.Generator) -> list[str]:
    """Return up to `n` texts that are not taken, each once."""
    known = set(taken)
    free = [text for text in every if text not in known] if n else []
    return [free[i] for i in rng.permutation(len(free))[:n]]


def _too_few(n_pairs: int, n_left_out: int) -> str:
    left_out = f" ({counted(n_left_out, 'question')} left out)" if n_left_out else ""
    return (
        f"There are {counted(n_pairs, 'training pair')}{left_out}, but {FEWEST_PAIRS} are the fewest that a reranker "
        "is trained on; mark evidence for more questions of the train split, or raise share or augment."
    )
