"""What the evidence of questions takes up: spans that no negative may touch, and words that none may hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from pipelines.near_duplicates import alike_pairs, plain
from pipelines.records import BoolArray, Chunks, Documents, Gold, LongArray, Question
from pipelines.training.overlaps import Overlaps

_LEAST_QUOTED_CHARS = 20


def spans_of(gold: Gold, pieces: LongArray) -> LongArray:
    """Return document, start and end of some rows of the gold, int64 [n_pieces, 3]."""
    columns = (gold.document[pieces], gold.start[pieces], gold.end[pieces])
    return np.stack(columns, axis=1).astype(np.int64)


def quotes_of(gold: Gold, documents: Documents, pieces: Sequence[int]) -> tuple[str, ...]:
    """Return the words of evidence, made plain: of spans that are long enough to be known again elsewhere."""
    found = []
    for piece in pieces:
        document, start, end = (int(column[piece]) for column in (gold.document, gold.start, gold.end))
        if document >= len(documents) or end - start >= len(documents.texts[document]):
            continue
        quote = plain(documents.texts[document][start:end])
        found += [quote] if len(quote) >= _LEAST_QUOTED_CHARS else []
    return tuple(dict.fromkeys(found))


def judged_irrelevant(questions: Sequence[Question], documents: Documents, chunks: Chunks) -> list[tuple[int, ...]]:
    """Return the chunks of each question that somebody judged to be irrelevant (grade 0), by half of them or more."""
    judged = [[replace(item, grade=1.0) for item in one.evidence if item.grade == 0] for one in questions]
    gold = Gold.of([replace(one, evidence=tuple(own)) for one, own in zip(questions, judged, strict=True)], documents)
    overlaps = Overlaps.of(gold, chunks)
    mostly = 2 * overlaps.shared >= chunks.end[overlaps.chunk] - chunks.start[overlaps.chunk]
    found: list[dict[int, None]] = [{} for _ in questions]
    for q, chunk in zip(overlaps.of_question(gold)[mostly].tolist(), overlaps.chunk[mostly].tolist(), strict=True):
        found[q][chunk] = None
    return [tuple(own) for own in found]


@dataclass(frozen=True)
class Kin:
    """The evidence of each question together with that of all which ask nearly the same, by row of the gold."""

    questions: Sequence[Question]
    gold: Gold

    def pieces(self, row: int) -> LongArray:
        """Return the rows of the gold, in order."""
        return np.sort(np.concatenate([self._own[other] for other in (row, *self._asking_the_same[row])]))

    @cached_property
    def _own(self) -> list[LongArray]:
        bounds = np.searchsorted(self.gold.question, np.arange(1, len(self.questions)))
        return np.split(np.arange(len(self.gold.question)), bounds)

    @cached_property
    def _asking_the_same(self) -> list[list[int]]:
        others: list[list[int]] = [[] for _ in self.questions]
        for i, j in alike_pairs(self.questions):
            others[i].append(j)
            others[j].append(i)
        return others


@dataclass(frozen=True)
class HeldOut:
    """What dev and test questions are answered by: nothing is made of it, lest it be trained on by another name."""

    gold: Gold
    documents: Documents
    chunks: Chunks

    def holds(self, chunk: int, text: str) -> bool:
        """Return whether a chunk shares a character with the evidence of a dev or test question, or says its words."""
        if self._touched[chunk]:
            return True
        words = plain(text)
        return any(quote in words for quote in self._quotes)

    @cached_property
    def _touched(self) -> BoolArray:
        touched = np.zeros(len(self.chunks), dtype=np.bool_)
        touched[Overlaps.of(self.gold, self.chunks).chunk] = True
        return touched

    @cached_property
    def _quotes(self) -> tuple[str, ...]:
        return quotes_of(self.gold, self.documents, range(len(self.gold.question)))
