"""The leak guard: which train questions may be trained on at all, and which questions are on documents never seen."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from itertools import chain

from rapidfuzz import fuzz

from pipelines.errors import shorten
from pipelines.near_duplicates import alike_between, plain, words_key
from pipelines.records import Evidence, Question
from pipelines.records.pairs import LeftOut

_ALIKE_ON_ONE_SPAN = 75
"""Share of common words, in percent, from which two questions with the very same evidence are one, reworded."""

_LEAST_QUOTED_CHARS = 10


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


def on_seen_documents(questions: Sequence[Question], documents: Collection[str]) -> tuple[bool, ...]:
    """Return of each question whether any of its evidence is in one of `documents`: those that positives are of.

    Ids are those of the documents as they are parsed: give questions whose evidence is located. One without evidence
    is on no document.
    """
    return tuple(any(e.grade > 0 and e.document_id in documents for e in one.evidence) for one in questions)


def _twins(train: Sequence[Question], held_out: Sequence[Question]) -> dict[int, int]:
    """Return the position of one twin of each train question that has any: one of test, where there is one."""
    twins: dict[int, int] = {}
    for i, j in chain(alike_between(train, held_out), _alike_on_one_span(train, held_out)):
        if i not in twins or (held_out[j].split == "test" and held_out[twins[i]].split != "test"):
            twins[i] = j
    return twins


def _alike_on_one_span(train: Sequence[Question], held_out: Sequence[Question]) -> list[tuple[int, int]]:
    on: dict[tuple[str, object], list[int]] = defaultdict(list)
    for j, question in enumerate(held_out):
        for place in _places(question.evidence):
            on[place].append(j)
    near = {(i, j) for i, one in enumerate(train) for place in _places(one.evidence) for j in on.get(place, ())}
    return sorted((i, j) for i, j in near if _reworded(train[i].text, held_out[j].text))


def _places(evidence: Sequence[Evidence]) -> set[tuple[str, object]]:
    """Return what pieces of evidence are known by: their spans, and their quotes where they are long enough."""
    relevant = [item for item in evidence if item.grade > 0]
    spans = {(item.document_id, (item.start, item.end)) for item in relevant if item.start is not None}
    quotes = {(item.document_id, plain(item.quote or "")) for item in relevant}
    return {*spans, *(place for place in quotes if len(place[1]) >= _LEAST_QUOTED_CHARS)}


def _reworded(a: str, b: str) -> bool:
    return fuzz.token_set_ratio(words_key(a), words_key(b)) >= _ALIKE_ON_ONE_SPAN


def _left_out(question: Question, twin: Question) -> LeftOut:
    why = f"it asks nearly the same as '{shorten(twin.id, 60)}' of {twin.split}, so training on it would leak"
    return LeftOut(question.id, why, twin.id, twin.split or "")
