"""Which periods a text names: absolute ones, and ones that are relative to a date."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

from pipelines.vocabulary.period_patterns import MONTH, MONTH_NUMBER, PATTERNS
from pipelines.vocabulary.periods import (
    Mention,
    Period,
    a_month,
    a_quarter,
    a_season,
    a_year,
    first_of_quarter,
    months_later,
)

_SURE, _EVENT, _INHERITED, _VAGUE, _BEFORE_SURE = 0.95, 0.35, 0.55, 0.6, 0.7
_BOUND = r"\s+(?:the\s+)?(?:about\s+)?(?:(?:end|start|beginning|close)\s+of\s+)?(?:the\s+)?$"
_SINCE = re.compile(r"\b(?:since|after|later\s+than|from)" + _BOUND, re.IGNORECASE)
_FROM = re.compile(r"\bfrom" + _BOUND, re.IGNORECASE)
_AFTER = re.compile(r"\b(?:after|later\s+than)" + _BOUND, re.IGNORECASE)
_BEFORE = re.compile(r"\b(?:before|prior\s+to|earlier\s+than)" + _BOUND, re.IGNORECASE)
_UNTIL = re.compile(
    r"\b(?:until|till|by|(?:up|moved|postponed|extended|delayed|deferred|put\s+off|runs?|valid|due)\s+to)" + _BOUND,
    re.IGNORECASE,
)
_BETWEEN = re.compile(r"\bbetween" + _BOUND, re.IGNORECASE)
_JOINS = re.compile(
    r"\s*(?:,?\s*(?:to|through|until|till|up\s+to)(?:\s+the)?(?:\s+(?:end|close)\s+of)?|[–—-])\s*", re.IGNORECASE
)
_AND = re.compile(r"\s*and(?:\s+the)?(?:\s+(?:end|close)\s+of)?\s*", re.IGNORECASE)
_QUARTER_ALONE = re.compile(
    r"\bq(?P<q>[1-4])\b|\b(?P<o>first|second|third|fourth|1st|2nd|3rd|4th|opening)\s+(?:fiscal\s+)?quarters?\b",
    re.IGNORECASE,
)
_ORDINALS = {"first": 1, "1st": 1, "opening": 1, "second": 2, "2nd": 2, "third": 3, "3rd": 3, "fourth": 4, "4th": 4}
_MONTH_ALONE = re.compile(
    rf"(?<!\w)(?:\d{{1,2}}\s+)?(?P<m>(?-i:(?=[A-Z])){'(?:' + MONTH + ')'})\b(?!\.?\s*\d)", re.IGNORECASE
)
_SEASON_ALONE = re.compile(r"\b(?:in|by|of|the)\s+(?P<s>spring|summer|autumn|winter)\b", re.IGNORECASE)
_A_YEAR = re.compile(r"(?:19|20)\d\d|['’]\d\d|\b(?:fy|cy|fiscal|year)\s?\d\d|\b[1-4][qh]\s?\d\d", re.IGNORECASE)
_BEFORE_CHARS, _BEHIND_CHARS = 60, 40
_UNIT_MONTHS = {"year": 12, "quarter": 3, "month": 1}
_NUMBERS = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "ten": 10, "twelve": 12, "couple of": 2, "few": 3}
_N = r"(?P<n>\d{1,2}|" + "|".join(_NUMBERS) + ")"
_UNIT = r"(?:fiscal\s+|calendar\s+|financial\s+)?(?P<u>year|quarter|month)s?\b"
_LAST = re.compile(rf"\b(?:last|previous|prior|past|preceding)\s+{_UNIT}(?!\s+(?:of|in)\b)", re.IGNORECASE)
_LAST_N = re.compile(rf"\b(?:last|previous|prior|past|preceding)\s+{_N}\s+{_UNIT}", re.IGNORECASE)
_THIS = re.compile(rf"\b(?:this|current|present)\s+{_UNIT}(?!['’]?s?\s+(?:edition|version|rules)\b)", re.IGNORECASE)
_AGO = re.compile(rf"\b(?:(?P<n>\d{{1,2}}|an?|one|{'|'.join(_NUMBERS)})\s+{_UNIT}\s+ago)\b", re.IGNORECASE)
_TO_DATE = re.compile(r"\b(?:year[- ]to[- ]date|ytd|so\s+far\s+this\s+year)\b", re.IGNORECASE)


def mentions(text: str, reference: date | None = None) -> list[Mention]:
    """Return the periods that a text names, in order.

    "last year" and the like count from `reference`, and only where no other period is named: beside one they are
    relative to it. A month or a quarter without a year has that of the nearest period behind it, or else before it.
    """
    found, left = _absolute(text)
    if found:
        # "Q2 and Q3 2024", "in May 2024 ... by November"
        found += _inheriting(left, found)
    else:
        found = _quarters_alone(left)
    if not found and reference is not None:
        found = _relative(text, reference)
    ordered = sorted(found, key=lambda one: one.begin)
    return [_related(text, one) for one in _joined(text, ordered)]


def named_period(value: str) -> Period | None:
    """Return the period that a whole value names, such as "FY2023", "2023-Q1" or "H1 2024"; None for any other text."""
    found, left = _absolute(value.replace("_", " "))
    rest = re.sub(r"[\s_\-./,()]", "", left)
    return found[0].period if len(found) == 1 and not rest else None


def _absolute(text: str) -> tuple[list[Mention], str]:
    """Return what is named with its year, and the text with blanks in its place."""
    found: list[Mention] = []
    left = list(text)
    for start, end in _windows(text):
        own, plain = _within(text[start:end])
        found += [replace(one, begin=one.begin + start, end=one.end + start) for one in own]
        left[start:end] = plain
    return found, "".join(left)


def _windows(text: str) -> list[tuple[int, int]]:
    """Return the parts of a text around whatever could be a year: the rest need not be looked at."""
    windows: list[tuple[int, int]] = []
    for match in _A_YEAR.finditer(text):
        start, end = max(0, match.start() - _BEFORE_CHARS), min(len(text), match.end() + _BEHIND_CHARS)
        if windows and start <= windows[-1][1]:
            windows[-1] = windows[-1][0], end
        else:
            windows.append((start, end))
    return windows


def _within(text: str) -> tuple[list[Mention], str]:
    found: list[Mention] = []
    left = text
    for pattern, meaning in PATTERNS:
        for match in list(pattern.finditer(left)):
            periods = [p for p in meaning(match) if p is not None]
            begin = match.start() + len(match[0]) - len(match[0].lstrip())
            found += [Mention(p, begin, match.end(), confidence=_confidence(p)) for p in periods]
            if periods:
                left = left[: match.start()] + " " * len(match[0]) + left[match.end() :]
    return found, left


def _confidence(period: Period) -> float:
    sure = {"year": _SURE, "quarter": _SURE, "half": _SURE, "season": 0.7, "month": 0.65, "part": _VAGUE, "day": _VAGUE}
    return sure.get(period.grain, 0.8)


def _inheriting(text: str, found: Sequence[Mention]) -> list[Mention]:
    own = []
    for match in _QUARTER_ALONE.finditer(text):
        near = _nearest(match.start(), found)
        quarter = int(match["q"]) if match["q"] else _ORDINALS[match["o"].lower()]
        own.append(Mention(a_quarter(near, quarter), match.start(), match.end(), confidence=_SURE))
    for match in _MONTH_ALONE.finditer(text):
        near = _nearest(match.start(), found)
        own.append(Mention(a_month(near, MONTH_NUMBER[match["m"].lower()]), *match.span(), confidence=_INHERITED))
    for match in _SEASON_ALONE.finditer(text):
        period = a_season(_nearest(match.start(), found), match["s"].lower())
        own.append(Mention(period, *match.span(), confidence=_INHERITED))
    return own


def _nearest(at: int, found: Sequence[Mention]) -> int:
    with_year = [(one.begin, one.period) for one in found if one.period is not None]
    behind = [pair for pair in with_year if 0 < pair[0] - at < 20]
    return min(behind or with_year, key=lambda pair: abs(pair[0] - at))[1].start.year


def _quarters_alone(text: str) -> list[Mention]:
    return [
        Mention(None, *m.span(), confidence=0.8, quarter=int(m["q"]) if m["q"] else _ORDINALS[m["o"].lower()])
        for m in _QUARTER_ALONE.finditer(text)
    ]


def _relative(text: str, reference: date) -> list[Mention]:
    found = [(m, _back(reference, m["u"], _count(m["n"]), 1)) for m in _LAST_N.finditer(text)]
    found += [(m, _single(reference, m["u"], 1)) for m in _LAST.finditer(text)]
    found += [(m, _single(reference, m["u"], 0)) for m in _THIS.finditer(text)]
    found += [(m, _single(reference, m["u"], _count(m["n"]))) for m in _AGO.finditer(text)]
    start = date(reference.year, 1, 1)
    found += [(m, Period(start, reference + timedelta(days=1), "range")) for m in _TO_DATE.finditer(text)]
    return [Mention(period, *m.span(), confidence=0.8, relative=True) for m, period in found]


def _count(text: str) -> int:
    low = " ".join(text.lower().split())
    return int(low) if low.isdigit() else _NUMBERS.get(low, 1)


def _single(reference: date, unit: str, back: int) -> Period:
    """Return the year, quarter or month that lies `back` units before that of the reference date."""
    unit = unit.lower()
    if unit == "year":
        return a_year(reference.year - back)
    if unit == "month":
        day = months_later(reference, -back)
        return a_month(day.year, day.month)
    day = months_later(first_of_quarter(reference.year, (reference.month + 2) // 3), -3 * back)
    return a_quarter(day.year, (day.month + 2) // 3)


def _back(reference: date, unit: str, n: int, least: int) -> Period:
    """Return the last `n` units up to the reference date, its own unit included."""
    start = months_later(reference, -_UNIT_MONTHS[unit.lower()] * max(n, least))
    return Period(start, reference + timedelta(days=1), "range")


def _joined(text: str, found: Sequence[Mention]) -> list[Mention]:
    """Join "from A to B" and "between A and B" to one period."""
    joined: list[Mention] = []
    for one in found:
        before = joined[-1] if joined else None
        if before is not None and before.period and one.period and _is_range(text, before, one):
            sure = min(_SURE, max(before.confidence, one.confidence))
            joined[-1] = Mention(before.period.until(one.period), before.begin, one.end, confidence=sure)
        else:
            joined.append(one)
    return joined


def _is_range(text: str, one: Mention, other: Mention) -> bool:
    between = text[one.end : other.begin]
    if _JOINS.fullmatch(between):
        return True
    return _AND.fullmatch(between) is not None and _BETWEEN.search(text[: one.begin]) is not None


def _related(text: str, one: Mention) -> Mention:
    """Take in what stands before: since, before. What merely lasts from, until or by a date is an event."""
    before = text[: one.begin]
    if one.period is None or one.period.grain == "range":
        return one
    if _AFTER.search(before):
        later = Period(one.period.end, one.period.end + timedelta(days=1), "range", one.period.fiscal)
        return replace(one, period=later, relation="since", confidence=0.7)
    if _FROM.search(before) or _UNTIL.search(before):
        return replace(one, confidence=_EVENT)
    if _SINCE.search(before):
        return replace(one, relation="since", confidence=0.75)
    if _BEFORE.search(before):
        return replace(one, relation="before", confidence=_BEFORE_SURE)
    return one
