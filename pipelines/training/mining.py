"""Hard negatives: chunks that a search takes for an answer, and that are none as far as anybody knows."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from pipelines.near_duplicates import plain, texts_alike
from pipelines.records import PADDING, BoolArray, Chunks, FloatArray, LongArray, Rankings
from pipelines.records.pairs import Passage
from pipelines.training.knobs import PairKnobs
from pipelines.training.material import Material, cosines

_VECTORS_ALIKE = 0.98


@dataclass(frozen=True)
class Sought:
    """What negatives are looked for: those of one question, which `answers` answer.

    `spans` are what no negative may touch, int64 [n_spans, 3]: document, start and end. `struck` are the chunks that a
    person struck out, `quotes` the words of evidence, made plain, that no negative may hold. `found` are the chunks
    that the searches found, by their names, best first; `vector` is the question's. `judged` are chunks that somebody
    judged to be irrelevant.
    """

    answers: Sequence[int]
    spans: LongArray
    struck: Collection[int]
    quotes: Sequence[str]
    found: Mapping[str, Sequence[int]]
    vector: FloatArray
    judged: Sequence[int] = ()


@dataclass(frozen=True)
class Miner:
    """Mines the hard negatives of a corpus, the same ones each time."""

    material: Material
    knobs: PairKnobs
    _plain: dict[int, str] = field(default_factory=dict)

    def mined(self, sought: Sought, positive: int) -> tuple[Passage, ...]:
        """Return up to `negatives_each` negatives for a positive of a question, the most similar first.

        What somebody judged comes first, wherever it ranks; then the searches take turns by rank. A negative shares no
        character with evidence of the question or of one that asks the same, holds none of its words, is less similar
        to the question than the positive by the margin, and says the same as neither a positive nor another negative.
        Where fewer are left, fewer are given.
        """
        found = np.asarray(self._candidates(sought), dtype=np.int64)
        if not len(found):
            return ()
        likeness = self._likeness(found, sought.vector)
        sound = (likeness <= self._ceiling(sought, positive)) | np.isin(found, sought.judged)
        found, likeness = found[sound], likeness[sound]
        chosen: list[int] = []
        for at in range(len(found)):
            chunk = int(found[at])
            if not self._quoted(chunk, sought) and not self._same_as_any(chunk, [*sought.answers, *chosen]):
                chosen.append(chunk)
            if len(chosen) == self.knobs.negatives_each:
                break
        scores = dict(zip(found.tolist(), likeness.tolist(), strict=True))
        return tuple(self.material.passage(chunk, scores[chunk]) for chunk in sorted(chosen, key=lambda c: -scores[c]))

    def _candidates(self, sought: Sought) -> list[int]:
        turns = dict.fromkeys([*self._nearest(sought), *interleaved(list(sought.found.values()))])
        known = {*sought.answers, *sought.struck}
        left = np.asarray([chunk for chunk in turns if chunk not in known], dtype=np.int64)
        kept: list[int] = left[~touching(self.material.chunks, left, sought.spans)].tolist()
        return kept

    def _nearest(self, sought: Sought) -> list[int]:
        """Return what was judged, the most similar to the question first."""
        judged = np.asarray(sought.judged, dtype=np.int64)
        order = np.argsort(-self._likeness(judged, sought.vector), kind="stable") if len(judged) else judged
        nearest: list[int] = judged[order].tolist()
        return nearest

    def _likeness(self, found: LongArray, vector: FloatArray) -> FloatArray:
        return cosines(self._vectors[found], vector)

    def _ceiling(self, sought: Sought, positive: int) -> float:
        """Return the greatest similarity that a negative may have."""
        of_positive = float(self._likeness(np.asarray([positive]), sought.vector)[0])
        return of_positive - abs(of_positive) * self.knobs.negatives_margin

    def _quoted(self, chunk: int, sought: Sought) -> bool:
        return any(quote in self._words(chunk) for quote in sought.quotes)

    def _same_as_any(self, chunk: int, others: Sequence[int]) -> bool:
        if not others:
            return False
        near = cosines(self._vectors[list(others)], self._vectors[chunk]) >= _VECTORS_ALIKE
        return bool(near.any()) or any(texts_alike(self._words(chunk), self._words(other)) for other in others)

    def _words(self, chunk: int) -> str:
        if chunk not in self._plain:
            self._plain[chunk] = plain(self.material.texts[chunk])
        return self._plain[chunk]

    @cached_property
    def _vectors(self) -> FloatArray:
        if self.material.vectors is None:
            raise ValueError("negatives are mined by the base model's vectors, and there are none")
        return self.material.vectors


def touching(chunks: Chunks, rows: LongArray, spans: LongArray) -> BoolArray:
    """Return which chunks of `rows` share a character with any of the spans, bool [n_rows]."""
    document, start, end = (spans[:, column][None] for column in range(3))
    same = chunks.document[rows][:, None] == document
    shared: BoolArray = same & (chunks.start[rows][:, None] < end) & (chunks.end[rows][:, None] > start)
    return np.asarray(shared.any(axis=1))


def window(rankings: Mapping[str, Rankings], row: int, knobs: PairKnobs) -> dict[str, list[int]]:
    """Return what each search found for a question, within the window of ranks."""
    ranks = slice(knobs.negatives_from - 1, knobs.negatives_to)
    return {name: [c for c in own.chunk[row, ranks].tolist() if c != PADDING] for name, own in rankings.items()}


def interleaved(found: Sequence[Sequence[int]]) -> list[int]:
    """Return what several searches found, rank by rank in turns, each once."""
    longest = max((len(own) for own in found), default=0)
    turns = [own[rank] for rank in range(longest) for own in found if rank < len(own)]
    return list(dict.fromkeys(turns))
