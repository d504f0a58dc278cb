"""What several people said of passages, as evidence of the golden set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median_low

from pipelines.judging.judgments import Judgment, Place, grades
from pipelines.judging.pool import Span, overlap
from pipelines.judging.queue import disagree
from pipelines.records import Documents, Evidence, Question

ALTERNATIVES = "answer"
"""The group of a question's only piece of evidence, once a passage was found that answers as well."""

_LEAST_CHARS = 40


@dataclass(frozen=True)
class Settled:
    """A question with new evidence: `relevant` and `irrelevant` say how many pieces were added."""

    question: Question
    relevant: int
    irrelevant: int


@dataclass(frozen=True)
class Settlement:
    """What judgements come to: the questions that change, and the judgements that were left out, each with why."""

    changed: tuple[Settled, ...]
    n_passages: int
    n_judges: int
    left_out: tuple[tuple[Place, str], ...]


def settle(
    questions: Sequence[Question], documents: Documents, latest: Mapping[tuple[str, Place], Judgment]
) -> Settlement:
    """Make evidence of judgements: the majority says whether a passage is relevant, its middle grade how much.

    What is as relevant as the only piece of evidence that a question has becomes an alternative to it: one of them is
    enough. What is less relevant, or is found for a question with several pieces or none, is a piece of its own. What
    was read and does not matter becomes evidence of grade 0. `questions` have their evidence located in `documents`.
    """
    by_id = {question.id: question for question in questions}
    passages, left_out = grades(latest), list[tuple[Place, str]]()
    found: dict[str, list[Judgment]] = {}
    for place, said in passages.items():
        why = _unusable(place, said, by_id, documents)
        if why:
            left_out.append((place, why))
        else:
            found.setdefault(place[0], []).append(_agreed(said))
    changed = []
    for question_id, agreed in found.items():
        settled, overlapping = _settled(by_id[question_id], agreed, documents)
        left_out += [(one.place, "it overlaps evidence that is there already") for one in overlapping]
        changed += [settled] if settled.relevant or settled.irrelevant else []
    judges = {one.judge for said in passages.values() for one in said}
    return Settlement(tuple(changed), len(passages), len(judges), tuple(left_out))


def _unusable(
    place: Place, said: Sequence[Judgment], questions: Mapping[str, Question], documents: Documents
) -> str | None:
    question_id, document_id, _, end = place
    position = documents.position.get(document_id)
    if question_id not in questions:
        return "the dataset has no such question"
    if position is None or end > len(documents.texts[position]):
        return "the documents have no such passage"
    if any(one.question != questions[question_id].text for one in said):
        return "the question was worded otherwise when it was judged"
    return "people disagree on it, as many for as against" if disagree(said) else None


def _agreed(said: Sequence[Judgment]) -> Judgment:
    """Return the judgement of the majority: its middle grade, with the shortest quote that any of it gave."""
    relevant = [one for one in said if one.grade]
    majority = relevant if 2 * len(relevant) > len(said) else [one for one in said if one.grade == 0]
    grade = median_low(one.grade for one in majority if one.grade is not None)
    best = min(majority, key=lambda one: (one.span[1] - one.span[0], one.at))
    return replace(best, grade=grade)


def _settled(question: Question, agreed: Sequence[Judgment], documents: Documents) -> tuple[Settled, list[Judgment]]:
    """Return the question with what is new, and the relevant judgements that overlap its evidence."""
    known = {_place(item) for item in question.evidence}
    relevant = [one for one in agreed if one.grade]
    there = [one for one in relevant if any(_same(one, item) for item in question.evidence)]
    overlapping = [one for one in relevant if one not in there and _overlaps(one, question.evidence)]
    added = [one for one in relevant if one not in there and one not in overlapping]
    new = [_evidence(one, one.span, one.grade or 0.0, documents) for one in added]
    new = [item for i, item in enumerate(new) if not any(_share(item, other) for other in new[:i])]
    taken = [*question.evidence, *new]
    unread: list[Evidence] = []
    for one in agreed:
        rest = (_evidence(one, span, 0.0, documents) for span in _rest(one, [*taken, *unread]))
        unread += [item for item in rest if _place(item) not in known and _worth_keeping(item, one)]
    # Evidence of grade 0 that is relevant by now has been judged better; whole documents stay as they are.
    old = [item for item in question.evidence if item.grade > 0 or not any(_share(item, other) for other in new)]
    evidence = (*_grouped(question, old, new), *unread)
    return Settled(replace(question, evidence=evidence), len(new), len(unread)), overlapping


def _grouped(question: Question, old: Sequence[Evidence], new: Sequence[Evidence]) -> list[Evidence]:
    """Make what answers as well as a question's only piece of evidence an alternative to it."""
    relevant = [item for item in old if item.grade > 0]
    pieces = {item.group if item.group is not None else i for i, item in enumerate(relevant)}
    if len(pieces) != 1:
        return [*old, *new]
    group = relevant[0].group or ALTERNATIVES
    usual = max(item.grade for item in relevant)
    as_good = [item for item in new if item.grade >= usual]
    if not as_good:
        return [*old, *new]
    alike = [replace(item, group=group) if item.grade > 0 else item for item in old]
    return [*alike, *(replace(item, group=group) if item in as_good else item for item in new)]


def _evidence(one: Judgment, span: Span, grade: float, documents: Documents) -> Evidence:
    text = documents.texts[documents.position[one.document_id]]
    return Evidence(one.document_id, *span, text[slice(*span)], grade)


def _worth_keeping(item: Evidence, one: Judgment) -> bool:
    """Return whether a piece that does not matter says something: a few characters beside a quote do not."""
    whole = (item.start, item.end) == (one.start, one.end)
    return bool((item.quote or "").strip()) and (whole or len(item.quote or "") >= _LEAST_CHARS)


def _place(item: Evidence) -> tuple[str, int | None, int | None]:
    return item.document_id, item.start, item.end


def _same(one: Judgment, item: Evidence) -> bool:
    """Return whether evidence says already what was judged."""
    return item.grade > 0 and _place(item) == (one.document_id, *one.span)


def _overlaps(one: Judgment, evidence: Iterable[Evidence]) -> bool:
    spans = [(item.start, item.end) for item in evidence if item.document_id == one.document_id and item.grade > 0]
    return any(start is None or end is None or overlap((start, end), one.span) for start, end in spans)


def _share(a: Evidence, b: Evidence) -> bool:
    if a.document_id != b.document_id or a.start is None or a.end is None or b.start is None or b.end is None:
        return False
    return overlap((a.start, a.end), (b.start, b.end)) > 0


def _rest(one: Judgment, taken: Sequence[Evidence]) -> list[Span]:
    """Return what of a judged passage is in no evidence that is `taken`: it was read, and does not matter."""
    here = [item for item in taken if item.document_id == one.document_id]
    if any(item.start is None for item in here):
        return []
    left, start = [], one.start
    for first, last in sorted((item.start or 0, item.end or 0) for item in here):
        if first >= one.end or last <= start:
            continue
        left += [(start, first)] if start < first else []
        start = max(start, last)
    return [*left, (start, one.end)] if start < one.end else left
