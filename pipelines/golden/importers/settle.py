"""Evidence of a draft, looked up in the documents: what is found is kept, what is not is reported."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pipelines.errors import shorten
from pipelines.golden.importers.draft import Draft, Problem
from pipelines.golden.quotes import Found, find_quote
from pipelines.golden.resolve import unknown_document
from pipelines.records import Documents, Evidence, Question

_LEFT_OUT = " Nothing else of the question can be used, so it is left out."


def settle(draft: Draft) -> tuple[list[Question], list[str]]:
    """Return the questions that can be used and the ids of those left out; problems and notices are added to the draft.

    A question keeps the evidence that is found. One whose evidence was all lost is left out: without it, it would pass
    for unanswerable.
    """
    documents = Documents.of(draft.documents)
    kept, left_out = [], []
    for question in draft.questions:
        problems: list[Problem] = []
        if not question.text.strip():
            problems.append(Problem(question.id, f"Question '{shorten(question.id, 60)}' has no text."))
        evidence = tuple(dict.fromkeys(_settled(draft, question, documents, problems)))
        lost = bool(problems) or question.id in draft.failed
        if question.text.strip() and (evidence or not lost):
            kept.append(replace(question, evidence=evidence))
        else:
            left_out.append(question.id)
            problems[-1:] = [replace(last, message=last.message + _LEFT_OUT) for last in problems[-1:]]
        draft.problems += problems
    return kept, left_out


def _settled(draft: Draft, question: Question, documents: Documents, problems: list[Problem]) -> Iterator[Evidence]:
    where = f"Question '{shorten(question.id, 60)}'"
    for item in question.evidence:
        position = documents.position.get(item.document_id)
        if not item.document_id:
            message = f"{where}: the quote '{shorten(item.quote)}' comes without a document; name the one it is from."
            problems.append(Problem(question.id, message))
        elif position is None:
            problems.append(Problem(question.id, str(unknown_document(item.document_id, documents, where))))
        else:
            found = settled_in_text(item, documents.texts[position], where, draft.notices)
            if isinstance(found, Evidence):
                yield found
            else:
                problems.append(replace(found, question_id=question.id))


def settled_in_text(item: Evidence, text: str, where: str, notices: list[str]) -> Evidence | Problem:
    """Return a piece of evidence with its span in a given text, or why it has none; what is to know is noticed."""
    quote, document = item.quote, shorten(item.document_id, 60)
    if item.start is not None and item.end is not None:
        fits = 0 <= item.start < item.end <= len(text)
        if fits and quote in (None, text[item.start : item.end]):
            return replace(item, quote=text[item.start : item.end])
        if quote is None:
            found = f"the span {item.start} to {item.end} is not within document '{document}' of {len(text)} characters"
            return Problem(None, f"{where}: {found}; correct it.")
    return item if quote is None else _quoted(item, quote, text, f"{where}, document '{document}'", notices)


def _quoted(item: Evidence, quote: str, text: str, where: str, notices: list[str]) -> Evidence | Problem:
    found = find_quote(quote, text)
    if not isinstance(found, Found):
        near = f": '{shorten(found.nearest)}'" if found.nearest else ""
        message = f"{where}: the quote '{shorten(quote)}' is not in the text ({found.why}{near}); correct the quote."
        return Problem(None, message, found.nearest)
    if item.start is not None:
        notices.append(f"{where}: a quote was not at {item.start}, and was found at {found.start}.")
    if found.occurrences > 1:
        times = f"occurs {found.occurrences} times, and the first is taken"
        notices.append(f"{where}: the quote '{shorten(quote)}' {times}; make it longer to choose another.")
    if found.how == "folded":
        notices.append(f"{where}: the quote '{shorten(quote)}' was found with white space and typography made equal.")
    return replace(item, start=found.start, end=found.end, quote=text[found.start : found.end])
