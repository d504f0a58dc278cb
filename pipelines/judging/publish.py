"""Judgements to a new version of a dataset: in a folder of its own, or in its place with the old questions kept."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from uuid import uuid4

from pipelines.errors import DatasetError, counted, shorten, storage_errors
from pipelines.golden.dataset import Dataset
from pipelines.golden.manifest import MANIFEST_FILE
from pipelines.golden.opening import QUESTIONS_FILE
from pipelines.golden.serialise import evidence_row
from pipelines.judging.judgments import Judgment, Place, grades
from pipelines.judging.settle import Settlement, settle
from pipelines.records import PAGE, Documents, Evidence, Question
from pipelines.stages.load import document_files
from pipelines.stages.load.reading import named

JUDGMENTS_FILE = "judgments.jsonl"


@dataclass(frozen=True)
class Published:
    """The new version of a dataset, and what went into it; `kept` is where the old questions lie, when in place."""

    path: Path
    name: str
    old_version: str
    new_version: str
    n_questions: int
    n_relevant: int
    n_irrelevant: int
    n_judges: int
    left_out: tuple[tuple[Place, str], ...]
    kept: Path | None

    def summary(self) -> str:
        """Say in a few sentences what was written, and where."""
        where = f"{self.path}" if self.kept is None else f"{self.path}, the old questions kept as {self.kept.name}"
        asked = counted(self.n_questions, "question")
        what = f"{self.n_relevant:,} relevant and {self.n_irrelevant:,} irrelevant passages of {asked}"
        judges = "1 person" if self.n_judges == 1 else f"{self.n_judges:,} people"
        found = f"Version {self.new_version[:8]} of '{shorten(self.name)}' (it was {self.old_version[:8]})"
        left = f" Left out: {len(self.left_out):,} judged passages." if self.left_out else ""
        return f"{found} is in {where}: {what}, judged by {judges}.{left}"


def publish(
    dataset: Dataset,
    documents: Documents,
    questions: Sequence[Question],
    latest: Mapping[tuple[str, Place], Judgment],
    dest: Path | None,
) -> Published:
    """Write a new version of `dataset` with what was judged, into the new folder `dest` (None: in its place).

    All or nothing: a reader finds the old version or the new one. The judgements, with who made them, are kept beside
    it in a file that no version depends on. `questions` have their evidence located in `documents`.

    Raises:
        DatasetError: when nothing was judged that changes it, `dest` is taken, or the dataset changed meanwhile.
        StorageError: when the disk refuses; what was there is left as it was.
    """
    settlement = settle(questions, documents, latest)
    if not settlement.changed:
        why = f" ({settlement.left_out[0][1]})" if settlement.left_out else ""
        raise DatasetError(
            f"Nothing was judged that changes '{shorten(dataset.name)}'{why}, so nothing was written; judge some first."
        )
    if Dataset.open(dataset.path).version != dataset.version:
        raise DatasetError(f"The dataset {named(dataset.path)} changed while it was judged; start again.")
    text = _questions_text(dataset, documents, settlement)
    said = [one for some in grades(latest).values() for one in some]
    kept = None
    if dest is None:
        kept = _in_place(dataset, text, said)
    else:
        _beside(dataset, text, said, dest)
    written = Dataset.open(dataset.path if dest is None else dest)
    return Published(
        path=written.path,
        name=written.name,
        old_version=dataset.version,
        new_version=written.version,
        n_questions=len(settlement.changed),
        n_relevant=sum(one.relevant for one in settlement.changed),
        n_irrelevant=sum(one.irrelevant for one in settlement.changed),
        n_judges=settlement.n_judges,
        left_out=settlement.left_out,
        kept=kept,
    )


def _questions_text(dataset: Dataset, documents: Documents, settlement: Settlement) -> str:
    """Return questions.jsonl with the rows that change replaced; all else stays to the byte."""
    # By bytes: a text file's lines would come back with other line ends.
    lines = (dataset.path / QUESTIONS_FILE).read_bytes().decode("utf-8-sig").split("\n")
    rows = {question.id: line - 1 for line, question in zip(dataset.lines, dataset.questions, strict=True)}
    for one in settlement.changed:
        at = rows[one.question.id]
        row = json.loads(lines[at])
        row["evidence"] = _evidence_rows(row.get("evidence") or [], one.question, documents)
        end = "\r" if lines[at].endswith("\r") else ""
        lines[at] = json.dumps(row, ensure_ascii=False) + end
    return "\n".join(lines)


def _evidence_rows(
    old: Sequence[Mapping[str, object]], question: Question, documents: Documents
) -> list[dict[str, object]]:
    """Return the rows of evidence: those that were there as they were, but for a group or one judged better since."""
    known = [_Row(row) for row in old]
    rows: list[dict[str, object]] = []
    for item in question.evidence:
        before = next((row for row in known if row.means(item)), None)
        if before is None:
            rows.append(evidence_row(_paged(item, documents)))
        else:
            rows.append({**before.row, **({"group": item.group} if item.group is not None else {})})
    return rows


@dataclass(frozen=True)
class _Row:
    """A row of evidence as it stands in the file."""

    row: Mapping[str, object]

    def means(self, item: Evidence) -> bool:
        """Return whether it is this piece of evidence: by its grade and its span, else its quote."""
        if (1 if self.row.get("grade") is None else self.row["grade"]) != item.grade:
            return False
        if self.row.get("document_id") not in (item.document_id, _number(item.document_id)):
            return False
        if self.row.get("start") is not None or self.row.get("quote") is None:
            return (self.row.get("start"), self.row.get("end")) == (item.start, item.end)
        return item.quote is not None and _same_words(str(self.row["quote"]), item.quote)


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() else None


def _same_words(a: str, b: str) -> bool:
    return a == b or "".join(c for c in a if c.isalnum()) == "".join(c for c in b if c.isalnum())


def _paged(item: Evidence, documents: Documents) -> Evidence:
    """Return evidence with the page that it begins on, where its document has pages: other parsings find it by that."""
    pages, position = documents.marks.get(PAGE), documents.position[item.document_id]
    marks = [] if pages is None or item.start is None else pages.of_document(position)
    page = next((value for start, end, value in marks if start <= (item.start or 0) < end), None)
    return replace(item, page=page) if isinstance(page, int) else item


def _in_place(dataset: Dataset, text: str, said: Iterable[Judgment]) -> Path:
    """Exchange questions.jsonl in one step; the old one stays beside it, called by its version."""
    path = dataset.path / QUESTIONS_FILE
    kept = path.with_name(f"questions-{dataset.version[:8]}.jsonl")
    aside = path.with_name(f".{uuid4().hex}.tmp")
    with storage_errors(path, "write the new questions"):
        try:
            shutil.copyfile(path, kept)
            _write(aside, text)
            _write(dataset.path / JUDGMENTS_FILE, _lines(said))
            aside.replace(path)
        finally:
            aside.unlink(missing_ok=True)
    return kept


def _beside(dataset: Dataset, text: str, said: Iterable[Judgment], dest: Path) -> None:
    """Write a whole dataset folder aside, then rename it."""
    if dest.exists() or dest.is_symlink():
        raise DatasetError(f"{named(dest)} is there already; choose another place for the new version.")
    aside = dest.parent / f".writing-{uuid4().hex}"
    with storage_errors(dest, "write the dataset"):
        try:
            for path in [*document_files(dataset.path), dataset.path / MANIFEST_FILE]:
                if path.is_file():
                    target = aside / path.relative_to(dataset.path)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(path, target)
            if not (aside / MANIFEST_FILE).exists():
                _write(aside / MANIFEST_FILE, json.dumps({"name": dataset.name}, ensure_ascii=False) + "\n")
            _write(aside / QUESTIONS_FILE, text)
            _write(aside / JUDGMENTS_FILE, _lines(said))
            aside.rename(dest)
        finally:
            shutil.rmtree(aside, ignore_errors=True)


def _lines(said: Iterable[Judgment]) -> str:
    return "".join(json.dumps(asdict(one), ensure_ascii=False) + "\n" for one in said)


def _write(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8", errors="replace", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
