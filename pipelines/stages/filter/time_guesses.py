"""From periods that a question names to conditions on the fields that hold time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from itertools import groupby
from typing import Any

from pipelines.records import Column, MetadataValue
from pipelines.stages.filter.guess import Guess, among
from pipelines.vocabulary.mentions import mentions
from pipelines.vocabulary.periods import EARLIEST, LATEST, Mention, Period
from pipelines.vocabulary.time_fields import TimeFields, Values

Where = dict[str, Any]
_DATED = re.compile(
    r"\b(?:published|filed|dated|issued|released|sent|written|signed|posted|received|created)"
    r"(?:\s+\w+){0,2}\s*$",
    re.IGNORECASE,
)
_SOFT = ("day", "month", "season", "part")
_SURE, _OF_A_DOCUMENT, _OF_AN_EVENT, _REFINES = 0.8, 0.7, 0.4, 0.1
"""Days, months and seasons may say when something happened: only beside a word for a document are they its own."""
_DOCUMENT = (
    "note report filing letter memo edition version release statement minutes article paper presentation update call "
    "transcript bulletin review result account document policy form contract agreement email mail 10-k 10-q 8-k"
).split()


def time_guesses(text: str, fields: TimeFields, columns: Mapping[str, Column], reference: date | None) -> list[Guess]:
    """Return what a question says about time, the years first.

    Several periods are alternatives. Where fields hold years, quarters or periods, those decide; a date field does
    where there is no other, for "since" and "before", and for what was published or filed at a time.
    """
    if not fields.names:
        return []
    found = [m for m in mentions(text, reference or fields.reference) if not _open_without_field(m, fields)]
    if not found:
        return []
    return _Told(text, found, fields, columns).guesses()


def _open_without_field(one: Mention, fields: TimeFields) -> bool:
    return one.period is None and not fields.quarters and not fields.periods


_NOUN = r"(?:" + "|".join(map(re.escape, _DOCUMENT)) + r"|polic(?=ies))(?:s|es|ies)?"
_LINK = "of|from|for|on|in|dated|published|filed|issued|since|before|after"
_BEHIND_DOCUMENT = re.compile(rf"\b{_NOUN}\s+(?:(?:{_LINK})\s+)?(?:the\s+)?$", re.IGNORECASE)
_BEFORE_DOCUMENT = re.compile(rf"(?:['’]s)?(?:\s+[\w-]+){{0,2}}\s+{_NOUN}\b", re.IGNORECASE)


class _Told:
    """The periods of one question, against the fields of one corpus."""

    def __init__(self, text: str, found: Sequence[Mention], fields: TimeFields, columns: Mapping[str, Column]) -> None:
        self.text, self.found, self.fields, self.columns = text, found, fields, columns
        self.confidence = max(one.confidence for one in found)
        self.finer_confidence = min(self._sure(one) for one in found)
        self.said = ", ".join(dict.fromkeys(text[one.begin : one.end] for one in found))
        self.by_date = [bool(fields.dates) and self._of_a_date(one) for one in found]

    def _of_a_date(self, one: Mention) -> bool:
        if one.period is None:
            return False
        other = self.fields.years or self.fields.periods
        return not other or one.relation != "in" or _DATED.search(self.text[: one.begin]) is not None

    def _sure(self, one: Mention) -> float:
        """Return how surely the period itself, and not only its year, is what the document is about."""
        if one.confidence >= _SURE or one.relation == "since":
            return one.confidence
        if _DATED.search(self.text[: one.begin]):
            return _SURE
        return _OF_A_DOCUMENT if self._beside_document(one) else _OF_AN_EVENT

    def _finer_than_years(self) -> float:
        """Less sure than the years, where there are any: the first to be dropped where too few chunks remain."""
        return round(self.finer_confidence - (_REFINES if self.fields.years else 0), 2)

    def _beside_document(self, one: Mention) -> bool:
        return bool(_BEHIND_DOCUMENT.search(self.text[: one.begin]) or _BEFORE_DOCUMENT.match(self.text[one.end :]))

    def guesses(self) -> list[Guess]:
        if self.found[0].relation == "before" and self._sure(self.found[0]) == _OF_AN_EVENT:
            return []
        parts = [] if any(self.by_date) else self._complementing(self._years(), self._periods())
        joint = self._joint()
        return [*parts, *([joint] if joint is not None else [])]

    def _complementing(self, years: Sequence[Guess], periods: Sequence[Guess]) -> list[Guess]:
        """Let fields of time stand in for each other: files of several makers hold a year, a period or a date.

        A period finer than a year is not met by a chunk of which the year alone is known.
        """
        of_years = all(one.period is not None and one.period.grain == "year" for one in self.found)
        dates = self._all_dates()
        return [
            *(replace(one, instead=_chain([*periods, *dates])) for one in years),
            *(replace(one, instead=_chain([*(years if of_years else ()), *dates])) for one in periods),
        ]

    def _all_dates(self) -> list[Guess]:
        """Return the condition that the date lies in one of the periods, where there is a field of dates."""
        clauses = [self._dates(one) for one in self.found] if self.fields.dates else []
        if not clauses or not all(clause and all(clause.values()) for clause in clauses):
            return []
        return [Guess(where := _or(clauses), self._values(where), self.confidence, self.said)]

    def _years(self) -> list[Guess]:
        """Return a condition on the years, where every period has some that the corpus knows."""
        if any(one.period is None for one in self.found):
            return []
        guesses = []
        for name, known in self.fields.years.items():
            wanted = [y for y in known if any(_touches(one, y) for one in self.found)]
            values = tuple(dict.fromkeys(value for year in wanted for value in known[year]))
            if values:
                guesses.append(among(name, values, self.confidence, self.said))
        return guesses if len(guesses) < 2 else [_any_of(guesses)]

    def _periods(self) -> list[Guess]:
        guesses = []
        for name, known in self.fields.periods.items():
            dated = [(one, days) for one in self.found if (days := one.days()) is not None]
            matching = [v for one, days in dated for v in _matching(one, days, known)]
            matching += [v for one in self.found if one.quarter for v in _of_quarter(one.quarter, known)]
            values = tuple(dict.fromkeys(matching))
            if values:
                guesses.append(among(name, values, self._finer_than_years(), self.said))
        return guesses if len(guesses) < 2 else [_any_of(guesses)]

    def _joint(self) -> Guess | None:
        """Return what is finer than years: the quarters of each year, or dates."""
        finer = [self._finer(one, dated) for one, dated in zip(self.found, self.by_date, strict=True)]
        if not any(finer):
            return None
        clauses = [own or self._of_years(one) for own, one in zip(finer, self.found, strict=True)]
        if not all(clauses):
            return None
        where = _or([clause for own in clauses for clause in own])
        return Guess(where, self._values(where), self._finer_than_years(), self.said)

    def _finer(self, one: Mention, dated: bool) -> list[Where]:
        if one.period is None:
            known = one.quarter is not None and one.quarter in self._known_quarters()
            return [self._quarter([one.quarter])] if known and one.quarter else []
        if dated:
            return [self._dates(one)]
        quarters = [] if one.period.grain == "year" or one.relation != "in" else self._quarters(one.period)
        soft = one.period.grain in _SOFT and self.fields.dates
        return [*quarters, self._dates(one)] if quarters and soft else quarters

    def _known_quarters(self) -> set[int]:
        return {n for own in self.fields.quarters.values() for n in own}

    def _quarter(self, numbers: Sequence[int]) -> Where:
        wanted = {
            name: tuple(value for number in numbers for value in own.get(number, ()))
            for name, own in self.fields.quarters.items()
        }
        return _or([_in(name, values) for name, values in wanted.items() if values])

    def _quarters(self, period: Period) -> list[Where]:
        """Return, for each year, its quarters (or months); a year without any known one holds no condition."""
        if not self._known_quarters() or not self.fields.years:
            return []
        clauses = []
        for year, pairs in groupby(period.quarters(), key=lambda pair: pair[0]):
            wanted = [q for _, q in pairs]
            known = [q for q in wanted if q in self._known_quarters()]
            own = self._year(year)
            if not own or not known:
                continue
            clauses.append(own if len(wanted) == 4 else {"$and": [own, self._quarter(known)]})
        return clauses

    def _year(self, year: int) -> Where:
        own = [_in(name, known[year]) for name, known in self.fields.years.items() if year in known]
        return _or(own) if own else {}

    def _of_years(self, one: Mention) -> list[Where]:
        known = {year for own in self.fields.years.values() for year in own if _touches(one, year)}
        return [self._year(year) for year in sorted(known)]

    def _dates(self, one: Mention) -> Where:
        days = one.days()
        if days is None:
            return {}
        bounds = {"$gte": days.start.isoformat()} if days.start > EARLIEST else {}
        bounds |= {"$lt": days.end.isoformat()} if days.end < LATEST else {}
        return {self.fields.dates[0]: bounds}

    def _values(self, where: Where) -> dict[str, tuple[MetadataValue, ...]]:
        """Return which values of each field the condition names; of dates, those between its bounds."""
        found: dict[str, list[MetadataValue]] = {}
        for name, wanted in _leaves(where):
            if isinstance(wanted, Mapping) and "$in" not in wanted:
                low, high = str(wanted.get("$gte", "")), str(wanted.get("$lt", "9"))
                own = [v for v in self.columns[name].values if low <= str(v) < high]
            else:
                own = list(wanted["$in"]) if isinstance(wanted, Mapping) else [wanted]
            found.setdefault(name, []).extend(own)
        return {name: tuple(dict.fromkeys(own)) for name, own in found.items()}


def _touches(one: Mention, year: int) -> bool:
    days = one.days()
    return days is not None and days.start.year <= year and year < days.end.year + (days.end.timetuple().tm_yday > 1)


def _matching(one: Mention, days: Period, known: Mapping[MetadataValue, Period]) -> list[MetadataValue]:
    """Return the periods that are just the one named; else those within it; else those that it lies within.

    A year also means the quarters and months within it, unless it is named as a fiscal year that has a value.
    """
    same = [value for value, own in known.items() if own.same_days(days)]
    within = [value for value, own in known.items() if own.within(days)]
    if one.relation != "in":
        return [value for value, own in known.items() if own.start >= days.start and own.end <= days.end]
    if days.grain in ("year", "range") and not (days.fiscal and same):
        return within or [value for value, own in known.items() if days.within(own)]
    return same or within or [value for value, own in known.items() if days.within(own)]


def _of_quarter(number: int, known: Mapping[MetadataValue, Period]) -> list[MetadataValue]:
    return [v for v, own in known.items() if own.grain == "quarter" and (own.start.month + 2) // 3 == number]


def _in(name: str, values: Values) -> Where:
    return {name: values[0] if len(values) == 1 else {"$in": list(values)}}


def _or(clauses: Sequence[Where]) -> Where:
    distinct = [clause for i, clause in enumerate(clauses) if clause not in clauses[:i]]
    return distinct[0] if len(distinct) == 1 else {"$or": distinct}


def _leaves(where: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    for key, value in where.items():
        if key in ("$and", "$or"):
            for part in value:
                yield from _leaves(part)
        else:
            yield key, value


def _chain(guesses: Sequence[Guess]) -> Guess | None:
    """Return the first, which falls back on the next, and so on."""
    chained: Guess | None = None
    for one in reversed(guesses):
        chained = replace(one, instead=chained)
    return chained


def _any_of(guesses: Sequence[Guess]) -> Guess:
    values = {name: own for one in guesses for name, own in one.values.items()}
    return Guess({"$or": [dict(g.where) for g in guesses]}, values, guesses[0].confidence, guesses[0].said)
