"""A soft filter: what meets the conditions gains, and nothing is removed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from pydantic import Field

from pipelines.records import PADDING, BoolArray, ByteArray, Candidates, FloatArray, IntArray
from pipelines.stages.filter import Asked, Filtered
from pipelines.stages.filter.guess import Guess
from pipelines.stages.filter.inferring import Inferring, told
from pipelines.stages.filter.known import label_guesses, unknown_labels
from pipelines.stages.filter.reading import Reader
from pipelines.stages.filter.widening import Widening, agreement


class BoostFilter(Inferring, name="boost", version=5):
    """Raise the score of chunks that meet the conditions instead of removing the others.

    A chunk gains weight x (share of the conditions that it meets) x (the best score that any chunk has for the query).
    Choose it where a wrong condition would cost too much, or where metadata have gaps. It acts within the search, not
    on what was found: a chunk is lifted from any depth, in every index. Costs one search for each number of conditions.
    """

    source: Literal["inferred", "known"] = Field(
        "inferred", description="Where the conditions come from: read out of the question, or its labels"
    )
    weight: float = Field(
        1.0,
        ge=0.0,
        le=10.0,
        description="What a chunk that meets all conditions gains, as a share of the best score",
        json_schema_extra={"unit": "share"},
    )

    def open(self, filtered: Filtered) -> _Booster:
        """Learn the vocabulary of the metadata, where questions are read.

        Raises:
            ConfigurationError: for a field that no document has.
        """
        reader = self.reader(filtered) if self.source == "inferred" else None
        return _Booster(reader, Widening(filtered.columns, filtered.n_chunks, 0), self.weight)


@dataclass(frozen=True)
class _Booster:
    reader: Reader | None
    conditions: Widening
    weight: float

    def candidates(self, asked: Sequence[Asked]) -> Candidates:
        columns = self.conditions.columns
        if self.reader is None:
            guesses = [label_guesses(one.known, columns) for one in asked]
            return self._boosted(guesses, None, unknown_labels(asked, columns))
        guesses = [self.reader.guesses(one.text) for one in asked]
        return self._boosted(guesses, agreement(asked, guesses, columns), told(asked, guesses, 0))

    def _boosted(self, guesses: Sequence[Sequence[Guess]], counts: IntArray | None, notes: Sequence[str]) -> Candidates:
        n_chunks = self.conditions.n_chunks
        mask = np.full(len(guesses), PADDING, dtype=np.int32)
        rows: dict[tuple[bytes, int], int] = {}
        levels: list[ByteArray] = []
        for q, own in enumerate(guesses):
            if own:
                level = self._level([self.conditions.mask(one) for one in own])
                mask[q] = rows.setdefault((level.tobytes(), len(own)), len(levels))
                levels += [level] if mask[q] == len(levels) else []
        stacked = np.stack(levels) if levels else np.zeros((0, n_chunks), dtype=np.uint8)
        bonus = self._bonus([n for _, n in rows])
        return Candidates(mask, np.ones(stacked.shape, dtype=np.bool_), stacked, bonus, counts, tuple(notes))

    def _level(self, masks: Sequence[BoolArray]) -> ByteArray:
        """Return how many of the conditions each chunk meets."""
        level: ByteArray = np.sum(masks, axis=0, dtype=np.uint8)
        return level

    def _bonus(self, n_conditions: Sequence[int]) -> FloatArray:
        most = max(n_conditions, default=0)
        met = np.arange(most + 1, dtype=np.float32)
        of = np.asarray(n_conditions, dtype=np.float32).reshape(-1, 1)
        bonus: FloatArray = (np.float32(self.weight) * met / np.maximum(of, 1)).astype(np.float32)
        return bonus
