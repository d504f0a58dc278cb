"""One condition on metadata for all questions, in Chroma's operator syntax."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from pydantic import Field, field_validator

from pipelines.records import Candidates, Column
from pipelines.stages.filter import Asked, Filter
from pipelines.stages.filter.conditions import evaluate, validate


class WhereFilter(Filter, name="where", version=1):
    """Search only chunks whose metadata meet a condition, such as `{year: {$gte: 2023}}`; the same for every question.

    Operators: $eq $ne $gt $gte $lt $lte $in $nin, joined by $and, $or. As in Chroma, a chunk without the field meets
    $ne and $nin, and no other. Greater and less compare numbers with numbers, and ISO dates with ISO dates.
    """

    where: dict[str, Any] = Field(default_factory=dict, description="Condition on the metadata; empty lets all pass")

    @field_validator("where")
    @classmethod
    def _well_formed(cls, where: dict[str, Any]) -> dict[str, Any]:
        if where:
            validate(where)
        return where

    def candidates(self, asked: Sequence[Asked], columns: Mapping[str, Column], n_chunks: int) -> Candidates:
        """Return one mask, which holds for every question.

        Raises:
            ConfigurationError: for a field that no document has.
        """
        if not self.where:
            return Candidates.everything(len(asked), n_chunks)
        allowed = evaluate(self.where, columns, n_chunks)
        return Candidates(np.zeros(len(asked), dtype=np.int32), allowed[None, :])
