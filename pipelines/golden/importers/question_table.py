"""Questions in a table: one row a piece of evidence."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from pipelines.errors import shorten
from pipelines.golden.importers.aliases import Aliases
from pipelines.golden.importers.draft import Draft, Problem
from pipelines.golden.importers.tables import Row, read_table
from pipelines.golden.rows import split_of
from pipelines.records import Evidence, Question, Split
from pipelines.stages.load.reading import RuleError, clean

REQUIRED = ("question", "answer", "document_id", "quote")
OPTIONAL = ("id", "split", "tags")


@dataclass
class _Entry:
    """A question as its rows make it."""

    id: str
    text: str
    answer: str = ""
    split: Split | None = None
    tags: dict[str, None] = field(default_factory=dict)
    evidence: dict[Evidence, None] = field(default_factory=dict)

    def question(self, question_id: str) -> Question:
        return Question(
            question_id, self.text, self.answer or None, self.split, tuple(self.tags), {}, tuple(self.evidence)
        )


def read_questions_table(text: str, where: str, aliases: Aliases, draft: Draft) -> None:
    """Add the questions of a table to the draft; rows with the same id, or else the same question, are one question.

    Raises:
        DatasetError: for a missing column, or a table that is none.
    """
    table = read_table(text, where, REQUIRED)
    unread = [shorten(name, 40) for name in table.columns if name not in REQUIRED + OPTIONAL and name]
    if unread:
        draft.notices.append(f"Columns that are not read: {', '.join(unread)}.")
    reader = _Reader(where, aliases, draft)
    for row in table.rows:
        reader.add(row)
    draft.questions += reader.questions()


class _Reader:
    def __init__(self, where: str, aliases: Aliases, draft: Draft) -> None:
        self.where, self.aliases, self.draft = where, aliases, draft
        self.by_id: dict[str, _Entry] = {}
        self.by_text: dict[str, _Entry] = {}
        self.entries: list[_Entry] = []

    def add(self, row: Row) -> None:
        """Take one row; what is wrong with it is a problem, and the row is passed over."""
        entry = None if row.wrong else self._entry(clean(row["id"].strip()), clean(row["question"].strip()))
        if isinstance(entry, _Entry):
            self._fill(entry, row)
            return
        what = entry or row.wrong
        question_id = clean(row["id"].strip()) or None
        message = f"{self.where}, line {row.line}: {what}; the row is left out: correct it."
        self.draft.problems.append(Problem(question_id, message))
        if question_id and question_id in self.by_id:
            self.draft.failed.add(question_id)

    def _entry(self, row_id: str, text: str) -> _Entry | str:
        """Return the entry a row belongs to, or what is wrong."""
        known = self.by_id.get(row_id) if row_id else self.by_text.get(text)
        if known is None and not text:
            return "it has no question"
        if known is None:
            return self._new(row_id, text)
        if text and text != known.text:
            return f"the id '{shorten(row_id, 60)}' is already that of another question, '{shorten(known.text)}'"
        return known

    def _new(self, row_id: str, text: str) -> _Entry:
        entry = _Entry(row_id, text)
        self.entries.append(entry)
        self.by_text.setdefault(text, entry)
        if row_id:
            self.by_id[row_id] = entry
        return entry

    def _fill(self, entry: _Entry, row: Row) -> None:
        entry.answer = entry.answer or clean(row["answer"].strip())
        entry.tags |= dict.fromkeys(tag for part in re.split("[;,]", row["tags"]) if (tag := clean(part.strip())))
        self._split(entry, row)
        name, quote = self.aliases.find(clean(row["document_id"])), clean(row["quote"])
        if name or quote.strip():
            entry.evidence[Evidence(name, quote=quote if quote.strip() else None)] = None

    def _split(self, entry: _Entry, row: Row) -> None:
        where = f"{self.where}, line {row.line}"
        try:
            split = split_of(row["split"].strip().lower(), where)
        except RuleError as error:
            self.draft.problems.append(Problem(entry.id or None, str(error)))
            return
        if split and entry.split and split != entry.split:
            message = (
                f"{where}: the split is {split}, but the same question was in {entry.split} before, where it stays."
            )
            self.draft.problems.append(Problem(entry.id or None, message))
        entry.split = entry.split or split

    def questions(self) -> list[Question]:
        """Return the questions, in order; one without an id is called by its number."""
        found = []
        for number, entry in enumerate(self.entries, start=1):
            question_id = entry.id or f"q{number:04d}"
            while not entry.id and question_id in self.by_id:
                question_id += "-"
            found.append(entry.question(question_id))
        return found
