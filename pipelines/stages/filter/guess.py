"""What a question is taken to ask for: conditions on metadata, each with how surely it is meant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipelines.records import BoolArray, Column, MetadataValue
from pipelines.stages.filter.conditions import evaluate


@dataclass(frozen=True)
class Guess:
    """A condition in Chroma's syntax, with a confidence in [0, 1].

    `values` holds what it allows of each field; `said` is what the question says, or "label". `instead` judges the
    chunks that have none of its fields, where another field says the same.
    """

    where: Mapping[str, Any]
    values: Mapping[str, tuple[MetadataValue, ...]]
    confidence: float
    said: str
    instead: Guess | None = None

    def mask(self, columns: Mapping[str, Column], n_chunks: int, missing: bool) -> BoolArray:
        """Return which chunks meet it; with `missing`, also those that lack all of its fields."""
        met = evaluate(self.where, columns, n_chunks)
        if self.values and (missing or self.instead):
            lacking = np.logical_and.reduce([columns[name].codes < 0 for name in self.values])
            met |= lacking & self.instead.mask(columns, n_chunks, missing) if self.instead else lacking
        return met

    @property
    def key(self) -> str:
        """Return what tells its mask from another's."""
        own = repr(sorted(self.where.items()))
        return f"{own} else {self.instead.key}" if self.instead else own


def among(field: str, values: Sequence[MetadataValue], confidence: float, said: str) -> Guess:
    """Return the condition that a field has one of some values."""
    wanted: Any = values[0] if len(values) == 1 else {"$in": list(values)}
    return Guess({field: wanted}, {field: tuple(values)}, confidence, said)


def either(guesses: Sequence[Guess]) -> Guess:
    """Return the condition that any of several holds: for a name that stands in more than one field."""
    if len(guesses) == 1:
        return guesses[0]
    values: dict[str, tuple[MetadataValue, ...]] = {}
    for one in guesses:
        for name, own in one.values.items():
            values[name] = tuple(dict.fromkeys((*values.get(name, ()), *own)))
    joined = {"$or": [dict(one.where) for one in guesses]}
    return Guess(joined, values, max(one.confidence for one in guesses), guesses[0].said)
