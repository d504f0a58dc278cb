"""Records to the rows and the head of a dataset folder."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from pipelines.errors import shorten
from pipelines.golden.manifest import type_of
from pipelines.records import Document, Evidence, Question
from pipelines.stages.load.reading import clean
from pipelines.stages.load.values import metadata_of


def json_rows(rows: Iterable[Mapping[str, object]]) -> str:
    """Return rows as JSON lines; lone surrogates, which no file can hold, are replaced."""
    return "".join(clean(json.dumps(row, ensure_ascii=False, allow_nan=False)) + "\n" for row in rows)


def document_row(document: Document) -> dict[str, object]:
    """Return a document as a row of documents.jsonl."""
    metadata = metadata_of(dict(document.metadata), f"Document '{shorten(document.id, 60)}'")
    row: dict[str, object] = {"id": document.id, "text": document.text}
    return {**row, "metadata": metadata} if metadata else row


def question_row(question: Question) -> dict[str, object]:
    """Return a question as a row of questions.jsonl; what is empty is left out, evidence never."""
    values: dict[str, object] = {
        "answer": question.answer,
        "split": question.split,
        "tags": list(question.tags),
        "filter": metadata_of(dict(question.filter), f"Question '{shorten(question.id, 60)}'", "filter"),
    }
    present = {key: value for key, value in values.items() if value}
    evidence = [evidence_row(item) for item in question.evidence]
    return {"id": question.id, "text": question.text, **present, "evidence": evidence}


def evidence_row(item: Evidence) -> dict[str, object]:
    """Return a piece of evidence as a row of questions.jsonl holds it; what is absent is left out."""
    values = {"start": item.start, "end": item.end, "quote": item.quote, "group": item.group, "page": item.page}
    row: dict[str, object] = {"document_id": item.document_id}
    row |= {key: value for key, value in values.items() if value is not None}
    grade = int(item.grade) if float(item.grade).is_integer() else item.grade
    return row if grade == 1 else {**row, "grade": grade}


def inferred_fields(documents: Sequence[Document]) -> dict[str, str]:
    """Return the type of each metadata field that has one type only; whole numbers among others count as float."""
    types: dict[str, set[str]] = {}
    for document in documents:
        for name, value in document.metadata.items():
            types.setdefault(name, set()).add(type_of(value))
    found = {name: _one_type(kinds) for name, kinds in sorted(types.items())}
    return {name: kind for name, kind in found.items() if kind}


def _one_type(kinds: set[str]) -> str | None:
    if len(kinds) == 1:
        return min(kinds)
    return {frozenset({"int", "float"}): "float", frozenset({"str", "date"}): "str"}.get(frozenset(kinds))
