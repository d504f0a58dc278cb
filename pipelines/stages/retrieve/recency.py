"""Recency: how much of its score a chunk keeps at its age."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np

from pipelines.errors import ConfigurationError, did_you_mean, shorten
from pipelines.records import PADDING, Column, DoubleArray

Curve = Literal["exponential", "gauss", "linear"]
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(?![0-9])")


@dataclass(frozen=True)
class Recency:
    """What a chunk's age does to its score: at `half_days` it has half its weight, by any of the curves.

    `weight` is the share of the score that age can take. `reference` is the day from which ages count; None is the
    newest day in the corpus.
    """

    field: str
    curve: Curve
    half_days: float
    weight: float
    reference: str | None

    def kept(self, columns: Mapping[str, Column]) -> DoubleArray:
        """Return the share of its score that each chunk keeps, float64 [n_chunks] in [0, 1]; 1 where it has no date.

        Raises:
            ConfigurationError: when no chunk has the field, or it holds something else than dates.
        """
        column = columns.get(self.field)
        if column is None or not (column.codes != PADDING).any():
            raise _unknown(self.field, columns)
        used = np.unique(column.codes[column.codes != PADDING])
        days = np.full(len(column.values) + 1, np.nan)
        days[used] = [_day(column.values[code], self.field) for code in used]
        newest = np.nanmax(days) if self.reference is None else date.fromisoformat(self.reference).toordinal()
        kept = 1 - self.weight * (1 - decay(np.maximum(newest - days, 0.0), self.curve, self.half_days))
        return np.asarray(np.nan_to_num(kept, nan=1.0)[column.codes])


def decay(age_days: DoubleArray, curve: Curve, half_days: float) -> DoubleArray:
    """Return 1 at age 0 and 1/2 at `half_days`; `linear` is 0 from twice that age on.

    With x = age / half_days: exponential is 2^-x, gauss 2^-(x^2), linear max(0, 1 - x / 2).
    """
    x = age_days / half_days
    if curve == "linear":
        return np.asarray(np.maximum(0.0, 1 - x / 2))
    return np.asarray(np.exp2(-x if curve == "exponential" else -(x**2)))


def _day(value: object, field: str) -> int:
    if isinstance(value, str) and _DATE.match(value):
        try:
            return date.fromisoformat(value[:10]).toordinal()
        except ValueError:
            pass
    raise ConfigurationError(
        f"Recency needs dates such as 2024-03-31, but the metadata field '{shorten(field)}' holds "
        f"{shorten(repr(value), 40)}; name a field of dates as retrieve.recency_field."
    )


def _unknown(field: str, columns: Mapping[str, Column]) -> ConfigurationError:
    dated = [name for name, column in columns.items() if _holds_dates(column)]
    there = f"fields of dates are {', '.join(dated[:20])}" if dated else "no field holds dates"
    return ConfigurationError(
        f"Recency needs a date, but no chunk has the metadata field '{shorten(field)}'; {there}: name such a field as "
        f"retrieve.recency_field, or leave it empty.{did_you_mean(field, dated)}"
    )


def _holds_dates(column: Column) -> bool:
    return bool(column.values) and all(isinstance(v, str) and _DATE.match(v) for v in column.values)
