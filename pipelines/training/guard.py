"""The leak guard: which train questions may be trained on at all."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from pipelines.errors import shorten
from pipelines.near_duplicates import alike_between, alike_on_one_span
from pipelines.records import Question
from pipelines.records.pairs import LeftOut


def guarded(questions: Sequence[Question]) -> tuple[tuple[Question, ...], tuple[LeftOut, ...]]:
    """Return the train questions with evidence that may be trained on, and those that may not, with the reason.

    `questions` are all of a dataset. A train question that asks nearly the same as one of dev or test is left out:
    with nearly the same words, or with most words in common where a piece of evidence is the very same.
    """
    train = [one for one in questions if one.split == "train" and one.answerable]
    held_out = [one for one in questions if one.split in ("dev", "test")]
    twins = _twins(train, held_out)
    kept = tuple(one for i, one in enumerate(train) if i not in twins)
    return kept, tuple(_left_out(train[i], held_out[j]) for i, j in sorted(twins.items()))


def _twins(train: Sequence[Question], held_out: Sequence[Question]) -> dict[int, int]:
    """Return the position of one twin of each train question that has any: one of test, where there is one."""
    twins: dict[int, int] = {}
    for i, j in chain(alike_between(train, held_out), alike_on_one_span(train, held_out)):
        if i not in twins or (held_out[j].split == "test" and held_out[twins[i]].split != "test"):
            twins[i] = j
    return twins


def _left_out(question: Question, twin: Question) -> LeftOut:
    why = f"it asks nearly the same as '{shorten(twin.id, 60)}' of {twin.split}, so training on it would leak"
    return LeftOut(question.id, why, twin.id, twin.split or "")
