"""Questions against their documents: evidence is given its span, and spans and quotes must hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from pipelines.errors import did_you_mean, shorten
from pipelines.golden.anchor import anchor
from pipelines.golden.origin import Origin, Texts
from pipelines.golden.quotes import Missing, find_quote
from pipelines.golden.rows import place
from pipelines.records import PAGE, Documents, Evidence, Question
from pipelines.stages.load.reading import RuleError

_GIVEN = Origin()


@dataclass(frozen=True)
class Located:
    """A piece of evidence in the documents at hand.

    `lost` says why it is in none of them ("" when it is there); `places` is at how many places it could be meant to be.
    """

    evidence: Evidence
    lost: str = ""
    places: int = 1


@dataclass(frozen=True)
class Resolution:
    """Questions with their evidence located; `lost` and `ambiguous` name evidence of parsed files, and say why."""

    questions: tuple[Question, ...]
    n_evidence: int = 0
    lost: tuple[str, ...] = ()
    ambiguous: tuple[str, ...] = ()

    def notes(self) -> Iterator[str]:
        """Say what a user of the scores should know."""
        if self.lost:
            found = f"{len(self.lost):,} of {self.n_evidence:,} pieces of evidence are not in the parsed text"
            yield f"{found} and count as missed; the first: {self.lost[0]}. 'rag-workbench check' names all of them."
        if self.ambiguous:
            n = len(self.ambiguous)
            yield (
                f"{n:,} of {self.n_evidence:,} quotes stand more than once in a parsed text, and the first place is "
                f"taken; the first: {self.ambiguous[0]}. Give the page, or a longer quote, to be certain."
            )


def resolve(
    questions: Sequence[Question],
    documents: Documents,
    wheres: Sequence[str] | None = None,
    origin: Origin = _GIVEN,
) -> tuple[Question, ...]:
    """Return the questions with every quote located, as `resolution` does."""
    return resolution(questions, documents, wheres, origin).questions


def resolution(
    questions: Sequence[Question],
    documents: Documents,
    wheres: Sequence[str] | None = None,
    origin: Origin = _GIVEN,
) -> Resolution:
    """Return the questions with every quote located: evidence then is a span, or a whole document on purpose.

    In a parsed text a quote is found again however it was parsed; what is not there keeps its quote and has no span.
    `wheres` says of each question where it was read, for the message.

    Raises:
        DatasetError: for an unknown document; in a given text, for a span outside of it, a quote that is not the text
            at the span, and a quote without a span that occurs nowhere or more than once; in a parsed text, for a span
            without a quote. The first in order of the questions is told.
    """
    places = wheres or ["questions"] * len(questions)
    texts = Texts(documents, origin)
    rows = [(q, e, item) for q, question in enumerate(questions) for e, item in enumerate(question.evidence)]
    found: dict[tuple[int, int], Located] = {}
    errors: list[tuple[int, int, RuleError]] = []
    # Document by document: what is worked out of a long text is needed once.
    for q, e, item in sorted(rows, key=lambda row: row[2].document_id):
        try:
            found[q, e] = located_in(item, texts, place(places[q], questions[q].id))
        except RuleError as error:
            errors.append((q, e, error))
    if errors:
        raise min(errors, key=lambda row: row[:2])[2]
    ordered = [found[q, e] for q, e, _ in rows]
    named = [f"{shorten(questions[q].id, 40)}, evidence {e + 1}" for q, e, _ in rows]
    return Resolution(
        tuple(
            _with(question, [found[q, e] for e in range(len(question.evidence))])
            for q, question in enumerate(questions)
        ),
        len(rows),
        tuple(f"{name} ({one.lost})" for name, one in zip(named, ordered, strict=True) if one.lost),
        tuple(f"{name} ({one.places} places)" for name, one in zip(named, ordered, strict=True) if one.places > 1),
    )


def _with(question: Question, found: Sequence[Located]) -> Question:
    located = tuple(one.evidence for one in found)
    return question if located == question.evidence else replace(question, evidence=located)


def locate(item: Evidence, documents: Documents, where: str) -> Evidence:
    """Return one piece of evidence with its span in a given text.

    Raises:
        RuleError: as `resolution` says.
    """
    return located_in(item, Texts(documents, _GIVEN), where).evidence


def located_in(item: Evidence, texts: Texts, where: str) -> Located:
    """Return one piece of evidence as it is found in the documents.

    Raises:
        RuleError: as `resolution` says.
    """
    documents, origin = texts.documents, texts.origin
    position = documents.position.get(item.document_id)
    if position is not None and origin.as_given(item.document_id):
        return Located(_in_given(item, documents.texts[position], where))
    others = [position] if position is not None else texts.instead(item.document_id)
    if not others and origin.file_of(item.document_id) is None:
        raise unknown_document(item.document_id, documents, where)
    _refuse_bare_span(item, where)
    if item.quote is None:
        return _whole(item, documents, others)
    return _anchored(item, item.quote, documents, others)


def _whole(item: Evidence, documents: Documents, others: Sequence[int]) -> Located:
    """Return evidence that is a document: itself, or the one document that stands for it."""
    if not others:
        return Located(item, f"the file of '{shorten(item.document_id, 60)}' was not read")
    return Located(item if len(others) > 1 else replace(item, document_id=documents.ids[others[0]]))


def _anchored(item: Evidence, quote: str, documents: Documents, rows: Sequence[int]) -> Located:
    """Return the quote where it stands in the first of these documents that holds it."""
    for row in rows:
        text, document_id = documents.texts[row], documents.ids[row]
        if item.start is not None and item.end is not None and text[item.start : item.end] == quote:
            return Located(replace(item, document_id=document_id))
        pages = documents.marks[PAGE].of_document(row) if PAGE in documents.marks else []
        found = anchor(quote, text, pages, item.page)
        if found is not None:
            start, end = found.start, found.end
            placed = replace(item, document_id=document_id, start=start, end=end, quote=text[start:end])
            return Located(placed, places=found.occurrences)
    name = shorten(item.document_id, 60)
    why = f"its quote is not in the text of '{name}'" if rows else f"the file of '{name}' was not read"
    return Located(replace(item, start=None, end=None), why)


def _refuse_bare_span(item: Evidence, where: str) -> None:
    if item.start is not None and item.quote is None:
        found = f"{where}: evidence in '{shorten(item.document_id, 60)}' has a span and no quote"
        rule = "a span counts the characters of one way to parse the file, and no other has it there"
        raise RuleError("span-without-quote", f"{found}; {rule}: give the quote.")


def _in_given(item: Evidence, text: str, where: str) -> Evidence:
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
