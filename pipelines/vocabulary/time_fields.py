"""Which metadata fields hold time, and in what form: years, quarters, months, periods such as FY2023, dates."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import numpy as np

from pipelines.records import Column, MetadataValue
from pipelines.vocabulary.mentions import named_period
from pipelines.vocabulary.periods import Period

Values = tuple[MetadataValue, ...]
_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})([T ].*)?")
_QUARTER = re.compile(r"q([1-4])|([1-4])q|quarter ([1-4])|(first|second|third|fourth) quarter", re.IGNORECASE)
_OTHER_QUARTER = re.compile(r"fy|h[12]|annual|full[- ]year|year", re.IGNORECASE)
_NAMED = {"first": 1, "second": 2, "third": 3, "fourth": 4}
_LATEST_YEAR = 2100
_DATE_HINTS = ("period", "report", "publish", "filed", "filing", "issue", "sent", "date", "created")
_DATE_SHUNNED = ("modif", "updat", "expir", "due", "birth", "load", "index", "retriev")


@dataclass(frozen=True)
class TimeFields:
    """Fields by the form of their values: `years[field][2023]` are the values that stand for the year 2023.

    `dates` are fields of ISO dates, the likeliest to say what a document is about first; `reference` is the newest day
    that the corpus knows. Beside a field that is called year, others that hold numbers such as 1904 are no years of the
    document, but those that hold FY2023 are periods.
    """

    years: Mapping[str, Mapping[int, Values]] = field(default_factory=dict)
    quarters: Mapping[str, Mapping[int, Values]] = field(default_factory=dict)
    months: Mapping[str, Mapping[int, Values]] = field(default_factory=dict)
    periods: Mapping[str, Mapping[MetadataValue, Period]] = field(default_factory=dict)
    dates: tuple[str, ...] = ()
    reference: date | None = None

    @property
    def names(self) -> frozenset[str]:
        """The fields that hold time."""
        return frozenset((*self.years, *self.quarters, *self.months, *self.periods, *self.dates))

    @classmethod
    def of(cls, columns: Mapping[str, Column]) -> TimeFields:
        """Tell them by their values; the name decides only for small numbers, and between several fields of years."""
        present = {name: _present(column) for name, column in columns.items()}
        present = {name: values for name, values in present.items() if values}
        dates = sorted((name for name, own in present.items() if all(map(_is_date, own))), key=_likeliest)
        named = {name: _periods(own) for name, own in present.items() if name not in dates}
        periods = {name: found for name, found in named.items() if found}
        years = {name: _by_year(own) for name, own in periods.items() if _name_years(own)}
        years |= {name: _whole_years(own) for name, own in present.items() if _are_years(own)}
        hinted = {name: own for name, own in years.items() if "year" in name.lower() or name.lower() in ("fy", "yr")}
        chosen = hinted or years
        spans = {name: own for name, own in periods.items() if name not in chosen and not all(map(_is_number, own))}
        return cls(
            chosen,
            {name: numbers for name, own in present.items() if (numbers := _quarters(name, own))},
            {name: _numbers(own) for name, own in present.items() if _are_small(own, 12) and "month" in name.lower()},
            spans,
            tuple(dates),
            _newest([v for name in dates for v in present[name]], chosen, spans),
        )


def _present(column: Column) -> Values:
    return tuple(column.values[int(code)] for code in np.unique(column.codes[column.codes >= 0]))


def _is_date(value: MetadataValue) -> bool:
    return isinstance(value, str) and _DATE.fullmatch(value) is not None


def _likeliest(name: str) -> tuple[bool, int, str]:
    low = name.lower()
    hints = [i for i, hint in enumerate(_DATE_HINTS) if hint in low]
    return any(word in low for word in _DATE_SHUNNED), min(hints, default=len(_DATE_HINTS)), name


def _periods(values: Values) -> dict[MetadataValue, Period]:
    """Return the period that each value names, where nearly all of them do."""
    if not all(isinstance(value, str) and len(value) <= 24 for value in values):
        return {}
    found = {value: named_period(str(value)) for value in values}
    named = {value: period for value, period in found.items() if period is not None}
    return named if len(named) >= 0.8 * len(found) else {}


def _is_number(value: MetadataValue) -> bool:
    return str(value).isdigit()


def _name_years(periods: Mapping[MetadataValue, Period]) -> bool:
    return all(period.grain == "year" for period in periods.values())


def _by_year(periods: Mapping[MetadataValue, Period]) -> dict[int, Values]:
    years = {year for period in periods.values() for year in period.years()}
    return {year: tuple(v for v, period in periods.items() if year in period.years()) for year in sorted(years)}


def _are_years(values: Values) -> bool:
    return all(_is_whole(value) and 1900 <= float(value) <= _LATEST_YEAR for value in values)


def _is_whole(value: MetadataValue) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and float(value).is_integer()


def _whole_years(values: Values) -> dict[int, Values]:
    return {int(value): (value,) for value in values}


def _quarters(name: str, values: Values) -> dict[int, Values]:
    if _are_small(values, 4) and any(hint in name.lower() for hint in ("quarter", "qtr")):
        return _numbers(values)
    found = {value: _QUARTER.fullmatch(value) for value in values if isinstance(value, str)}
    told = {value: m for value, m in found.items() if m}
    others = [value for value, m in found.items() if not m]
    if not told or len(found) < len(values) or not all(map(_OTHER_QUARTER.fullmatch, others)):
        return {}
    numbers = {value: _quarter_number(m) for value, m in told.items()}
    return {n: tuple(v for v, own in numbers.items() if own == n) for n in sorted(set(numbers.values()))}


def _quarter_number(found: re.Match[str]) -> int:
    told = next(group for group in found.groups() if group)
    return int(told) if told.isdigit() else _NAMED[told.lower()]


def _are_small(values: Values, most: int) -> bool:
    return all(_is_whole(value) and 1 <= float(value) <= most for value in values)


def _numbers(values: Values) -> dict[int, Values]:
    return {int(value): (value,) for value in values}


def _newest(
    dates: list[MetadataValue],
    years: Mapping[str, Mapping[int, Values]],
    periods: Mapping[str, Mapping[MetadataValue, Period]],
) -> date | None:
    """Return the newest date; without dates, the last day of the newest year or period."""
    if dates:
        return as_date(str(max(str(value) for value in dates)))
    ends = [period.end for own in periods.values() for period in own.values()]
    ends += [date(max(own) + 1, 1, 1) for own in years.values() if own]
    return date.fromordinal(max(ends).toordinal() - 1) if ends else None


def as_date(text: str) -> date | None:
    """Return the day of an ISO date or time, None for no such day."""
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None
