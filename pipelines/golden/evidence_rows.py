"""One piece of evidence, as a row of questions.jsonl holds it."""

from __future__ import annotations

import math
from collections.abc import Mapping

from pipelines.records import Evidence
from pipelines.stages.load.reading import RuleError, clean, show
from pipelines.stages.load.values import identifier, refuse_unknown

EVIDENCE_KEYS = ("document_id", "start", "end", "quote", "grade", "group", "page")


def evidence_of(item: object, where: str) -> Evidence:
    """Return one piece of evidence; whether it fits its document is not looked at here.

    Raises:
        RuleError: for a missing, unknown or wrongly typed entry, and a span that is none.
    """
    if not isinstance(item, dict):
        raise RuleError("bad-evidence", f"{where} must be an object, but is {show(item)}; write {{...}}.")
    refuse_unknown(item, EVIDENCE_KEYS, where)
    document_id = identifier(item, "document_id", where)
    start, end = _span(item, where)
    group = None if item.get("group") is None else identifier(item, "group", where)
    quote, grade, page = optional_text(item, "quote", where), _grade(item, where), _page(item, where)
    return Evidence(document_id, start, end, quote, grade, group, page)


def _span(item: Mapping[str, object], where: str) -> tuple[int | None, int | None]:
    start, end = item.get("start"), item.get("end")
    if start is None and end is None:
        return None, None
    if _whole(start) and _whole(end) and isinstance(start, int) and isinstance(end, int) and 0 <= start < end:
        return start, end
    raise RuleError(
        "bad-span",
        f"{where}: the span is from {show(start)} to {show(end)}; it must be two whole numbers with 0 <= start < end: "
        "correct it, or leave both out and give the quote.",
    )


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _grade(item: Mapping[str, object], where: str) -> float:
    value = 1 if item.get("grade") is None else item["grade"]
    if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value) and value >= 0:
        return float(value)
    raise RuleError("bad-grade", f"{where}: 'grade' is {show(value)}; it must be a number of at least 0: correct it.")


def _page(item: Mapping[str, object], where: str) -> int | None:
    value = item.get("page")
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= 1):
        return value
    raise RuleError(
        "bad-page", f"{where}: 'page' is {show(value)}; it must be a whole number from 1: correct it, or leave it out."
    )


def optional_text(row: Mapping[str, object], key: str, where: str) -> str | None:
    """Return the text under `key`, or None.

    Raises:
        RuleError: when it is anything else.
    """
    value = row.get(key)
    if value is None or isinstance(value, str):
        return clean(value) if value else None
    raise RuleError("bad-text", f"{where}: '{key}' must be text, but is {show(value)}; put it in quotes.")
