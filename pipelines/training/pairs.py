"""From evidence spans and chunks to training pairs, with hard negatives."""

from __future__ import annotations

import numpy as np

from pipelines.records import PADDING
from pipelines.records.pairs import Passage, TrainingPair, TrainingPairs
from pipelines.training.knobs import PairKnobs
from pipelines.training.material import Material


def training_pairs(material: Material, knobs: PairKnobs) -> TrainingPairs:
    """Return every train question with each chunk that holds evidence of it, and hard negatives."""
    found = []
    for row, question in enumerate(material.questions):
        positives = _overlapping(material, row)
        negatives = [c for c in _mined(material, row) if c not in set(positives)][: knobs.negatives_each]
        hard = tuple(_passage(material, c) for c in negatives)
        found += [TrainingPair(question.id, question.text, _passage(material, c), hard) for c in positives]
    return TrainingPairs(tuple(found), tuple(material.left_out))


def _overlapping(material: Material, row: int) -> list[int]:
    gold, chunks = material.gold, material.chunks
    rows: list[int] = []
    for i in np.flatnonzero(gold.question == row):
        inside = (chunks.document == gold.document[i]) & (chunks.start < gold.end[i]) & (chunks.end > gold.start[i])
        rows += np.flatnonzero(inside).tolist()
    return list(dict.fromkeys(rows))


def _mined(material: Material, row: int) -> list[int]:
    return [int(c) for ranking in material.rankings.values() for c in ranking.chunk[row] if c != PADDING]


def _passage(material: Material, chunk: int) -> Passage:
    chunks = material.chunks
    document = material.documents.ids[int(chunks.document[chunk])]
    return Passage(document, int(chunks.start[chunk]), int(chunks.end[chunk]), material.texts[chunk])
