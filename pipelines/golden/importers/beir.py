"""beir: retrieval benchmarks with graded judgements of whole documents."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from pathlib import Path

from pipelines.errors import DatasetError, shorten
from pipelines.golden.importers import Draft, Problem, importer
from pipelines.golden.importers.sources import need_file, need_folder
from pipelines.golden.importers.tables import Row, read_table
from pipelines.records import Document, Evidence, MetadataValue, Question, Split
from pipelines.stages.load import read_text
from pipelines.stages.load.files import holds
from pipelines.stages.load.reading import RuleError, clean, json_lines, named, read_bytes
from pipelines.stages.load.values import identifier, metadata_value

_WANTED = "a BEIR folder holds corpus.jsonl, queries.jsonl and qrels/test.tsv (also dev.tsv, train.tsv)"
_COLUMNS = ("query-id", "corpus-id", "score")
_ORDER: tuple[Split, ...] = ("test", "dev", "train")

Judgements = dict[str, dict[str, float]]


@importer("beir", "a folder with corpus.jsonl, queries.jsonl and qrels/*.tsv")
def read(src: Path) -> Draft:
    """Read the folder: evidence is whole documents, graded by score; the qrels file is the split."""
    folder = need_folder(src, _WANTED)
    corpus = need_file(folder, "corpus.jsonl", _WANTED)
    queries = need_file(folder, "queries.jsonl", _WANTED)
    draft = Draft(description="Questions with graded judgements of whole documents.", source=f"BEIR, {folder.name}")
    judged = {split: _judgements(path, draft) for split, path in _qrels(folder).items()}
    draft.documents += _documents(_rows(corpus), draft)
    texts = {identifier(row, "_id", where): clean(str(row.get("text") or "")) for where, row in _rows(queries)}
    _questions(texts, judged, draft)
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


def _questions(texts: Mapping[str, str], judged: Mapping[Split, Judgements], draft: Draft) -> None:
    several = 0
    seen: set[str] = set()
    for split, judgements in judged.items():
        for query, grades in judgements.items():
            if query in seen:
                several += 1
            elif query not in texts:
                message = (
                    f"qrels/{split}.tsv judges the query '{shorten(query, 60)}', which queries.jsonl does not have; "
                )
                draft.problems.append(Problem(query, message + "add it there."))
            else:
                evidence = tuple(Evidence(document, grade=grade) for document, grade in grades.items())
                draft.questions.append(Question(query, texts[query], split=split, evidence=evidence))
            seen.add(query)
    if several:
        draft.notices.append(
            f"Queries in several qrels files are kept in the first of test, dev, train (n: {several:,})."
        )
    if unjudged := len(texts.keys() - seen):
        draft.notices.append(f"Queries without any judgement were left out (n: {unjudged:,}).")
