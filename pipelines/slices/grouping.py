"""Ways to part the questions: which of them belong to which slice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from pipelines.errors import ConfigurationError, did_you_mean, shorten
from pipelines.records import BoolArray, Documents, LongArray, Question
from pipelines.slices.labels import Labelled, in_quarters, labelled

NO_VALUE = "(no value)"
NO_TAG = "(no tag)"
MOST_VALUES = 20
MOST_VALUES_NAMED = 200
OWN = ("tag", "length", "evidence", "answerable", "split", "filter")
"""The ways that need no metadata."""


@dataclass(frozen=True, eq=False)
class Slice:
    """Some of the questions: `by` which way, of which `value`, and which ones, bool [n_questions]."""

    by: str
    value: str
    members: BoolArray


@dataclass(frozen=True)
class LeftOut:
    """A metadata field by which the questions are not parted, and why."""

    field: str
    why: str


def ways(
    questions: Sequence[Question], documents: Documents, by: str | None = None
) -> tuple[tuple[Slice, ...], tuple[LeftOut, ...]]:
    """Return the slices of all ways to part the questions, or of the one called `by`, and the fields left out.

    A question belongs to a metadata value if any document that holds evidence of it does, so to several at times; one
    without evidence belongs to none.

    Raises:
        ConfigurationError: for a way that there is not, or that parts nothing.
    """
    evidence = _Evidence.of(questions, documents)
    fields = {_field_name(name): name for name in documents.columns}
    if by is not None and by not in OWN and by not in fields:
        known = [*OWN, *fields]
        raise ConfigurationError(
            f"Questions cannot be parted by '{shorten(by, 60)}'; choose one of {shorten(', '.join(known), 400)}."
            + did_you_mean(by, known)
        )
    found: list[Slice] = []
    for name in OWN if by is None else [by] if by in OWN else []:
        found += _own(name, questions)
    left: list[LeftOut] = []
    most = MOST_VALUES if by is None else MOST_VALUES_NAMED
    for shown, name in fields.items():
        if by in (None, shown):
            parted = evidence.by_field(shown, documents, name, most)
            left += [parted] if isinstance(parted, LeftOut) else []
            found += parted if isinstance(parted, list) else []
    if by is not None and not found:
        why = left[0].why if left else "all questions are alike in it"
        raise ConfigurationError(f"Questions are not parted by '{shorten(by, 60)}': {why}; choose another way.")
    return tuple(found), tuple(left)


def _field_name(name: str) -> str:
    return f"metadata.{name}" if name in OWN else name


def _own(by: str, questions: Sequence[Question]) -> Iterator[Slice]:
    values = [_values(by, question) for question in questions]
    if by == "length":
        parts = in_quarters([len(question.text.split()) for question in questions], "words")
        yield from _slices(by, parts.names, [[parts.code[q]] for q in range(len(questions))], len(questions))
        return
    names = sorted({value for row in values for value in row}, key=lambda name: (name == NO_TAG, name))
    number = {name: i for i, name in enumerate(names)}
    if len(names) > 1:
        yield from _slices(by, names, [[number[value] for value in row] for row in values], len(questions))


def _values(by: str, question: Question) -> list[str]:
    """Return what a question is, in the way `by`."""
    if by == "tag":
        return list(question.tags) or [NO_TAG]
    if by == "split":
        return [question.split or "(no split)"]
    if by == "filter":
        return ["filter known" if question.filter else "no filter known"]
    if by == "answerable":
        return ["answerable" if question.answerable else "unanswerable"]
    relevant = [item for item in question.evidence if item.grade > 0]
    pieces = {item.group if item.group is not None else i for i, item in enumerate(relevant)}
    return [] if not pieces else ["one piece" if len(pieces) == 1 else "several pieces"]


def _slices(by: str, names: Sequence[str], codes: Sequence[Sequence[int]], n_questions: int) -> Iterator[Slice]:
    for number, name in enumerate(names):
        members = np.fromiter((number in row for row in codes), dtype=np.bool_, count=n_questions)
        yield Slice(by, name, members)


@dataclass(frozen=True, eq=False)
class _Evidence:
    """Which questions have relevant evidence in which documents: int64 [n_pairs] both."""

    n_questions: int
    question: LongArray
    document: LongArray

    @classmethod
    def of(cls, questions: Sequence[Question], documents: Documents) -> _Evidence:
        pairs = {
            (q, documents.position[item.document_id])
            for q, question in enumerate(questions)
            for item in question.evidence
            if item.grade > 0 and item.document_id in documents.position
        }
        columns = np.asarray(sorted(pairs), dtype=np.int64).reshape(-1, 2)
        return cls(len(questions), columns[:, 0], columns[:, 1])

    def by_field(self, shown: str, documents: Documents, name: str, most: int) -> list[Slice] | LeftOut:
        """Return the slices by one metadata field of the evidence's documents."""
        codes = documents.columns[name].codes[self.document]
        parts = labelled(documents.columns[name], np.unique(codes[codes >= 0]), most)
        if not isinstance(parts, Labelled):
            return LeftOut(shown, parts)
        found = []
        for number, label in enumerate((*parts.names, NO_VALUE)):
            wanted = -1 if label == NO_VALUE else number
            members = np.zeros(self.n_questions, dtype=np.bool_)
            members[self.question[np.append(parts.code, -1)[codes] == wanted]] = True
            if members.any():
                found.append(Slice(shown, label, members))
        return found
