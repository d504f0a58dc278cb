"""A dataset folder read as far as it can be: what is sound, and all that is not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from pipelines.cache import Cache
from pipelines.errors import DatasetError, shorten
from pipelines.golden.manifest import Manifest, read_manifest
from pipelines.golden.opening import QUESTIONS_FILE, refuse_other_than_dataset, refuse_second
from pipelines.golden.origin import Origin, Texts, origin_of
from pipelines.golden.resolve import located_in
from pipelines.golden.rows import place, question_rows
from pipelines.records import Document, Documents, Evidence, Question
from pipelines.settings import cache_folder
from pipelines.stages.load import folder_is_given, loaders
from pipelines.stages.load.reading import RuleError, clean, named, read_bytes, reading

T = TypeVar("T")


@dataclass(frozen=True)
class Contents:
    """What a folder holds. Questions keep the evidence that fits; `broken` are the ids of those with errors.

    `unread` and `notes` tell of files; `lost` names evidence that is not in the parsed text, `ambiguous` evidence that
    could be meant to be at several places there.
    """

    path: Path
    manifest: Manifest
    documents: Documents
    questions: tuple[Question, ...]
    broken: frozenset[str]
    errors: tuple[DatasetError, ...]
    unread: tuple[DatasetError, ...] = ()
    notes: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    ambiguous: tuple[str, ...] = ()

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
    unread: list[DatasetError] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    ambiguous: list[str] = field(default_factory=list)

    def attempt(self, default: T, read: Callable[[], T]) -> T:
        try:
            with reading(self.folder):
                return read()
        except DatasetError as error:
            self.errors.append(error)
            return default

    def documents(self) -> list[Document]:
        found = loaders()["auto"]().survey(self.folder, cache=Cache(cache_folder()))
        errors = [failure.error for failure in found.failures]
        # Beside files that were read, one that was not is left out, and the dataset can be used.
        (self.errors if folder_is_given(self.folder) or not found.documents else self.unread).extend(errors)
        self.notes += [note for _, note in found.notes]
        return list(found.documents)

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

    def located(self, question: Question, where: str, texts: Texts) -> Question:
        """Return the question with the evidence that fits its document."""
        fits: list[Evidence] = []
        for number, item in enumerate(question.evidence, start=1):
            name = f"{shorten(question.id, 60)}, evidence {number}"
            try:
                found = located_in(item, texts, place(where, question.id))
            except RuleError as error:
                self.errors.append(error)
                self.broken.add(question.id)
                continue
            if found.lost:
                self.lost.append(f"{name}: {found.lost}")
                self.broken.add(question.id)
                continue
            self.ambiguous += [f"{name}: {found.places} places"] if found.places > 1 else []
            fits.append(found.evidence)
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
        texts = Texts(documents, reader.attempt(Origin(), lambda: origin_of(folder)))
        questions = tuple(reader.located(question, where, texts) for where, question in rows)
    else:  # one error says that documents are missing; a thousand more would not help
        questions = tuple(replace(question, evidence=()) for _, question in rows)
        reader.broken.update(question.id for _, question in rows if question.evidence)
    return Contents(
        folder,
        manifest,
        documents,
        questions,
        frozenset(reader.broken),
        tuple(reader.errors),
        tuple(reader.unread),
        tuple(reader.notes),
        tuple(reader.lost),
        tuple(reader.ambiguous),
    )
