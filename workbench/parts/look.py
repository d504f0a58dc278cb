"""A look into a dataset: its questions with their evidence in place, and its documents."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import streamlit as st

from pipelines.records import PAGE, SECTION, TABLE, Document, Documents, Evidence, Question
from workbench import grids, reading
from workbench.text import Mark, legend, matches, own, plain, shortened, show_marked, signs_of

_MARKS = {PAGE: "Pages", SECTION: "Sections", TABLE: "Tables"}
_QUESTION = (
    grids.Field("id", "Id", width=150),
    grids.Field("question", "Question", width=585),
    grids.Field("split", "Split", width=60),
    grids.Field("tags", "Tags", width=160),
    grids.Field("evidence", "Evidence", "%d", 80),
    grids.Field("answer", "Answer", width=320),
)


def questions(place: Path, search: str) -> None:
    """Show the questions, those that a search finds, and one of them with its evidence."""
    documents, everything = reading.contents(place)
    needle = search.casefold()
    found = [question for question in everything if needle in _haystack(question)]
    st.caption(f"{len(found):,} of {len(everything):,} questions. Tick a row to see its evidence.")
    rows = [_row(question) for question in found]
    fields = [field for field in _QUESTION if any(row[field.key] not in (None, "") for row in rows)]
    ids = [row["id"] for row in rows]
    chosen = grids.show(fields or _QUESTION, rows, "look.questions", 9, select="single-row-required", ids=ids)
    if found:
        question = found[chosen[0]] if chosen else found[0]
        _evidence(question, documents)


def _haystack(question: Question) -> str:
    return " ".join((question.id, question.text, question.split or "", *question.tags)).casefold()


def _row(question: Question) -> dict[str, Any]:
    tags = ", ".join(question.tags)
    return {
        "id": question.id,
        "question": shortened(question.text, 400),
        "split": question.split,
        "tags": tags,
        "evidence": len(question.evidence),
        "answer": shortened(question.answer, 300) if question.answer else None,
    }


def _evidence(question: Question, documents: Documents) -> None:
    st.subheader("Question and evidence")
    st.text(question.text)
    if question.answer:
        st.caption(plain(f"Answer: {own(question.answer)}"))
    if not question.evidence:
        st.info("This question has no evidence: it counts as unanswerable.")
    lost = [item for item in question.evidence if not is_located(item, documents)]
    for item in lost:
        where = f"{own(item.document_id)}{f', page {item.page}' if item.page is not None else ''}"
        st.warning(plain(f"Not in the parsed text of {where}: {shortened(item.quote or '', 300)}"))
    located = [item for item in question.evidence if item not in lost]
    for document_id in dict.fromkeys(item.document_id for item in located):
        document = documents[documents.position[document_id]]
        marks = [mark(item, document.text) for item in located if item.document_id == document_id]
        st.caption(plain(f"In {own(document_id)}"))
        show_marked(document.text, marks, height_px=260, margin=350, signs=signs_of(document.marks))


def is_located(item: Evidence, documents: Documents) -> bool:
    """Return whether the parsed text holds a piece of evidence."""
    return item.document_id in documents.position and (item.start is not None or item.quote is None)


def mark(item: Evidence, text: str) -> Mark:
    """Return where a piece of evidence stands; a whole document is all of its text."""
    return Mark(item.start or 0, len(text) if item.end is None else item.end, "evidence")


def documents(place: Path, needle: str) -> None:
    """Show the documents, those that a search finds, and one of them with all evidence in it."""
    all_documents, all_questions = reading.contents(place)
    folded = needle.casefold()
    found = [
        i for i, text in enumerate(all_documents.texts) if folded in (all_documents.ids[i] + " " + text).casefold()
    ]
    asked = Counter(name for q in all_questions for name in {item.document_id for item in q.evidence})
    rows = [_document_row(all_documents[i], asked) for i in found]
    st.caption(f"{len(found):,} of {len(all_documents):,} documents. Tick a row to read it.")
    ids = [row["id"] for row in rows]
    chosen = grids.show(_document_fields(rows), rows, "look.documents", 7, select="single-row-required", ids=ids)
    if found:
        _document(all_documents[found[chosen[0] if chosen else 0]], all_questions, needle)


def _document_row(document: Document, asked: Counter[str]) -> dict[str, Any]:
    own = {"id": document.id, "chars": len(document.text), "questions": asked[document.id]}
    own |= {f"marks {kind}": len(spans) for kind, spans in document.marks.items()}
    return {**{f"metadata {name}": str(value) for name, value in document.metadata.items()}, **own}


def _document_fields(rows: list[dict[str, Any]]) -> list[grids.Field]:
    names = sorted({name for row in rows for name in row if name.startswith("metadata ")})
    marked = [kind for kind in _MARKS if any(f"marks {kind}" in row for row in rows)]
    fixed = [
        grids.Field("id", "Id", width=260),
        grids.Field("chars", "Characters", "localized", 100),
        grids.Field("questions", "Questions", "%d", 90),
    ]
    fixed += [grids.Field(f"marks {kind}", _MARKS[kind], "%d", 75) for kind in marked]
    return fixed + [grids.Field(name, shortened(name.removeprefix("metadata "), 40)) for name in names]


def _document(document: Document, questions: tuple[Question, ...], needle: str) -> None:
    st.subheader("Document")
    st.text(document.id)
    items = [item for q in questions for item in q.evidence if item.document_id == document.id]
    marks = [mark(item, document.text) for item in items if item.start is not None]
    legend("evidence", "match") if needle else legend("evidence")
    show_marked(document.text, [*marks, *matches(document.text, needle)], signs=signs_of(document.marks))
