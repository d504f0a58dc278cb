"""A draft whose documents are files that the load stage parses: the files are kept, and quotes stay quotes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pipelines.errors import shorten
from pipelines.golden.importers.draft import Draft, Problem
from pipelines.golden.importers.settle import settled_in_text
from pipelines.golden.origin import Origin, Texts
from pipelines.golden.resolve import located_in
from pipelines.records import Documents, Evidence, Question
from pipelines.stages.load import Loader, loaders
from pipelines.stages.load.reading import RuleError


def keeps_files(draft: Draft) -> bool:
    """Whether files must be kept as they are: some are parsed, and another parsing gives another text."""
    auto = _auto()
    return any(not auto.as_given(source.path.name) for source in draft.files)


def settle_files(draft: Draft) -> tuple[list[Question], list[str]]:
    """Return the questions that can be used and the ids of those left out; problems and notices are added to the draft.

    A quote that is not in the parsed text is kept: another parsing may have it. Evidence in a document that is not
    there is a problem.
    """
    auto = _auto()
    files = {source.document_id: auto.as_given(source.path.name) for source in draft.files}
    texts = Texts(Documents.of(draft.documents), Origin(True, files))
    kept, left_out = [], []
    for question in draft.questions:
        problems: list[Problem] = []
        evidence = tuple(dict.fromkeys(_settled(draft, question, texts, problems)))
        lost = bool(problems) or question.id in draft.failed
        if question.text.strip() and (evidence or not lost):
            kept.append(replace(question, evidence=evidence))
        else:
            left_out.append(question.id)
        draft.problems += problems
    return kept, left_out


def _auto() -> Loader:
    return loaders()["auto"]()


def _settled(draft: Draft, question: Question, texts: Texts, problems: list[Problem]) -> Iterator[Evidence]:
    where = f"Question '{shorten(question.id, 60)}'"
    for item in question.evidence:
        position = texts.documents.position.get(item.document_id)
        if position is not None and texts.origin.as_given(item.document_id):
            found = settled_in_text(item, texts.documents.texts[position], where, draft.notices)
            if isinstance(found, Evidence):
                yield found
            else:
                problems.append(replace(found, question_id=question.id))
            continue
        try:
            located = located_in(item, texts, where)
        except RuleError as error:
            problems.append(Problem(question.id, str(error)))
            continue
        if located.lost:
            draft.notices.append(f"{where}: evidence counts as missed, for {located.lost}.")
        if located.places > 1:
            draft.notices.append(
                f"{where}: the quote '{shorten(item.quote)}' stands at {located.places} places, and the first is "
                "taken; give its page, or a longer quote."
            )
        yield item
