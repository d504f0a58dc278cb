"""Questions against their documents: evidence is given its span, and spans and quotes must hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pipelines.errors import did_you_mean, shorten
from pipelines.golden.quotes import Missing, find_quote
from pipelines.golden.rows import place
from pipelines.records import Documents, Evidence, Question
from pipelines.stages.load.reading import RuleError


def resolve(
    questions: Sequence[Question], documents: Documents, wheres: Sequence[str] | None = None
) -> tuple[Question, ...]:
    """Return the questions with every quote located: evidence then is a span, or a whole document on purpose.

    `wheres` says of each question where it was read, for the message.

    Raises:
        DatasetError: for an unknown document, a span outside its text, a quote that is not the text at the span, and
            a quote without a span that occurs nowhere or more than once.
    """
    places = wheres or ["questions"] * len(questions)
    pairs = zip(questions, places, strict=True)
    return tuple(_resolved(question, documents, place(where, question.id)) for question, where in pairs)


def _resolved(question: Question, documents: Documents, where: str) -> Question:
    located = tuple(locate(item, documents, where) for item in question.evidence)
    return question if located == question.evidence else replace(question, evidence=located)


def locate(item: Evidence, documents: Documents, where: str) -> Evidence:
    """Return one piece of evidence with its span.

    Raises:
        RuleError: as `resolve` says.
    """
    position = documents.position.get(item.document_id)
    if position is None:
        raise unknown_document(item.document_id, documents, where)
    text = documents.texts[position]
    if item.start is None or item.end is None:
        return item if item.quote is None else _found(item, item.quote, text, where)
    if not 0 <= item.start < item.end <= len(text):
        found = f"the span {item.start} to {item.end} is not within document '{shorten(item.document_id, 60)}'"
        rule = f"it has {len(text)} characters, and spans need 0 <= start < end <= length"
        raise RuleError("span-outside-text", f"{where}: {found}; {rule}: correct it, or give the quote alone.")
    if item.quote is not None and text[item.start : item.end] != item.quote:
        raise _other_text(item, text, where)
    return item


def unknown_document(document_id: str, documents: Documents, where: str) -> RuleError:
    """Return the error for evidence in a document that is not there."""
    some = ", ".join(shorten(known, 40) for known in documents.ids[:5])
    more = f" and {len(documents) - 5} more" if len(documents) > 5 else ""
    guess = did_you_mean(document_id[:100], documents.ids[:5000])
    found = f"{where}: evidence names the document '{shorten(document_id, 60)}', which is not there"
    return RuleError("unknown-document", f"{found}; there are {some}{more}: correct the name, or add it.{guess}")


def _other_text(item: Evidence, text: str, where: str) -> RuleError:
    document, here = shorten(item.document_id, 60), shorten(text[item.start : item.end])
    found = (
        f"the quote '{shorten(item.quote)}' is not the text of document '{document}' from {item.start} to {item.end}"
    )
    todo = "correct one of them, or leave out start and end"
    return RuleError("quote-mismatch", f"{where}: {found}, which is '{here}'; {todo}.")


def _found(item: Evidence, quote: str, text: str, where: str) -> Evidence:
    found = find_quote(quote, text)
    named = f"{where}: the quote '{shorten(quote)}' of document '{shorten(item.document_id, 60)}'"
    if isinstance(found, Missing):
        near = f": '{shorten(found.nearest)}'" if found.nearest else ""
        raise RuleError("quote-not-found", f"{named} is not in its text ({found.why}{near}); correct the quote.")
    if found.occurrences > 1:
        raise RuleError(
            "quote-ambiguous",
            f"{named} occurs {found.occurrences} times; it must be there once: make it longer, or give start and end.",
        )
    return replace(item, start=found.start, end=found.end, quote=text[found.start : found.end])
