"""What is asked and what is right: questions, their evidence, and the same as columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from pipelines.records.corpus import Documents
from pipelines.records.values import BoolArray, DoubleArray, IntArray, MetadataValue, Split


@dataclass(frozen=True, slots=True)
class Evidence:
    """A half-open character span `[start, end)` of a document that answers a question, or the whole document.

    `start` and `end` are both None for a whole document. Spans of one question that are alternatives share a `group`.
    `page` (from 1) says where the quote stands in a file of pages. A `grade` of 0 marks what was judged and found
    irrelevant.
    """

    document_id: str
    start: int | None = None
    end: int | None = None
    quote: str | None = None
    grade: float = 1.0
    group: str | None = None
    page: int | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """A question with its gold. Without evidence it is *unanswerable*, a case of its own."""

    id: str
    text: str
    answer: str | None = None
    split: Split | None = None
    tags: tuple[str, ...] = ()
    filter: Mapping[str, MetadataValue] = field(default_factory=dict)
    evidence: tuple[Evidence, ...] = ()

    @property
    def answerable(self) -> bool:
        """Whether any evidence is relevant (grade above 0)."""
        return any(item.grade > 0 for item in self.evidence)


@dataclass(frozen=True)
class Gold:
    """The relevant evidence (grade above 0) of the questions under evaluation, columnar.

    Arrays have shape [n_evidence], in order of question. A whole document is the span of its full text. `group`
    numbers the groups of alternatives through the whole set: equal numbers only within one question, 0 to n_groups - 1.

    `located` is false for evidence whose quote is not in the parsed text (None: all of it is there). Such evidence
    has a span of its own behind the end of its document, as long as its quote, or in a document of its own behind the
    last where the file could not be parsed: no chunk covers it, so that every metric counts it as missed.
    """

    n_questions: int
    question: IntArray
    document: IntArray
    start: IntArray
    end: IntArray
    grade: DoubleArray
    group: IntArray
    located: BoolArray | None = None

    @classmethod
    def of(cls, questions: Sequence[Question], documents: Documents) -> Gold:
        """Lay out the evidence of `questions`, resolved against `documents`; evidence of grade 0 is left out.

        Evidence with a quote and no span is not located.
        """
        layout = _Layout(documents)
        for q, question in enumerate(questions):
            for i, item in enumerate(question.evidence):
                if item.grade > 0:
                    layout.add(q, i, item)
        return layout.gold(len(questions))


@dataclass
class _Layout:
    """Evidence on its way into columns."""

    documents: Documents
    rows: list[tuple[int, int, int, int, int]] = field(default_factory=list)
    grades: list[float] = field(default_factory=list)
    located: list[bool] = field(default_factory=list)
    groups: dict[tuple[int, str], int] = field(default_factory=dict)
    beyond: dict[int, int] = field(default_factory=dict)
    absent: dict[str, int] = field(default_factory=dict)

    def add(self, q: int, i: int, item: Evidence) -> None:
        """Append evidence `i` of question `q`."""
        label = f"group {item.group}" if item.group is not None else f"alone {i}"
        group = self.groups.setdefault((q, label), len(self.groups))
        located, *place = self._placed(item)
        self.rows.append((q, place[0], place[1], place[2], group))
        self.grades.append(item.grade)
        self.located.append(bool(located))

    def _placed(self, item: Evidence) -> tuple[bool, int, int, int]:
        document = self.documents.position.get(item.document_id)
        if document is None:
            document = len(self.documents) + self.absent.setdefault(item.document_id, len(self.absent))
            return (False, document, *self._behind(document, 0, item))
        length = len(self.documents.texts[document])
        if item.start is None and item.quote is not None:
            return (False, document, *self._behind(document, length, item))
        start = 0 if item.start is None else item.start
        return True, document, start, length if item.end is None else item.end

    def _behind(self, document: int, length: int, item: Evidence) -> tuple[int, int]:
        """Return a span behind all that is there: equal quotes of one document stand apart, as equal spans would not.

        One character lies between, so that two never merge into one region.
        """
        size = max(len(item.quote or ""), (item.end or 0) - (item.start or 0), 1)
        start = max(self.beyond.get(document, 0), length) + 1
        self.beyond[document] = start + size
        return start, start + size

    def gold(self, n_questions: int) -> Gold:
        """Return the columns."""
        ints = np.asarray(self.rows, dtype=np.int32).reshape(-1, 5)
        question, document, start, end, group = ints.T
        grade, located = np.asarray(self.grades, dtype=np.float64), np.asarray(self.located, dtype=np.bool_)
        return Gold(n_questions, question, document, start, end, grade, group, None if located.all() else located)
