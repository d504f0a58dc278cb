"""Dates and fiscal periods: when a document is from and what time it is about, or which periods a chunk mentions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import Field

from pipelines.records import Column, MetadataValue
from pipelines.stages.extract.texts import TextExtractor, commonest, joined, rows_to_columns
from pipelines.vocabulary.mentions import mentions
from pipelines.vocabulary.periods import Mention, Period

_CUES = r"published|dated?|issued|released|filed|as\s+of|approved|effective"
_CUE = re.compile(rf"(?:{_CUES})\W{{0,3}}(?:on\s+)?$", re.IGNORECASE)
_FIELD = r"^\S(.*\S)?$"
_ABOUT = ("quarter", "half", "year")
_PERIOD_SURE = 0.8
Row = tuple[MetadataValue | None, ...]


class DatesExtractor(TextExtractor, name="dates", version=1):
    """Find years, quarters and dates as English texts write them: FY2023, Q3 2024, 3Q24, H1 2024, 31 March 2023.

    For a document: the period that it is about, by its id, else by the beginning of its text; and the first full date
    there. For a chunk: the year and quarter that it mentions most, which need not be what its document is about: give
    it fields of its own, such as mentioned_year. Fiscal years count as calendar years. About 2,000 chunks a second.
    """

    level: Literal["chunk", "document"] = Field(
        "document", description="What the document is from and about, or which periods each chunk mentions"
    )
    date_field: str = Field("date", pattern=_FIELD, max_length=100, description="Field of the date, as 2023-03-31")
    year_field: str = Field("year", pattern=_FIELD, max_length=100, description="Field of the year, a number")
    quarter_field: str = Field("quarter", pattern=_FIELD, max_length=100, description="Field of the quarter, as Q1")
    periods_field: str = Field(
        "periods", pattern=_FIELD, max_length=100, description="Field of all periods, as 2023-Q1; 2022"
    )
    head_chars: int = Field(
        1500,
        ge=100,
        le=100_000,
        description="How much of a document's beginning says what it is about",
        json_schema_extra={"unit": "characters"},
    )

    def read(self, texts: Sequence[str], ids: Sequence[str]) -> Mapping[str, Column]:
        """Return the fields of date, year, quarter and all periods."""
        names = (self.date_field, self.year_field, self.quarter_field, self.periods_field)
        if self.level == "chunk":
            return rows_to_columns(names, [_mentioned(mentions(text)) for text in texts])
        return rows_to_columns(names, [self._about(text, name) for text, name in zip(texts, ids, strict=True)])

    def _about(self, text: str, document_id: str) -> Row:
        head = text[: self.head_chars]
        in_id, in_head = _of_id(document_id), mentions(head)
        period = _first(in_id) or _first(in_head)
        year = period.start.year if period else commonest(y for one in in_head for y in _years(one))
        quarter = f"Q{(period.start.month + 2) // 3}" if period and period.grain == "quarter" else None
        periods = [*in_id, *in_head]
        return _date(in_id, "") or _date(in_head, head), year, quarter, joined(filter(None, map(_name, periods)))


def _of_id(document_id: str) -> list[Mention]:
    """Return what an id names: 2023-05-23 as it stands, else q2-2023 and 2023_q2 with blanks for what joins them."""
    plain = document_id.replace("_", " ").replace("/", " ")
    found = mentions(plain)
    return found or mentions(plain.replace("-", " ").replace(".", " "))


def _first(found: Sequence[Mention]) -> Period | None:
    """Return the first quarter that is named; else the first half year or year."""
    sure = [m.period for m in found if m.period and m.period.grain in _ABOUT and m.confidence >= _PERIOD_SURE]
    return next((p for p in sure if p.grain == "quarter"), next(iter(sure), None))


def _date(found: Sequence[Mention], text: str) -> str | None:
    """Return the first day that stands behind a word such as "dated"; else the first day."""
    days = [(m.begin, m.period.start.isoformat()) for m in found if m.period and m.period.grain == "day"]
    told = [day for begin, day in days if _CUE.search(text[:begin])]
    return next(iter(told), next((day for _, day in days), None))


def _mentioned(found: Sequence[Mention]) -> Row:
    dates = [one.period.start.isoformat() for one in found if one.period and one.period.grain == "day"]
    quarters = [f"Q{n}" for one in found if (n := _quarter(one)) is not None]
    years = [year for one in found for year in _years(one)]
    return commonest(dates), commonest(years), commonest(quarters), joined(filter(None, map(_name, found)))


def _years(one: Mention) -> Sequence[int]:
    return one.period.years() if one.period else ()


def _quarter(one: Mention) -> int | None:
    if one.period is None:
        return one.quarter
    return (one.period.start.month + 2) // 3 if one.period.grain == "quarter" else None


def _name(one: Mention) -> str | None:
    """Return a period as metadata write it: 2023, 2023-Q1, 2023-H1, 2023-03, 2023-03-31."""
    period = one.period
    if period is None or period.grain in ("range", "part", "season"):
        return None
    start = period.start
    names = {
        "year": f"{start.year}",
        "quarter": f"{start.year}-Q{(start.month + 2) // 3}",
        "half": f"{start.year}-H{1 if start.month == 1 else 2}",
        "month": f"{start:%Y-%m}",
        "day": start.isoformat(),
    }
    return names[period.grain]
