"""What an adapter is learnt over: vectors of the questions, of what answers them, and of the whole corpus."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from pipelines.records import BoolArray, FloatArray, LongArray
from pipelines.training.adapter_maps import unit
from pipelines.training.examples import Examples, examples_of
from pipelines.training.lesson import Lesson

_BLOCK = 64
_NEARLY_EQUAL = 0.95
"""Cosine from which a chunk says nearly what the answer says, and is no negative of its question."""


@dataclass(frozen=True)
class Vectors:
    """The base's vectors, of length 1. Pair i is of question `question[i]` and of the answer in row i of `positives`.

    `questions` is float32 [n_questions, d], `positives` [n_pairs, d], `corpus` [n_chunks, d]; `answers`, int64
    [n, 2], are questions with chunks that answer them or nearly equal what does, in order.
    """

    questions: FloatArray
    positives: FloatArray
    corpus: FloatArray
    question: LongArray
    answers: LongArray

    def answered(self, questions: LongArray, chunks: LongArray) -> BoolArray:
        """Return which of some chunks answer which of some questions, bool [n_questions, n_chunks]; both in order."""
        marked = np.zeros((len(questions), len(chunks)), dtype=np.bool_)
        known = self.answers[np.isin(self.answers[:, 0], questions) & np.isin(self.answers[:, 1], chunks)]
        marked[np.searchsorted(questions, known[:, 0]), np.searchsorted(chunks, known[:, 1])] = True
        return marked

    @property
    def width(self) -> int:
        """The dimensions."""
        return int(self.corpus.shape[1])

    def without(self, fold: BoolArray) -> Vectors:
        """Return the same without the pairs of some questions, bool [n_questions]; their rows stay, unused."""
        kept = ~fold[self.question]
        return replace(self, positives=self.positives[kept], question=self.question[kept])


def vectors_of(lesson: Lesson) -> Vectors:
    """Return the vectors of a lesson; all are looked up that were embedded before.

    Raises:
        DatasetError: when there are too few pairs.
    """
    found = examples_of(lesson.pairs, "mnrl")
    passages = unit(lesson.encode(found.passages, queries=False))
    corpus = unit(lesson.encode(lesson.corpus, queries=False))
    positives = np.asarray([row.positive for row in found.rows], dtype=np.int64) - found.n_questions
    return Vectors(
        questions=unit(lesson.encode(found.questions, queries=True)),
        positives=passages[positives],
        corpus=corpus,
        question=np.asarray([row.question for row in found.rows], dtype=np.int64),
        answers=_answers(found, passages, corpus),
    )


def _answers(found: Examples, passages: FloatArray, corpus: FloatArray) -> LongArray:
    told = np.asarray(
        sorted({(row.question, answer - found.n_questions) for row in found.rows for answer in row.answers})
    )
    parts = []
    for at in range(0, len(told), _BLOCK):
        question, passage = told[at : at + _BLOCK].T
        row, chunk = np.nonzero(passages[passage] @ corpus.T >= _NEARLY_EQUAL)
        parts.append(np.column_stack([question[row], chunk]))
    return np.unique(np.concatenate(parts), axis=0).astype(np.int64)
