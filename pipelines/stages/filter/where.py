"""One condition on metadata for all questions, in Chroma's operator syntax."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import Field, field_validator

from pipelines.records import BoolArray, Candidates
from pipelines.stages.filter import Asked, Filter, Filtered
from pipelines.stages.filter.conditions import evaluate, validate
from pipelines.stages.filter.widening import nothing_left


class WhereFilter(Filter, name="where", version=1):
    """Search only chunks whose metadata meet a condition, such as `{year: {$gte: 2023}}`; the same for every question.

    Operators: $eq $ne $gt $gte $lt $lte $in $nin, and $contains $not_contains for a part of a text; joined by $and,
    $or. As in Chroma, a chunk without the field meets $ne, $nin and $not_contains, and no other. Greater and less
    compare numbers with numbers, and ISO dates with ISO dates.

    Choose it where a part of the corpus should never be found, such as superseded editions. Costs next to nothing.
    """

    where: dict[str, Any] = Field(default_factory=dict, description="Condition on the metadata; empty lets all pass")

    @field_validator("where")
    @classmethod
    def _well_formed(cls, where: dict[str, Any]) -> dict[str, Any]:
        if where:
            validate(where)
        return where

    def open(self, filtered: Filtered) -> _OneMask:
        """Evaluate the condition once: it holds for every question.

        Raises:
            ConfigurationError: for a field that no document has.
        """
        if not self.where:
            return _OneMask(None, filtered.n_chunks)
        return _OneMask(evaluate(self.where, filtered.columns, filtered.n_chunks), filtered.n_chunks)


@dataclass(frozen=True)
class _OneMask:
    allowed: BoolArray | None
    n_chunks: int

    def candidates(self, asked: Sequence[Asked]) -> Candidates:
        if self.allowed is None:
            return Candidates.everything(len(asked), self.n_chunks)
        empty = len(asked) > 0 and self.n_chunks > 0 and not self.allowed.any()
        notes = (nothing_left(len(asked), len(asked)),) if empty else ()
        return Candidates(np.zeros(len(asked), dtype=np.int32), self.allowed[None, :], notes=notes)
