"""Periods of time: what a year, a quarter or a day is, and how two of them lie to one another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

Grain = Literal["day", "month", "season", "quarter", "half", "part", "year", "range"]
Relation = Literal["in", "since", "before"]

EARLIEST, LATEST = date(1900, 1, 1), date(2101, 1, 1)


@dataclass(frozen=True, slots=True)
class Period:
    """Days from `start` up to, and without, `end`. `grain` says how it was named; `fiscal`, whether as FY2023."""

    start: date
    end: date
    grain: Grain
    fiscal: bool = False

    def years(self) -> range:
        """Return the calendar years that it touches."""
        return range(self.start.year, (self.end - timedelta(days=1)).year + 1)

    def quarters(self) -> Iterator[tuple[int, int]]:
        """Return (year, quarter) of each quarter that it touches."""
        at = first_of_quarter(self.start.year, (self.start.month + 2) // 3)
        while at < self.end:
            yield at.year, (at.month + 2) // 3
            at = months_later(at, 3)

    def months(self) -> Iterator[tuple[int, int]]:
        """Return (year, month) of each month that it touches."""
        at = self.start.replace(day=1)
        while at < self.end:
            yield at.year, at.month
            at = months_later(at, 1)

    def within(self, other: Period) -> bool:
        """Return whether `other` holds all of its days."""
        return other.start <= self.start and self.end <= other.end

    def same_days(self, other: Period) -> bool:
        """Return whether both hold the same days."""
        return (self.start, self.end) == (other.start, other.end)

    def until(self, other: Period) -> Period:
        """Return the time from the start of this one to the end of the other."""
        start, end = min(self.start, other.start), max(self.end, other.end)
        return Period(start, end, "range", self.fiscal and other.fiscal)


@dataclass(frozen=True, slots=True)
class Mention:
    """A period that a text names, at [begin, end). `quarter` alone (period None) is one of no known year.

    `relation` says whether the period itself is meant or the time since or before it. `confidence` is how surely the
    period is what a document is about, and not merely an event within it.
    """

    period: Period | None
    begin: int
    end: int
    relation: Relation = "in"
    confidence: float = 0.95
    quarter: int | None = None
    relative: bool = False

    def days(self) -> Period | None:
        """Return the time that is meant: open to one side for `since` and `before`."""
        if self.period is None:
            return None
        if self.relation == "since":
            return Period(self.period.start, LATEST, "range", self.period.fiscal)
        if self.relation == "before":
            return Period(EARLIEST, self.period.start, "range", self.period.fiscal)
        return self.period


def months_later(day: date, n: int) -> date:
    """Return the first of the month `n` months after that of `day`."""
    months = day.year * 12 + day.month - 1 + n
    return date(months // 12, months % 12 + 1, 1)


def first_of_quarter(year: int, quarter: int) -> date:
    """Return the first day of a quarter."""
    return date(year, 3 * quarter - 2, 1)


def a_year(year: int, *, fiscal: bool = False) -> Period:
    """Return a calendar year; a fiscal one is taken for the calendar year of its name."""
    return Period(date(year, 1, 1), date(year + 1, 1, 1), "year", fiscal)


def a_split_year(first: int) -> Period:
    """Return a year named by two, such as 2022/23: July to June."""
    return Period(date(first, 7, 1), date(first + 1, 7, 1), "year", True)


def a_quarter(year: int, quarter: int, *, fiscal: bool = False) -> Period:
    """Return a quarter."""
    start = first_of_quarter(year, quarter)
    return Period(start, months_later(start, 3), "quarter", fiscal)


def a_half(year: int, half: int, *, fiscal: bool = False) -> Period:
    """Return half a year."""
    start = date(year, 6 * half - 5, 1)
    return Period(start, months_later(start, 6), "half", fiscal)


def a_month(year: int, month: int) -> Period:
    """Return a month."""
    return Period(date(year, month, 1), months_later(date(year, month, 1), 1), "month")


def some_months(year: int, first: int, last: int) -> Period:
    """Return the months from `first` to `last`; just a quarter is called one."""
    start, end = date(year, first, 1), months_later(date(year, last, 1), 1)
    whole = first % 3 == 1 and last == first + 2
    return Period(start, end, "quarter" if whole else "range")


def a_season(year: int, season: str) -> Period:
    """Return a season of the northern half of the earth; winter is the one that begins in December."""
    first = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}[season]
    return Period(date(year, first, 1), months_later(date(year, first, 1), 3), "season")


def a_part(year: int, part: str) -> Period:
    """Return the early, middle or late part of a year, a quarter long, or half a year in the middle."""
    if part == "mid":
        return Period(date(year, 4, 1), date(year, 10, 1), "part")
    whole = a_quarter(year, 1 if part == "early" else 4)
    return Period(whole.start, whole.end, "part")


def a_day(year: int, month: int, day: int) -> Period | None:
    """Return a day, None where there is no such day."""
    try:
        start = date(year, month, day)
    except ValueError:
        return None
    return Period(start, start + timedelta(days=1), "day")
