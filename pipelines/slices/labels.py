"""Values to a few names: as they are where they are few, numbers in quarters, dates by year."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipelines.golden.manifest import is_date
from pipelines.records import PADDING, Column, LongArray, MetadataValue

_QUARTERS = (0.25, 0.5, 0.75)


@dataclass(frozen=True, eq=False)
class Labelled:
    """Names in order, and for every value the number of its name, -1 where it has none."""

    names: tuple[str, ...]
    code: LongArray


def labelled(column: Column, occurring: Sequence[int] | LongArray, most: int) -> Labelled | str:
    """Return at most `most` names for the values that occur (codes into the column), or why there are none."""
    codes = [int(code) for code in occurring]
    values = [column.values[code] for code in codes]
    if len(values) < 2:
        return "no evidence lies in a document with it" if not values else f"it is {values[0]!s} throughout"
    parts = _few(values, most) or _dates(values, most) or _numbers(values)
    if parts is None:
        return f"it has {len(values):,} values, and {most} are the most that are told apart"
    spread = np.full(len(column.values), PADDING, dtype=np.int64)
    spread[codes] = parts.code
    return Labelled(parts.names, spread)


def _few(values: Sequence[MetadataValue], most: int) -> Labelled | None:
    if len(values) > most:
        return None
    order = sorted(range(len(values)), key=lambda i: _rank(values[i]))
    code = np.empty(len(values), dtype=np.int64)
    code[order] = np.arange(len(values))
    return Labelled(tuple(_named(values[i]) for i in order), code)


def _rank(value: MetadataValue) -> tuple[int, float, str]:
    """Sort numbers by size before texts by letter."""
    if isinstance(value, str):
        return 1, 0.0, value
    return 0, float(value), type(value).__name__


def _named(value: MetadataValue) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _dates(values: Sequence[MetadataValue], most: int) -> Labelled | None:
    """Put dates together by year."""
    if not all(isinstance(value, str) and is_date(value) for value in values):
        return None
    years = [str(value)[:4] for value in values]
    names = sorted(set(years))
    if not 1 < len(names) <= most:
        return None
    return Labelled(tuple(names), np.asarray([names.index(year) for year in years], dtype=np.int64))


def _numbers(values: Sequence[MetadataValue]) -> Labelled | None:
    if any(isinstance(value, (str, bool)) for value in values):
        return None
    parts = in_quarters([float(value) for value in values])
    return parts if len(parts.names) > 1 else None


def in_quarters(values: Sequence[float], unit: str = "") -> Labelled:
    """Cut numbers at their quartiles; equal numbers stay together, so there may be fewer parts than four."""
    numbers = np.asarray(values, dtype=np.float64)
    if not len(numbers):
        return Labelled((), np.zeros(0, dtype=np.int64))
    bounds = np.unique(np.append(np.quantile(numbers, _QUARTERS, method="lower"), numbers.max()))
    code: LongArray = np.searchsorted(bounds, numbers, side="left").astype(np.int64)
    names = [_between(numbers[code == i], unit) for i in range(len(bounds))]
    return Labelled(tuple(names), code)


def _between(numbers: np.ndarray[tuple[int, ...], np.dtype[np.float64]], unit: str) -> str:
    low, high = (f"{bound:,.10g}" for bound in (numbers.min(), numbers.max()))
    return f"{low if low == high else f'{low} to {high}'} {unit}".strip()
