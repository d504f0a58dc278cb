"""beir: retrieval benchmarks with graded judgements of whole documents."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from pathlib import Path

from pipelines.errors import DatasetError, shorten
from pipelines.golden.importers import Draft, Problem, importer
from pipelines.golden.importers.sources import need_file, need_folder
from pipelines.golden.importers.tables import Row, read_table
from pipelines.golden.rows import question_of
from pipelines.records import Document, Evidence, MetadataValue, Question, Split
from pipelines.stages.load import read_text
from pipelines.stages.load.files import holds
from pipelines.stages.load.reading import RuleError, clean, json_lines, named, read_bytes
from pipelines.stages.load.values import identifier, metadata_value

_WANTED = "a BEIR folder holds corpus.jsonl, queries.jsonl and qrels/test.tsv (also dev.tsv, train.tsv)"
_COLUMNS = ("query-id", "corpus-id", "score")
_ORDER: tuple[Split, ...] = ("test", "dev", "train")

Judgements = dict[str, dict[str, float]]

OWN = "rag_workbench"
"""The entry of a query's metadata under which our own exporter keeps the question, spans and all."""


@importer("beir", "a folder with corpus.jsonl, queries.jsonl and qrels/*.tsv")
def read(src: Path) -> Draft:
    """Read the folder: evidence is whole documents, graded by score; the qrels file is the split."""
    folder = need_folder(src, _WANTED)
    corpus = need_file(folder, "corpus.jsonl", _WANTED)
    queries = need_file(folder, "queries.jsonl", _WANTED)
    draft = Draft(description="Questions with graded judgements of whole documents.", source=f"BEIR, {folder.name}")
    judged = {split: _judgements(path, draft) for split, path in _qrels(folder).items()}
    draft.documents += _documents(_rows(corpus), draft)
    queries_read = {identifier(row, "_id", where): row for where, row in _rows(queries)}
    _questions(queries_read, judged, draft)
    return draft


def _rows(path: Path) -> Iterable[tuple[str, Mapping[str, object]]]:
    for line, row in json_lines(read_bytes(path), named(path)):
        if isinstance(row, RuleError):
            raise row
        yield f"{named(path)}, line {line}", row


def _documents(rows: Iterable[tuple[str, Mapping[str, object]]], draft: Draft) -> Iterable[Document]:
    nested: set[str] = set()
    for where, row in rows:
        title, text = clean(str(row.get("title") or "")), clean(str(row.get("text") or ""))
        metadata = _flat(row.get("metadata"), nested)
        if title:
            metadata["title"] = title
        yield Document(identifier(row, "_id", where), f"{title}\n\n{text}" if title else text, metadata)
    if nested:
        fields = ", ".join(shorten(name, 40) for name in sorted(nested))
        draft.notices.append(f"Metadata that is not flat was left out: {fields}.")


def _flat(metadata: object, nested: set[str]) -> dict[str, MetadataValue]:
    """Return the flat values; names of others are added to `nested` (SciDocs holds lists of authors, for one)."""
    found: dict[str, MetadataValue] = {}
    for name, value in (metadata if isinstance(metadata, dict) else {}).items():
        try:
            if value is not None and name.strip():
                found[clean(name)] = metadata_value(value, "", "")
        except RuleError:
            nested.add(name)
    return found


def _qrels(folder: Path) -> dict[Split, Path]:
    qrels = folder / "qrels"
    found = {split: qrels / f"{split}.tsv" for split in _ORDER if (qrels / f"{split}.tsv").is_file()}
    if not found:
        there = f"in 'qrels', {holds(qrels)}" if qrels.is_dir() else holds(folder)
        raise DatasetError(
            f"{named(folder)} has no qrels/test.tsv, dev.tsv or train.tsv ({there}); {_WANTED}: add one."
        )
    return found


def _judgements(path: Path, draft: Draft) -> Judgements:
    """Return {query: {document: grade}}; a negative score, which some collections give to spam, becomes 0."""
    judged: Judgements = {}
    negative = 0
    for row in read_table(read_text(path), named(path), _COLUMNS, delimiters="\t", quoted=False).rows:
        score = _score(row, named(path))
        negative += score < 0
        judged.setdefault(clean(row["query-id"]), {})[clean(row["corpus-id"])] = max(score, 0.0)
    if negative:
        draft.notices.append(f"Scores below 0 in {path.name} became 0 (n: {negative:,}).")
    return judged


def _score(row: Row, where: str) -> float:
    found = row.wrong or f"the score is '{shorten(row['score'], 40)}', which is no number"
    try:
        score = math.nan if row.wrong else float(row["score"])
    except ValueError:
        score = math.nan
    if not math.isfinite(score):
        raise DatasetError(f"{where}, line {row.line}: {found}; correct that line.")
    return score


def _questions(queries: Mapping[str, Mapping[str, object]], judged: Mapping[Split, Judgements], draft: Draft) -> None:
    several = other = 0
    seen: set[str] = set()
    for split, judgements in judged.items():
        for query, grades in judgements.items():
            if query in seen:
                several += 1
            elif query not in queries:
                message = (
                    f"qrels/{split}.tsv judges the query '{shorten(query, 60)}', which queries.jsonl does not have; "
                )
                draft.problems.append(Problem(query, message + "add it there."))
            else:
                own = _exported(query, queries[query])
                other += own is not None and not _agrees(own, grades)
                plain = _judged(query, queries[query], split, grades)
                draft.questions.append(own if own is not None and _agrees(own, grades) else plain)
            seen.add(query)
    unjudged = _unjudged(queries, seen, draft)
    if several:
        draft.notices.append(
            f"Queries in several qrels files are kept in the first of test, dev, train (n: {several:,})."
        )
    if other:
        draft.notices.append(f"Queries were judged otherwise since they were exported: qrels are taken (n: {other:,}).")
    if unjudged:
        draft.notices.append(f"Queries without any judgement were left out (n: {unjudged:,}).")


def _judged(query: str, row: Mapping[str, object], split: Split, grades: Mapping[str, float]) -> Question:
    evidence = tuple(Evidence(document, grade=grade) for document, grade in grades.items())
    return Question(query, clean(str(row.get("text") or "")), split=split, evidence=evidence)


def _unjudged(queries: Mapping[str, Mapping[str, object]], seen: set[str], draft: Draft) -> int:
    """Add the queries without a judgement that were exported as unanswerable, and count the others."""
    others = 0
    for query, row in queries.items():
        own = None if query in seen else _exported(query, row)
        if own is not None and not own.evidence:
            draft.questions.append(own)
        else:
            others += query not in seen
    return others


def _exported(query: str, row: Mapping[str, object]) -> Question | None:
    """Return the question that our own exporter put into a query's metadata, spans and all; None where it did not."""
    metadata = row.get("metadata")
    own = metadata.get(OWN) if isinstance(metadata, dict) else None
    if not isinstance(own, dict) or "evidence" not in own:
        return None
    question, errors = question_of({**own, "id": query, "text": row.get("text")}, "")
    return None if errors else question


def _agrees(own: Question, grades: Mapping[str, float]) -> bool:
    """Whether a question's evidence comes to these grades of documents."""
    found: dict[str, float] = {}
    for item in own.evidence:
        found[item.document_id] = max(item.grade, found.get(item.document_id, 0.0))
    return found == dict(grades)
