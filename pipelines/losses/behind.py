"""The questions behind a loss: their evidence, how much of it was lost, and where its chunk stood before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipelines.losses.fates import Fates
from pipelines.losses.stages import HANDED_ON, LABELS, STAGES, number
from pipelines.records import PADDING, Evidence, LongArray, Question

_QUOTE_CHARS = 400


@dataclass(frozen=True)
class LostEvidence:
    """A part of a piece of evidence that one stage lost: `share` of all the question's evidence, `chars` long.

    `number` counts the question's pieces of evidence from 1. `quote` is the piece, not only its lost part; None where
    it is not to be had. `chunk_start` to `chunk_end` is what would have been handed on with the chunk that came
    nearest; `rank_before` is its rank before reranking and `rank` the one after, None where it had none.
    `alternative_found` says that another piece of its group of alternatives was handed on, at least in part.
    """

    stage: str
    number: int
    document_id: str | None
    quote: str | None
    chars: int
    share: float
    rank_before: int | None
    rank: int | None
    chunk_start: int | None
    chunk_end: int | None
    alternative_found: bool

    def sentence(self) -> str:
        """Say in words what happened to it."""
        if self.stage in ("cut", "budget", "rerank") and self.rank is not None:
            moved = f", before reranking at {self.rank_before}" if self.rank_before not in (None, self.rank) else ""
            return f"{LABELS[self.stage]}: at rank {self.rank}{moved}"
        if self.rank_before is not None:
            return f"{LABELS[self.stage]}: it had been at rank {self.rank_before}"
        return LABELS[self.stage]


@dataclass(frozen=True)
class LostQuestion:
    """A question that lost `share` of its evidence; `text` is None where its dataset cannot be opened any more."""

    question_id: str
    text: str | None
    share: float
    evidence: tuple[LostEvidence, ...]


@dataclass(frozen=True)
class Texts:
    """What the dataset of the run says: the questions by id, and the documents' parsed texts by id."""

    questions: Mapping[str, Question]
    documents: Mapping[str, str]


@dataclass(frozen=True, eq=False)
class Behind:
    """The fates of a run with the ids of its questions; row q of `fates` is `question_ids[q]`."""

    question_ids: Sequence[str]
    fates: Fates
    texts: Texts

    def n_questions(self, cut: str, stage: str) -> int:
        """Return how many questions lost anything at a stage."""
        return len(np.unique(self.fates.question[self.fates.column(cut) == number(stage)]))

    def questions(self, cut: str, stage: str | None) -> tuple[LostQuestion, ...]:
        """Return the questions that lost evidence at `stage` (None: at any), the greatest loss first."""
        column = self.fates.column(cut)
        rows = np.flatnonzero(column != HANDED_ON if stage is None else column == number(stage))
        by_question: dict[int, list[int]] = {}
        for row in rows.tolist():
            by_question.setdefault(int(self.fates.question[row]), []).append(row)
        relevant, found = self.fates.relevant, self._handed_on(column)
        lost = [self._question(q, own, column, relevant, found) for q, own in by_question.items()]
        return tuple(sorted(lost, key=lambda one: -one.share))

    def _handed_on(self, column: np.ndarray) -> set[tuple[int, int]]:
        """Return question and number of each piece of evidence of which something was handed on."""
        rows = np.flatnonzero(column == HANDED_ON)
        return set(zip(self.fates.question[rows].tolist(), self.fates.evidence[rows].tolist(), strict=True))

    def _question(
        self, q: int, rows: list[int], column: np.ndarray, relevant: LongArray, found: set[tuple[int, int]]
    ) -> LostQuestion:
        question_id = self.question_ids[q]
        question = self.texts.questions.get(question_id)
        pieces: dict[tuple[int, int], list[int]] = {}
        for row in rows:
            pieces.setdefault((int(self.fates.evidence[row]), int(column[row])), []).append(row)
        alternatives = _alternatives(question, {number for one, number in found if one == q})
        evidence = tuple(
            self._evidence(STAGES[stage - 1], item, own, int(relevant[q]), question, item in alternatives)
            for (item, stage), own in sorted(pieces.items())
        )
        share = sum(one.chars for one in evidence) / int(relevant[q])
        return LostQuestion(question_id, None if question is None else question.text, share, evidence)

    def _evidence(
        self, stage: str, item: int, rows: list[int], relevant: int, question: Question | None, alternative: bool
    ) -> LostEvidence:
        fates = self.fates
        nearest = min(rows, key=lambda row: (int(fates.rank[row]) or 1 << 30, int(fates.rank_before[row]) or 1 << 30))
        own = _relevant(question)[item] if question is not None and item < len(_relevant(question)) else None
        chars, chunk = int(fates.chars[rows].sum()), int(fates.chunk[nearest])
        return LostEvidence(
            stage=stage,
            number=item + 1,
            document_id=None if own is None else own.document_id,
            quote=None if own is None else self._quote(own),
            chars=chars,
            share=chars / relevant,
            rank_before=int(fates.rank_before[nearest]) or None,
            rank=int(fates.rank[nearest]) or None,
            chunk_start=None if chunk == PADDING else int(fates.chunk_start[nearest]),
            chunk_end=None if chunk == PADDING else int(fates.chunk_end[nearest]),
            alternative_found=alternative,
        )

    def _quote(self, item: Evidence) -> str | None:
        if item.quote is not None:
            return item.quote
        text = self.texts.documents.get(item.document_id)
        return None if text is None else text[item.start : item.end][:_QUOTE_CHARS]


def _relevant(question: Question | None) -> list[Evidence]:
    return [] if question is None else [item for item in question.evidence if item.grade > 0]


def _alternatives(question: Question | None, found: set[int]) -> set[int]:
    """Return the numbers of the pieces of evidence for which another one of their group was handed on."""
    items = _relevant(question)
    groups = [item.group for item in items]
    return {
        i
        for i, group in enumerate(groups)
        if group is not None and any(n != i and n < len(groups) and groups[n] == group for n in found)
    }
