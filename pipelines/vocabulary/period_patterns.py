"""How periods are written in English, as patterns, each with what it means. Earlier ones take precedence."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from pipelines.vocabulary.periods import (
    Period,
    a_day,
    a_half,
    a_month,
    a_part,
    a_quarter,
    a_season,
    a_split_year,
    a_year,
    some_months,
)

_MONTHS = "january february march april may june july august september october november december".split()
MONTH_NUMBER = {name: i + 1 for i, name in enumerate(_MONTHS)} | {name[:3]: i + 1 for i, name in enumerate(_MONTHS)}
MONTH_NUMBER["sept"] = 9
_ORDINALS = {
    "first": 1, "second": 2, "third": 3, "fourth": 4, "1st": 1, "2nd": 2, "3rd": 3, "4th": 4,
    "opening": 1, "final": 4, "last": 4, "closing": 4,
}  # fmt: skip
_SHORT = "fy|cy"
_LONG = r"fiscal(?:\s+year)?|financial\s+year|calendar\s+year"
_FULL = r"(?<![\d.,$€£-])(?:19|20)\d\d(?:/\d\d(?:\d\d)?)?(?![\d%]|[.,]\d|[-/]\d)"
YEAR = rf"(?:(?:{_SHORT}|{_LONG}|year)?\s*{_FULL}|(?:{_SHORT})\s?['’]?\d\d(?!\d)|['’]\d\d(?!\d))"
_BARE = r"(?<![\d.,$€£-])(?:(?:19|20)\d\d)(?!\d|[.,]\d|-\d)"
MONTH = "|".join(sorted(MONTH_NUMBER, key=len, reverse=True))
_ORDINAL = "|".join(_ORDINALS)
_OF = r"\s*(?:,|of|in|for)?\s*(?:the\s+)?"
_TO = r"\s*(?:to|through|until|–|—|-)\s*"

Meaning = Callable[[re.Match[str]], Sequence[Period | None]]


def year_of(text: str) -> tuple[int, bool]:
    """Return the year that a matched text names, and whether as a fiscal one; of 2022/23 the first."""
    digits = re.search(r"\d{2,4}", text)
    year = int(digits[0]) if digits else 0
    fiscal = re.match(r"\s*(?:fy|fiscal|financial)", text, re.IGNORECASE) is not None
    return (year + 2000 if year < 100 else year), fiscal or "/" in text


def whole_year(text: str) -> Period:
    """Return the year that a text such as "2023", "FY23" or "2022/23" names."""
    year, fiscal = year_of(text)
    return a_split_year(year) if re.search(r"\d[/-]\d", text) else a_year(year, fiscal=fiscal)


def _quarters(found: re.Match[str]) -> Sequence[Period]:
    groups = found.groupdict()
    named = [groups[name] for name in ("q", "q2") if groups.get(name)]
    year, fiscal = year_of(found["y"])
    return [a_quarter(year, _number(q), fiscal=fiscal) for q in named]


def _each_year(found: re.Match[str]) -> Sequence[Period]:
    years = [int(y) for y in re.findall(r"(?:19|20)\d\d", found["y"])]
    return [a_quarter(year, _number(found["q"])) for year in years]


def _halves(found: re.Match[str]) -> Sequence[Period]:
    year, fiscal = year_of(found["y"])
    return [a_half(year, min(2, _number(found["q"])), fiscal=fiscal)]


def _day(found: re.Match[str]) -> Sequence[Period | None]:
    month = _month(found["m"])
    return [a_day(int(found["y"]), month, int(found["d"]))]


def _slashed(found: re.Match[str]) -> Sequence[Period | None]:
    """Read 31/03/2023 and 03/31/2023; where day and month could be either, only the year is sure."""
    one, other, year = int(found["d"]), int(found["m"]), int(found["y"])
    if one <= 12 and other <= 12 and one != other and "/" in found[0]:
        return [a_year(year)]
    return [a_day(year, other, one) if other <= 12 else a_day(year, one, other)]


def _ended(found: re.Match[str]) -> Sequence[Period | None]:
    month = _month(found["m"])
    return [a_quarter(int(found["y"]), (month + 2) // 3)]


def _some_months(found: re.Match[str]) -> Sequence[Period]:
    first, last = _month(found["m"]), _month(found["m2"])
    return [some_months(year_of(found["y"])[0], first, last)] if first <= last else []


def _month_of(found: re.Match[str]) -> Sequence[Period]:
    return [a_month(year_of(found["y"])[0], _month(found["m"]))]


def _part(found: re.Match[str]) -> Sequence[Period]:
    word = found["p"].lower()
    kind = "mid" if word.startswith("mid") else "early" if word.startswith(("early", "beg", "start")) else "late"
    return [a_part(year_of(found["y"])[0], kind)]


def _number(text: str) -> int:
    return int(text) if text.isdigit() else _ORDINALS[text.lower()]


def _month(text: str) -> int:
    return int(text) if text.isdigit() else MONTH_NUMBER[text.lower()]


def _any(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


_DAY_MONTH = rf"(?:(?P<d>\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?(?P<m>{MONTH})\b\.?,?\s+(?P<y>{_BARE}))"
_MONTH_DAY = rf"(?:(?P<m>{MONTH})\b\.?\s+(?P<d>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<y>{_BARE}))"
_ENDED = r"\b(?:three\s+months|quarter|period)\s+(?:ended|ending|to)\s+(?:on\s+)?"

PATTERNS: tuple[tuple[re.Pattern[str], Meaning], ...] = (
    (_any(_ENDED + _DAY_MONTH), _ended),
    (_any(_ENDED + _MONTH_DAY), _ended),
    (_any(rf"\b(?P<q>{_ORDINAL})(?:\s+and|\s+to|\s+through|\s+or|,)\s+(?:the\s+)?(?P<q2>{_ORDINAL})\s+quarters?"
          rf"{_OF}(?P<y>{YEAR})"), _quarters),
    (_any(rf"\b(?P<q>{_ORDINAL})\s+quarters{_OF}(?P<y>{_BARE}(?:\s*(?:,|and|or|&|to)+\s*{_BARE})+)"), _each_year),
    (_any(rf"\b(?P<q>{_ORDINAL})\s+(?:fiscal\s+|financial\s+)?quarters?{_OF}(?P<y>{YEAR})"), _quarters),
    (_any(rf"(?P<y>{YEAR})(?:['’]s)?\s+(?P<q>{_ORDINAL})\s+(?:fiscal\s+)?quarter\b"), _quarters),
    (_any(rf"\b(?P<q>first|last|final)\s+three\s+months{_OF}(?P<y>{YEAR})"), _quarters),
    (_any(rf"\bq\s?(?P<q>[1-4])(?:\s*[,./-]|\s+of|\s+in|\s+for)?\s*(?P<y>{YEAR}|(?:19|20)\d\d(?!\d))"), _quarters),
    (_any(rf"\b(?P<q>[1-4])q\s*(?P<y>{YEAR}|(?:19|20)\d\d(?!\d)|\d\d(?!\d))"), _quarters),
    (_any(rf"(?P<y>{YEAR}|\b(?:19|20)\d\d)\s*[-/,:_]?\s*q(?P<q>[1-4])\b"), _quarters),
    (_any(rf"\bh(?P<q>[12])\s*[-/,]?\s*(?:of\s+|in\s+)?(?P<y>{YEAR}|(?:19|20)\d\d(?!\d))"), _halves),
    (_any(rf"\b(?P<q>[12])h\s*(?P<y>{YEAR}|(?:19|20)\d\d(?!\d)|\d\d(?!\d))"), _halves),
    (_any(rf"(?P<y>{YEAR}|\b(?:19|20)\d\d)\s*[-/,:_]?\s*h(?P<q>[12])\b"), _halves),
    (_any(rf"\b(?P<q>first|second|last)\s+(?:half|six\s+months){_OF}(?P<y>{YEAR})"), _halves),
    (_any(_DAY_MONTH), _day),
    (_any(_MONTH_DAY), _day),
    (_any(r"(?<![\d-])(?P<y>(?:19|20)\d\d)-(?P<m>0[1-9]|1[0-2])-(?P<d>[0-3]\d)(?!\d)"), _day),
    (_any(r"(?<![\d./])(?P<d>\d{1,2})(?P<sep>[./])(?P<m>\d{1,2})(?P=sep)(?P<y>(?:19|20)\d\d)(?!\d)"), _slashed),
    (_any(rf"\b(?P<m>{MONTH})\b\.?{_TO}(?P<m2>{MONTH})\b\.?\s*(?:of\s+)?(?P<y>{YEAR})"), _some_months),
    (_any(rf"\b(?P<m>{MONTH})\b\.?,?\s*(?:of\s+)?(?P<y>{_BARE}|['’]\d\d(?!\d))"), _month_of),
    (_any(r"(?<![\d-])(?P<y>(?:19|20)\d\d)-(?P<m>0[1-9]|1[0-2])(?![-\d])"), _month_of),
    (_any(rf"\b(?P<s>spring|summer|autumn|fall|winter)\s+(?:of\s+|in\s+)?(?P<y>{_BARE})"),
     lambda found: [a_season(int(found["y"]), found["s"].lower())]),
    (_any(r"\b(?P<p>early|beginning|start|mid|middle|late|end|close)\b(?:\s+of|\s+in|-)?\s*(?:the\s+year\s+)?"
          r"(?P<y>(?:19|20)\d\d)(?!\d|[.,]\d|-\d)"), _part),
    (_any(rf"\b(?:{_SHORT}|{_LONG})\s*['’]?(?P<y>(?:19|20)\d\d(?:[/-]\d\d(?:\d\d)?)?|\d\d)(?!\d)"),
     lambda found: [whole_year(found[0])]),
    (_any(r"(?<![\d/.-])(?P<y>(?:19|20)\d\d/\d\d)(?!\d|/)"), lambda found: [whole_year(found["y"])]),
    (_any(rf"(?<!\w)(?P<y>{_BARE})(?![\w%])"), lambda found: [whole_year(found["y"])]),
)  # fmt: skip
