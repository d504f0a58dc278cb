"""A dataset folder read as far as it can be: what is sound, and all that is not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from pipelines.errors import DatasetError
from pipelines.golden.manifest import Manifest, read_manifest
from pipelines.golden.opening import QUESTIONS_FILE, refuse_other_than_dataset, refuse_second
from pipelines.golden.resolve import locate
from pipelines.golden.rows import place, question_rows
from pipelines.records import Document, Documents, Evidence, Question
from pipelines.stages.load import loaders
from pipelines.stages.load.reading import RuleError, clean, named, read_bytes, reading

T = TypeVar("T")


@dataclass(frozen=True)
class Contents:
    """What a folder holds. Questions keep the evidence that fits; `broken` are the ids of those with errors."""

    path: Path
    manifest: Manifest
    documents: Documents
    questions: tuple[Question, ...]
    broken: frozenset[str]
    errors: tuple[DatasetError, ...]

    @property
    def spans(self) -> list[tuple[Question, Evidence, int, int]]:
        """All evidence that fits, with its question, start and end."""
        rows = [(question, item) for question in self.questions for item in question.evidence]
        return [(q, e, *self.bounds(e)) for q, e in rows]

    def bounds(self, item: Evidence) -> tuple[int, int]:
        """Return start and end; a whole document ends where its text ends."""
        if item.start is not None and item.end is not None:
            return item.start, item.end
        return 0, len(self.documents.texts[self.documents.position[item.document_id]])


@dataclass
class _Reader:
    folder: Path
    errors: list[DatasetError] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)

    def attempt(self, default: T, read: Callable[[], T]) -> T:
        try:
            with reading(self.folder):
                return read()
        except DatasetError as error:
            self.errors.append(error)
            return default

    def documents(self) -> list[Document]:
        found: list[Document] = []
        for item in loaders()["auto"]().attempt_folder(self.folder):
            if isinstance(item, Document):
                found.append(item)
            else:
                self.errors.append(item)
        return found

    def questions(self) -> list[tuple[str, Question]]:
        path, lines = self.folder / QUESTIONS_FILE, dict[str, int]()
        where, found = named(path), list[tuple[str, Question]]()
        for line, question, errors in question_rows(read_bytes(path), where):
            self.errors += errors
            if question is None:
                continue
            if errors:
                self.broken.add(question.id)
            try:
                refuse_second(question.id, line, lines, where)
                found.append((f"{where}, line {line}", question))
            except RuleError as error:
                self.errors.append(error)
        return found

    def located(self, question: Question, where: str, documents: Documents) -> Question:
        """Return the question with the evidence that fits its document."""
        fits: list[Evidence] = []
        for item in question.evidence:
            try:
                fits.append(locate(item, documents, place(where, question.id)))
            except RuleError as error:
                self.errors.append(error)
                self.broken.add(question.id)
        return replace(question, evidence=tuple(fits))


def read_contents(folder: Path) -> Contents:
    """Read a dataset folder without stopping at what is wrong.

    Raises:
        DatasetError: when it is no dataset folder at all.
    """
    with reading(folder):
        refuse_other_than_dataset(folder)
    reader = _Reader(folder)
    manifest = reader.attempt(Manifest(clean(folder.resolve().name)), lambda: read_manifest(folder))
    documents = Documents.of(reader.attempt([], reader.documents))
    nothing: list[tuple[str, Question]] = []
    rows = reader.attempt(nothing, reader.questions)
    if documents:
        questions = tuple(reader.located(question, where, documents) for where, question in rows)
    else:  # one error says that documents are missing; a thousand more would not help
        questions = tuple(replace(question, evidence=()) for _, question in rows)
        reader.broken.update(question.id for _, question in rows if question.evidence)
    return Contents(folder, manifest, documents, questions, frozenset(reader.broken), tuple(reader.errors))
