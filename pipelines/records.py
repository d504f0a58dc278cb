"""The nouns that cross a seam: documents, questions, chunks, rankings. Columnar, immutable."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

MetadataValue: TypeAlias = str | int | float | bool
Split: TypeAlias = Literal["train", "dev", "test"]
SPLITS: tuple[Split, ...] = ("train", "dev", "test")

IntArray: TypeAlias = npt.NDArray[np.int32]
LongArray: TypeAlias = npt.NDArray[np.int64]
FloatArray: TypeAlias = npt.NDArray[np.float32]
DoubleArray: TypeAlias = npt.NDArray[np.float64]
BoolArray: TypeAlias = npt.NDArray[np.bool_]

PADDING = -1


@dataclass(frozen=True, slots=True)
class Document:
    """A source text with its id and flat metadata."""

    id: str
    text: str
    metadata: Mapping[str, MetadataValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Evidence:
    """A half-open character span `[start, end)` of a document that answers a question, or the whole document.

    `start` and `end` are both None for a whole document. Spans of one question that are alternatives share a `group`.
    A `grade` of 0 marks what was judged and found irrelevant.
    """

    document_id: str
    start: int | None = None
    end: int | None = None
    quote: str | None = None
    grade: float = 1.0
    group: str | None = None


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
class Column:
    """One metadata field over many rows, dictionary-encoded: a predicate is evaluated once a distinct value.

    `codes` is int32 [n_rows], an index into `values`, -1 where the row has no value.
    """

    codes: IntArray
    values: tuple[MetadataValue, ...]

    @classmethod
    def of(cls, rows: Iterable[MetadataValue | None]) -> Column:
        """Encode one value a row. `True`, `1` and `1.0` stay apart: the type is part of the value."""
        seen: dict[tuple[type, MetadataValue], int] = {}
        codes = [PADDING if v is None else seen.setdefault((type(v), v), len(seen)) for v in rows]
        return cls(np.asarray(codes, dtype=np.int32), tuple(value for _, value in seen))

    def take(self, rows: IntArray) -> Column:
        """Return the column at `rows`, an index array."""
        return Column(self.codes[rows], self.values)

    def __getitem__(self, row: int) -> MetadataValue | None:
        code = int(self.codes[row])
        return None if code == PADDING else self.values[code]


@dataclass(frozen=True)
class Documents:
    """All documents of a dataset, in a fixed order; a document is referred to by its position."""

    ids: tuple[str, ...]
    texts: tuple[str, ...]
    columns: Mapping[str, Column] = field(default_factory=dict)

    @classmethod
    def of(cls, documents: Sequence[Document]) -> Documents:
        """Turn rows into columns; a field that a document lacks is missing there."""
        names = sorted({name for d in documents for name in d.metadata})
        columns = {name: Column.of(d.metadata.get(name) for d in documents) for name in names}
        return cls(tuple(d.id for d in documents), tuple(d.text for d in documents), columns)

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, position: int) -> Document:
        values = {name: column[position] for name, column in self.columns.items()}
        metadata = {name: value for name, value in values.items() if value is not None}
        return Document(self.ids[position], self.texts[position], metadata)

    @cached_property
    def position(self) -> Mapping[str, int]:
        """Where each id stands."""
        return {document_id: i for i, document_id in enumerate(self.ids)}


@dataclass(frozen=True)
class Chunks:
    """Pieces of documents, columnar: `documents.texts[document[i]][start[i]:end[i]]` is the text of chunk i.

    Every array has shape [n_chunks], in order of document and start. `context_start` and `context_end` bound what is
    handed on when the chunk is hit (equal to the chunk unless a chunker widens it); `tokens` is the length of that
    context span in tokens of cl100k_base, filled in by the pipeline after chunking.
    """

    document: IntArray
    start: IntArray
    end: IntArray
    context_start: IntArray
    context_end: IntArray
    tokens: IntArray
    columns: Mapping[str, Column] = field(default_factory=dict)

    @classmethod
    def of(cls, document: npt.ArrayLike, start: npt.ArrayLike, end: npt.ArrayLike) -> Chunks:
        """Build chunks whose context span is the chunk itself; tokens are 0 until counted."""
        rows, first, last = (np.asarray(a, dtype=np.int32).reshape(-1) for a in (document, start, end))
        return cls(rows, first, last, first, last, np.zeros(len(rows), dtype=np.int32))

    def __len__(self) -> int:
        return len(self.document)

    def text(self, documents: Documents, i: int) -> str:
        """Return the text of chunk `i`."""
        return documents.texts[int(self.document[i])][int(self.start[i]) : int(self.end[i])]

    def texts(self, documents: Documents) -> list[str]:
        """Return the text of every chunk, in order."""
        spans = zip(self.document.tolist(), self.start.tolist(), self.end.tolist(), strict=True)
        return [documents.texts[d][s:e] for d, s, e in spans]

    def context_texts(self, documents: Documents) -> list[str]:
        """Return what is handed on for every chunk, in order."""
        spans = zip(self.document.tolist(), self.context_start.tolist(), self.context_end.tolist(), strict=True)
        return [documents.texts[d][s:e] for d, s, e in spans]


@dataclass(frozen=True)
class Queries:
    """What is searched for: one or more texts a question. `question` is int32 [n_queries], in order of question."""

    question: IntArray
    texts: tuple[str, ...]
    n_questions: int

    @classmethod
    def of(cls, texts: Sequence[str]) -> Queries:
        """Build one query a question."""
        return cls(np.arange(len(texts), dtype=np.int32), tuple(texts), len(texts))


@dataclass(frozen=True)
class Candidates:
    """Which chunks a search may return, before it searches.

    `allowed` is bool [n_masks, n_chunks]; `mask` is int32 [n_questions], the row that holds for a question, or -1
    where every chunk may be returned.
    """

    mask: IntArray
    allowed: BoolArray

    @classmethod
    def everything(cls, n_questions: int, n_chunks: int) -> Candidates:
        """Return candidates that leave out nothing."""
        return cls(np.full(n_questions, PADDING, dtype=np.int32), np.zeros((0, n_chunks), dtype=np.bool_))

    def groups(self) -> list[tuple[LongArray, BoolArray | None]]:
        """Return the questions that share a mask, each with that mask [n_chunks] (None: every chunk)."""
        return [
            (np.flatnonzero(self.mask == m), None if m == PADDING else self.allowed[m]) for m in np.unique(self.mask)
        ]


@dataclass(frozen=True)
class Rankings:
    """For every question, chunks in order with falling scores; ranks start at 1, so rank r is column r - 1.

    `chunk` is int32 and `score` float32, both [n_questions, depth]; a row that is shorter ends in -1 (score 0).
    """

    chunk: IntArray
    score: FloatArray

    @classmethod
    def empty(cls, n_questions: int, depth: int) -> Rankings:
        """Return rankings without a single hit."""
        chunk = np.full((n_questions, depth), PADDING, dtype=np.int32)
        return cls(chunk, np.zeros((n_questions, depth), dtype=np.float32))

    @property
    def n_questions(self) -> int:
        """Number of rows."""
        return int(self.chunk.shape[0])

    @property
    def depth(self) -> int:
        """Greatest number of chunks in a row."""
        return int(self.chunk.shape[1])

    def cut(self, k: int) -> Rankings:
        """Return the first `k` ranks."""
        return Rankings(self.chunk[:, :k], self.score[:, :k])


class Searchable(Protocol):
    """An opened index."""

    def search(self, queries: FloatArray, depth: int, allowed: BoolArray | None) -> Rankings:
        """Return the nearest chunks of each query [n_queries, dimensions], at most `depth`, scores falling.

        Only chunks that `allowed` [n_chunks] marks are searched (None: all); never fewer than `depth` are returned
        while that many are allowed.
        """
        ...


@dataclass(frozen=True)
class Gold:
    """The relevant evidence (grade above 0) of the questions under evaluation, columnar.

    Arrays have shape [n_evidence], in order of question. A whole document is the span of its full text. `group`
    numbers the groups of alternatives through the whole set: equal numbers only within one question, 0 to n_groups - 1.
    """

    n_questions: int
    question: IntArray
    document: IntArray
    start: IntArray
    end: IntArray
    grade: DoubleArray
    group: IntArray

    @classmethod
    def of(cls, questions: Sequence[Question], documents: Documents) -> Gold:
        """Resolve the evidence of `questions` against `documents`; evidence of grade 0 is left out.

        Raises:
            KeyError: for evidence in a document that is not there (`Dataset` has checked that before).
        """
        rows: list[tuple[int, int, int, int, float, int]] = []
        groups: dict[tuple[int, str], int] = {}
        for q, question in enumerate(questions):
            for i, item in enumerate(question.evidence):
                if item.grade <= 0:
                    continue
                d = documents.position[item.document_id]
                start = 0 if item.start is None else item.start
                end = len(documents.texts[d]) if item.end is None else item.end
                label = f"group {item.group}" if item.group is not None else f"alone {i}"
                rows.append((q, d, start, end, item.grade, groups.setdefault((q, label), len(groups))))
        ints = np.asarray([(q, d, s, e, g) for q, d, s, e, _, g in rows], dtype=np.int32).reshape(-1, 5)
        grade = np.asarray([row[4] for row in rows], dtype=np.float64)
        question_, document, start_, end_, group = ints.T
        return cls(len(questions), question_, document, start_, end_, grade, group)


@dataclass(frozen=True)
class Metric:
    """The declaration of one measured column: what a table must know to show and compare it.

    `name` includes the cut-off (`recall@5`, `recall@2000tok`); `family` does not (`recall`) and names the docs page.
    `unit` is None for a share in [0, 1].
    """

    name: str
    family: str
    higher_is_better: bool
    unit: str | None = None


@dataclass(frozen=True)
class Scores:
    """Per-question values of many metrics.

    `values` is float64 [n_questions, n_metrics], NaN inside this record only, where a question could not be scored;
    `reason` is int16 of the same shape: 0 where scored, else the number of the reason in `reasons` (entry 0 is "").
    """

    metrics: tuple[Metric, ...]
    values: DoubleArray
    reason: npt.NDArray[np.int16]
    reasons: tuple[str, ...] = ("",)

    def column(self, name: str) -> DoubleArray:
        """Return the values of one metric, float64 [n_questions].

        Raises:
            KeyError: for a metric that was not measured.
        """
        for i, metric in enumerate(self.metrics):
            if metric.name == name:
                return self.values[:, i]
        raise KeyError(name)
