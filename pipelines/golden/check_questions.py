"""What may be wrong among the questions: duplicates, splits, filters."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from pipelines.errors import shorten
from pipelines.golden.contents import Contents
from pipelines.golden.findings import Finding
from pipelines.near_duplicates import alike_pairs
from pipelines.records import MetadataValue, Question


def none_at_all(contents: Contents) -> Iterator[Finding]:
    """Say so when there is nothing to ask."""
    if not contents.questions:
        yield Finding("warning", "no-questions", "There is no question that can be used, so nothing can be measured.")


def near_duplicates(contents: Contents) -> Iterator[Finding]:
    """Find questions that ask the same in nearly the same words; across splits, they leak."""
    within: list[str] = []
    across: list[str] = []
    for i, j in alike_pairs(contents.questions):
        a, b = contents.questions[i], contents.questions[j]
        split = f" ({a.split} and {b.split})" if a.split != b.split else ""
        (across if split else within).append(f"{shorten(a.id, 60)} ~ {shorten(b.id, 60)}{split}: {shorten(b.text)}")
    if across:
        message = "Questions in different splits are nearly the same (pairs: {n}), so what is tuned on one is no test "
        yield Finding.of(
            "warning", "near-duplicates-across-splits", message + "on the other; move or drop one.", across
        )
    if within:
        message = "Questions are nearly the same (pairs: {n}) and count twice in every mean; drop one of each."
        yield Finding.of("warning", "near-duplicate-questions", message, within)


def splits(contents: Contents) -> Iterator[Finding]:
    """Find questions without a split among others that have one."""
    without = [question.id for question in contents.questions if question.split is None]
    if without and len(without) < len(contents.questions):
        message = "Questions have no split while others do (n: {n}), so no split ever shows them; give them one."
        yield Finding.of("warning", "no-split", message, without)


def shared_documents(contents: Contents) -> Iterator[Finding]:
    """Find documents that hold evidence of more than one split."""
    by_document: dict[str, set[str]] = defaultdict(set)
    for question, item, _, _ in contents.spans:
        if question.split and item.grade > 0:
            by_document[item.document_id].add(question.split)
    shared = [f"{name} ({', '.join(sorted(s))})" for name, s in sorted(by_document.items()) if len(s) > 1]
    if shared:
        message = "Splits share documents (n: {n}), so a model finetuned on one has seen the text of the other; "
        yield Finding.of("warning", "splits-share-documents", message + "split by document.", shared)


def filters(contents: Contents) -> Iterator[Finding]:
    """Find filters that no document can pass, and those that shut out the question's own evidence."""
    columns = contents.documents.columns
    known = {name: {(type(v), v) for v in column.values} for name, column in columns.items()}
    fields, values, shut_out = [], [], []
    for question in contents.questions:
        for name, value in question.filter.items():
            label = f"{shorten(question.id, 60)}: {shorten(name, 40)} = {shorten(value, 40)}"
            if name not in known:
                fields.append(label)
            elif (type(value), value) not in known[name]:
                values.append(label)
        if _shuts_out(contents, question, question.filter):
            shut_out.append(question.id)
    yield from _filter_findings(fields, values, shut_out)


def _filter_findings(fields: list[str], values: list[str], shut_out: list[str]) -> Iterator[Finding]:
    if fields:
        message = "Filters name a metadata field that no document has (n: {n}); correct it, or have it extracted."
        yield Finding.of("warning", "filter-unknown-field", message, fields)
    if values:
        message = "Filters ask for a value that no document has, its type counted (n: {n}); correct the value."
        yield Finding.of("warning", "filter-unknown-value", message, values)
    if shut_out:
        message = "Filters shut out a document with evidence of their own question (n: {n}); correct one of the two."
        yield Finding.of("warning", "filter-excludes-evidence", message, shut_out)


def _shuts_out(contents: Contents, question: Question, wanted: Mapping[str, MetadataValue]) -> bool:
    columns, position = contents.documents.columns, contents.documents.position
    rows = {position[item.document_id] for item in question.evidence if item.grade > 0}
    checked = [(columns[name], value) for name, value in wanted.items() if name in columns]
    return any(column[row] != value for row in rows for column, value in checked)
