"""Judging in a spreadsheet: the queue as a table with a column for the grade, and the filled table read again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipelines.errors import ConfigurationError, DatasetError, shorten
from pipelines.golden.importers.tables import Row, read_table
from pipelines.golden.quotes import Found, find_quote
from pipelines.judging.judgments import Judgment, checked
from pipelines.judging.queue import Queue
from pipelines.records import Documents, Question
from pipelines.runs.table import rows_to_csv

COLUMNS = (
    "grade", "quote", "judge", "note", "question", "answer", "passage", "question_id", "document_id", "start", "end",
    "best_rank", "documents_version",
)  # fmt: skip
REQUIRED = ("grade", "question_id", "document_id", "start", "end", "documents_version")
WORDS: Mapping[str, float] = {"n": 0.0, "no": 0.0, "irrelevant": 0.0, "p": 0.5, "partly": 0.5, "y": 1.0, "yes": 1.0}
"""What may stand in the place of a grade: of a question's usual grade, none, half, or all."""


_Passage = tuple[str, int, int]


@dataclass(frozen=True)
class Problem:
    """A row that could not be read: the line it ends on, and why."""

    line: int
    message: str


@dataclass(frozen=True)
class Filled:
    """What a filled table says: judgements, rows without one, and problems."""

    judgments: tuple[Judgment, ...]
    n_empty: int
    problems: tuple[Problem, ...]


def to_csv(queue: Queue, judge: str = "") -> str:
    """Return the queue as CSV; `grade` takes 0 to 3, or y, n, p. Text that a spreadsheet would run is disarmed."""
    rows = [
        {
            "grade": None,
            "quote": "",
            "judge": judge,
            "note": "",
            "question": item.question,
            "answer": item.answer or "",
            "passage": item.text,
            "question_id": item.question_id,
            "document_id": item.document_id,
            "start": item.start,
            "end": item.end,
            "best_rank": min(item.ranks.values()),
            "documents_version": queue.documents_version,
        }
        for item in queue.items
    ]
    return rows_to_csv(COLUMNS, rows)


def from_csv(
    text: str,
    where: str,
    questions: Sequence[Question],
    documents: Documents,
    documents_version: str,
    judge: str = "",
) -> Filled:
    """Read a filled table. Rows without a grade are passed over; `judge` stands for an empty name.

    Raises:
        DatasetError: for a missing column, a table that is none, or one made from other documents.
    """
    reader = _Reader({question.id: question for question in questions}, documents, judge)
    table = read_table(text, where, REQUIRED)
    for row in table.rows:
        version = _plain(row["documents_version"]).strip()
        if version != documents_version:
            raise DatasetError(
                f"{where}, line {row.line}: the passages are of documents version '{shorten(version, 20)}', and the "
                f"dataset's is {documents_version}; export the queue again."
            )
    found = [reader.read(row) for row in table.rows]
    return Filled(
        tuple(one for one in found if isinstance(one, Judgment)),
        sum(one is None for one in found),
        tuple(one for one in found if isinstance(one, Problem)),
    )


def _plain(cell: str) -> str:
    """Return a cell without the apostrophe that kept a spreadsheet from running it."""
    return cell[1:] if cell.startswith("'") and cell[1:2] in ("=", "+", "-", "@", "\t", "\r", "\n") else cell


@dataclass(frozen=True)
class _Reader:
    questions: Mapping[str, Question]
    documents: Documents
    judge: str

    def read(self, row: Row) -> Judgment | Problem | None:
        """Return the judgement of a row, None where nothing was judged."""
        if row.wrong:
            return Problem(row.line, f"{row.wrong}; the row is left out")
        if not row["grade"].strip():
            return None
        try:
            return self._judgment(row)
        except (ConfigurationError, ValueError) as error:
            return Problem(row.line, f"{shorten(error, 200)}")

    def _judgment(self, row: Row) -> Judgment:
        question, (document_id, start, end) = self._question(row), self._passage(row)
        judge = shorten(_plain(row["judge"]), 80) or self.judge
        quote = self._quote(row, document_id, start, end)
        first, last = (None, None) if quote is None else quote
        grade, note = _grade(row["grade"], question), shorten(_plain(row["note"]), 500)
        return checked(Judgment(question.id, question.text, document_id, start, end, grade, judge, first, last, note))

    def _question(self, row: Row) -> Question:
        for name in (row["question_id"], _plain(row["question_id"])):
            if name in self.questions:
                return self.questions[name]
        raise ValueError(f"the dataset has no question '{shorten(row['question_id'], 60)}'; do not change that column")

    def _passage(self, row: Row) -> _Passage:
        start, end = (_whole(row[name], name) for name in ("start", "end"))
        for name in (row["document_id"], _plain(row["document_id"])):
            position = self.documents.position.get(name)
            if position is not None and 0 <= start < end <= len(self.documents.texts[position]):
                return name, start, end
        found = f"{start} to {end} of '{shorten(row['document_id'], 60)}'"
        raise ValueError(f"the dataset has no passage {found}; do not change these columns")

    def _quote(self, row: Row, document_id: str, start: int, end: int) -> tuple[int, int] | None:
        quote = _plain(row["quote"])
        if not quote.strip():
            return None
        found = find_quote(quote, self.documents.texts[self.documents.position[document_id]][start:end])
        if not isinstance(found, Found):
            raise ValueError(f"the quote '{shorten(quote)}' is not in the passage ({found.why}); copy it from there")
        return start + found.start, start + found.end


def _whole(cell: str, name: str) -> int:
    text = cell.strip().removesuffix(".0")
    if text.isdecimal():
        return int(text)
    raise ValueError(f"'{name}' is '{shorten(cell, 40)}', not a whole number; do not change that column")


def _grade(cell: str, question: Question) -> float:
    """Return the grade: a number, with a decimal point or comma, or a word that stands for one."""
    text = cell.strip().lower()
    usual = min(max((item.grade for item in question.evidence if item.grade > 0), default=1.0), 3.0)
    if text in WORDS:
        return WORDS[text] * usual
    try:
        return float(text.replace(",", "."))
    except ValueError:
        raise ValueError(f"the grade is '{shorten(cell, 40)}'; write 0 to 3, or y, n or p") from None
