"""beir: corpus.jsonl, queries.jsonl and qrels by split, on whole documents or on the chunks of a pipeline."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import yaml

from pipelines.errors import DatasetError, shorten
from pipelines.golden.exporters import Content, Written, exporter
from pipelines.golden.exporters.grades import chunk_grades, chunk_name, document_grades
from pipelines.golden.importers.beir import OWN
from pipelines.golden.serialise import json_rows, question_row
from pipelines.records import SPLITS, Document, Question

_HEADER = "query-id\tcorpus-id\tscore\n"
_UNSPLIT = "test"


@exporter("beir", "corpus.jsonl, queries.jsonl and qrels/*.tsv; of whole documents, or of a pipeline's chunks")
def write(content: Content) -> Written:
    """Write documents, or chunks, with graded judgements; spans are kept in the queries' metadata."""
    chunked = content.chunks is not None
    grades = chunk_grades(content) if chunked else document_grades(content)
    documents = list(_chunks(content)) if chunked else [_document_row(d) for d in _documents(content)]
    _refuse_names([*(str(row["_id"]) for row in documents), *(question.id for question in content.questions)])
    files = {
        "corpus.jsonl": json_rows(documents),
        "queries.jsonl": json_rows(_query_row(question, chunked) for question in content.questions),
        **_qrels(content.questions, grades),
        "about.yaml": _about(content),
    }
    return Written(files, len(documents), tuple(_notices(content, grades)))


def _documents(content: Content) -> Iterator[Document]:
    return (content.documents[i] for i in range(len(content.documents)))


def _document_row(document: Document) -> dict[str, object]:
    """Return a document; a title that stands before its text, as the BEIR importer puts it there, is split off."""
    title = document.metadata.get("title")
    metadata = dict(document.metadata)
    head = f"{title}\n\n"
    if isinstance(title, str) and title and document.text.startswith(head):
        del metadata["title"]
        return {"_id": document.id, "title": title, "text": document.text.removeprefix(head), "metadata": metadata}
    return {"_id": document.id, "title": "", "text": document.text, "metadata": metadata}


def _chunks(content: Content) -> Iterator[dict[str, object]]:
    chunks = content.chunks
    if chunks is None:
        return
    for i in range(len(chunks)):
        document = content.documents[int(chunks.document[i])]
        start, end = int(chunks.start[i]), int(chunks.end[i])
        place: dict[str, object] = {"document_id": document.id, "start": start, "end": end}
        metadata = {**document.metadata, **place}
        yield {"_id": chunk_name(content, i), "title": "", "text": document.text[start:end], "metadata": metadata}


def _query_row(question: Question, chunked: bool) -> dict[str, object]:
    """Return a query; on whole documents its metadata hold the question as our own importer reads it back."""
    row = question_row(question)
    own = {key: value for key, value in row.items() if key not in ("id", "text")}
    if chunked:
        own = {key: value for key, value in own.items() if key != "evidence"}
    return {"_id": question.id, "text": question.text, "metadata": {OWN: own}}


def _qrels(questions: Sequence[Question], grades: Mapping[str, Mapping[str, float]]) -> dict[str, str]:
    rows: dict[str, list[str]] = {}
    for question in questions:
        lines = rows.setdefault(question.split or _UNSPLIT, [])
        lines += [f"{question.id}\t{name}\t{_number(grade)}\n" for name, grade in grades[question.id].items()]
    return {f"qrels/{split}.tsv": _HEADER + "".join(rows[split]) for split in SPLITS if split in rows}


def _number(grade: float) -> str:
    return str(int(grade)) if float(grade).is_integer() else repr(float(grade))


def _about(content: Content) -> str:
    manifest = content.manifest
    values = {"name": manifest.name, "description": manifest.description, "licence": manifest.licence}
    values |= {"source": manifest.source, "chunks": content.cut_by}
    return yaml.safe_dump({key: value for key, value in values.items() if value}, sort_keys=False)


def _refuse_names(names: Sequence[str]) -> None:
    for name in names:
        if any(c in name for c in "\t\n\r"):
            raise DatasetError(
                f"The id '{shorten(name, 60)}' holds a tab or a line break, which qrels cannot hold; rename it."
            )


def _notices(content: Content, grades: Mapping[str, Mapping[str, float]]) -> Iterator[str]:
    unsplit = sum(question.split is None for question in content.questions)
    if unsplit:
        yield f"Questions without a split are in qrels/{_UNSPLIT}.tsv (n: {unsplit:,})."
    none = sum(not grades[question.id] for question in content.questions)
    if none:
        yield f"Questions without any judgement are in queries.jsonl alone (n: {none:,}): most tools pass them over."
    if any(not float(grade).is_integer() for some in grades.values() for grade in some.values()):
        yield "Some grades are no whole numbers, which tools around trec_eval do not read."
