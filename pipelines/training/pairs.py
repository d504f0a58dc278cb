"""From evidence spans and chunks to training pairs, with hard negatives."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pipelines.errors import DatasetError
from pipelines.records import FloatArray, LongArray
from pipelines.records.pairs import LeftOut, Passage, TrainingPair, TrainingPairs
from pipelines.training.augment import cropped_pairs, titled_pairs
from pipelines.training.drawing import drawn_questions
from pipelines.training.evidence import HeldOut, Kin, judged_irrelevant, quotes_of, spans_of
from pipelines.training.knobs import PairKnobs
from pipelines.training.material import Material
from pipelines.training.methods import FEWEST_PAIRS
from pipelines.training.mining import Miner, Sought, window
from pipelines.training.positives import Positives, positives
from pipelines.training.strikes import Strike
from pipelines.training.struck import StruckOut
from pipelines.training.telling import idle_told, left_out_told, one_document_told, share_told, too_few_told

_STRUCK_OUT = "all its passages were struck out"


def _unheard(text: str) -> None:
    """Tell nobody."""


def training_pairs(material: Material, knobs: PairKnobs, note: Callable[[str], None] = _unheard) -> TrainingPairs:
    """Return every train question with each chunk that answers it, and hard negatives; then the pairs that were made.

    `note` is told of what the user should know: what was left out, shares, idle strikes, evidence in one document.

    Raises:
        DatasetError: for fewer than 8 pairs of questions with passages.
    """
    made = _Making(material, knobs)
    marked, written = list(made.marked()), list(made.written())
    made_up = list(made.augmented([one.positive for one in marked]))
    left_out = (*material.left_out, *made.left_out())
    if len(marked) + len(written) < FEWEST_PAIRS:
        raise DatasetError(too_few_told(len(marked) + len(written), len(material.questions), left_out, knobs))
    for told in (*left_out_told(left_out), *made.notes(marked)):
        note(told)
    return TrainingPairs((*marked, *written, *made_up), left_out)


@dataclass(frozen=True)
class _Making:
    """What pairs are made of, worked out once."""

    material: Material
    knobs: PairKnobs

    def marked(self) -> Iterator[TrainingPair]:
        """Yield the pairs of marked evidence, in order of question and chunk."""
        for row in self.drawn:
            question, answers = self.material.questions[row], self._answers(row)
            sought = self._sought(row) if answers and self._mines else None
            for chunk, grade in answers.items():
                hard = self.miner.mined(sought, chunk) if sought is not None else ()
                yield TrainingPair(question.id, question.text, self.material.passage(chunk), hard, grade)

    def written(self) -> Iterator[TrainingPair]:
        """Yield the pairs of questions that a language model wrote."""
        struck = self.struck.positives("")
        for row, one in enumerate(self.material.written):
            if one.chunk in struck:
                continue
            hard = self.miner.mined(self._sought_for_written(row), one.chunk) if self._mines else ()
            yield TrainingPair("", one.text, self.material.passage(one.chunk), hard, source="synthetic")

    def augmented(self, answers: Sequence[Passage]) -> Iterator[TrainingPair]:
        """Yield the pairs made of titles and of parts of chunks, without negatives of their own."""
        if self.knobs.augment == "none" or self.material.held_out_gold is None:
            return
        held_out = HeldOut(self.material.held_out_gold, self.material.documents, self.material.chunks)
        taught, struck = self._chunks_of_answers, self.struck.positives("")
        made: list[TrainingPair] = []
        if self.knobs.augment in ("titles", "both"):
            made += titled_pairs(self.material, held_out, taught, len(answers), self.knobs.seed)
        if self.knobs.augment in ("crops", "both"):
            made += cropped_pairs(self.material, held_out, taught, self.knobs.seed)
        out = {(p.document_id, p.start, p.end) for p in map(self.material.passage, struck)}
        yield from (m for m in made if (m.positive.document_id, m.positive.start, m.positive.end) not in out)

    def left_out(self) -> Iterator[LeftOut]:
        """Yield the questions that have no pair, of those that were drawn."""
        for row in self.drawn:
            if not self._answers(row):
                yield LeftOut(self.material.questions[row].id, self.found.why[row] or _STRUCK_OUT)

    def notes(self, marked: Sequence[TrainingPair]) -> Iterator[str]:
        """Say what the user should know of the pairs."""
        if self.knobs.share < 1.0:
            yield share_told(len(self.drawn), len(self.material.questions), self.knobs.seed)
        idle = self._idle_strikes()
        if idle:
            yield idle_told(idle, len(self.material.strikes))
        documents = {pair.positive.document_id for pair in marked}
        if len(documents) == 1:
            yield one_document_told(documents.pop())

    @cached_property
    def drawn(self) -> list[int]:
        """The rows of the questions that are learnt from."""
        if not self.material.questions:
            return []
        return drawn_questions(self.material.questions, self.knobs.share, self.knobs.seed)

    @cached_property
    def found(self) -> Positives:
        """The chunks that answer each question."""
        return positives(self.material)

    @cached_property
    def struck(self) -> StruckOut:
        """What was struck out."""
        return StruckOut.of(self.material.strikes, self.material.documents, self.material.chunks)

    @cached_property
    def miner(self) -> Miner:
        """What mines hard negatives."""
        return Miner(self.material, self.knobs)

    @cached_property
    def _kin(self) -> Kin:
        return Kin(self.material.questions, self.material.gold)

    @cached_property
    def _judged(self) -> list[tuple[int, ...]]:
        return judged_irrelevant(self.material.questions, self.material.documents, self.material.chunks)

    @property
    def _mines(self) -> bool:
        return bool(self.material.rankings) and self.knobs.negatives != "none"

    @cached_property
    def _chunks_of_answers(self) -> list[int]:
        return list(dict.fromkeys(chunk for row in self.drawn for chunk in self._answers(row)))

    def _answers(self, row: int) -> Mapping[int, float]:
        struck = self.struck.positives(self.material.questions[row].id)
        return {chunk: grade for chunk, grade in self.found.of[row].items() if chunk not in struck}

    def _sought(self, row: int) -> Sought:
        pieces, material = self._kin.pieces(row), self.material
        return Sought(
            answers=list(self.found.of[row]),
            spans=spans_of(material.gold, pieces),
            struck=self.struck.negatives(material.questions[row].id),
            quotes=quotes_of(material.gold, material.documents, pieces.tolist()),
            found=window(material.rankings, row, self.knobs),
            vector=_row_of(material.question_vectors, row),
            judged=self._judged[row],
        )

    def _sought_for_written(self, row: int) -> Sought:
        material, chunk = self.material, self.material.written[row].chunk
        found = material.written_found
        rankings = {} if found is None else {n: r for n, r in found.rankings.items() if n in material.rankings}
        return Sought(
            answers=[chunk],
            spans=_span_of(material, chunk),
            struck=self.struck.negatives(""),
            quotes=(),
            found=window(rankings, row, self.knobs),
            vector=_row_of(None if found is None else found.vectors, row),
        )

    def _idle_strikes(self) -> list[Strike]:
        """Return the strikes that name no chunk, no question that is trained on, or no positive of it."""
        rows = {question.id: row for row, question in enumerate(self.material.questions)}
        return [strike for strike, meant in self.struck.meant.items() if not self._holds(strike, meant, rows)]

    def _holds(self, strike: Strike, meant: frozenset[int], rows: Mapping[str, int]) -> bool:
        if not meant or not strike.question_id:
            return bool(meant)
        row = rows.get(strike.question_id)
        return row is not None and (strike.of == "negative" or bool(meant & self.found.of[row].keys()))


def _row_of(vectors: FloatArray | None, row: int) -> FloatArray:
    if vectors is None:
        raise ValueError("negatives are mined by the base model's vectors of the questions, and there are none")
    one: FloatArray = vectors[row]
    return one


def _span_of(material: Material, chunk: int) -> LongArray:
    chunks = material.chunks
    return np.asarray([[chunks.document[chunk], chunks.start[chunk], chunks.end[chunk]]], dtype=np.int64)
