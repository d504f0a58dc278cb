"""What may be wrong with the evidence: none, overlapping, documents that nothing asks about."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from pipelines.golden.contents import Contents
from pipelines.golden.findings import Finding
from pipelines.records import Evidence, Question

_LEAST_CHARS = 20


def unanswerable(contents: Contents) -> Iterator[Finding]:
    """Count the questions without evidence: a case of their own, not a fault."""
    none = [q.id for q in contents.questions if not q.evidence and q.id not in contents.broken]
    zero = [q.id for q in contents.questions if q.evidence and not q.answerable]
    if none:
        message = "Questions have no evidence (n: {n}): they count as unanswerable, a case of its own."
        yield Finding.of("info", "unanswerable", message, none)
    if zero:
        message = "Questions have only evidence of grade 0 (n: {n}), so they count as unanswerable."
        yield Finding.of("info", "only-grade-0", message, zero)


def lost(contents: Contents) -> Iterator[Finding]:
    """Find evidence that is not in the parsed text: every run counts it as missed."""
    if contents.lost:
        message = (
            "Evidence is not in the parsed text and counts as missed (n: {n}); see whether the quote is right, or try "
            "other settings of the loader."
        )
        yield Finding.of("warning", "evidence-not-in-parsed-text", message, contents.lost)


def ambiguous(contents: Contents) -> Iterator[Finding]:
    """Find quotes that stand more than once in a parsed text: the first place is taken, or that on the page."""
    if contents.ambiguous:
        message = (
            "Quotes stand more than once in a parsed text, and the first place is taken (n: {n}); give the page, or a "
            "longer quote."
        )
        yield Finding.of("info", "ambiguous-quotes", message, contents.ambiguous)


def overlapping(contents: Contents) -> Iterator[Finding]:
    """Find questions whose pieces of evidence overlap: the shared characters count once, but as two pieces."""
    cases = [f"{q.id}: {pair}" for q in contents.questions for pair in _overlaps(contents, q)]
    if cases:
        message = "Evidence of one question overlaps (pairs: {n}); join the two, or give alternatives the same group."
        yield Finding.of("warning", "overlapping-evidence", message, cases)


def _overlaps(contents: Contents, question: Question) -> Iterator[str]:
    for a, b in combinations(question.evidence, 2):
        if a.document_id != b.document_id or (a.group is not None and a.group == b.group):
            continue
        (start, end), (first, last) = contents.bounds(a), contents.bounds(b)
        if start < last and first < end:
            yield f"{start}-{end} and {first}-{last} of {a.document_id}"


def repeated(contents: Contents) -> Iterator[Finding]:
    """Find evidence whose text stands elsewhere in its document too: a copy answers as well, and counts as missed."""
    cases = [f"{q.id}: {start}-{end} of {e.document_id}" for q, e, start, end in contents.spans if _copies(contents, e)]
    if cases:
        yield Finding.of(
            "info",
            "repeated-evidence",
            "Evidence stands more than once in its document (n: {n}), and only the place that is named counts; "
            "where a copy answers as well, give it as an alternative, with the same group.",
            cases,
        )


def _copies(contents: Contents, item: Evidence) -> bool:
    if item.start is None or item.end is None or item.end - item.start < _LEAST_CHARS or item.group is not None:
        return False
    text = contents.documents.texts[contents.documents.position[item.document_id]]
    return text.count(text[item.start : item.end]) > 1


def untouched(contents: Contents) -> Iterator[Finding]:
    """Find documents that no question has evidence in: they make retrieval harder, and are never asked for."""
    touched = {item.document_id for q in contents.questions for item in q.evidence}
    names = [name for name in contents.documents.ids if name not in touched]
    if names and contents.questions:
        yield Finding.of("info", "untouched-documents", "Documents hold no evidence of any question (n: {n}).", names)


def kind(question: Question) -> str:
    """Return what sort of question it is, by its evidence."""
    relevant: list[Evidence] = [item for item in question.evidence if item.grade > 0]
    if not relevant:
        return "unanswerable"
    if all(item.start is None for item in relevant):
        return "whole document"
    groups = {item.group if item.group is not None else i for i, item in enumerate(relevant)}
    return "single evidence" if len(groups) == 1 else "multiple evidence"
