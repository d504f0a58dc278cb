"""Base models held against the first of them, paired by question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipelines.compare.comparison import compare
from pipelines.compare.table import ComparisonRow
from pipelines.finetune.bench import Bench

_FIRST = "the others are held against it"


def compared(
    bench: Bench, rows: Sequence[Mapping[str, Any]], metrics: Sequence[str]
) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the rows with their differences to the first that was evaluated, and what is to be said of them all."""
    done = [row for row in rows if row["run"] is not None]
    known = [metric for metric in metrics if any(row[metric] is not None for row in done)]
    if not done:
        return [_told(row, {}, {}) for row in rows], []
    first, *others = done
    notes = [f"Differences are to {first['model']}, paired by question; p is corrected over the table after Holm."]
    distinct = [run for run in dict.fromkeys(row["run"] for row in others) if run != first["run"]]
    if not distinct or not known:
        return [_told(row, {}, _why(row, first, metrics)) for row in rows], notes if distinct else []
    table = compare(bench.scores(first["run"]), [bench.scores(run) for run in distinct], known)
    found = {(one.run_id, one.metric): one for one in table.rows}
    return [_told(row, _differences(row, found, metrics), _why(row, first, metrics)) for row in rows], notes


def _differences(
    row: Mapping[str, Any], found: Mapping[tuple[str, str], ComparisonRow], metrics: Sequence[str]
) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for metric in metrics:
        one = found.get((row["run"], metric))
        if one is not None:
            values |= {
                f"{metric} difference": one.difference,
                f"{metric} difference low": one.low,
                f"{metric} difference high": one.high,
                f"{metric} p": one.p_holm,
                f"{metric} verdict": one.verdict if one.difference is not None else None,
            }
    return values


def _why(row: Mapping[str, Any], first: Mapping[str, Any], metrics: Sequence[str]) -> dict[str, str]:
    """Return why a row has no difference, where that is no matter of figures."""
    if row["run"] is None:
        return {}
    names = [f"{metric} difference" for metric in metrics]
    if row is first:
        return dict.fromkeys(names, _FIRST)
    return dict.fromkeys(names, "it is the same as the first") if row["run"] == first["run"] else {}


def _told(row: Mapping[str, Any], values: Mapping[str, Any], reasons: Mapping[str, str]) -> dict[str, Any]:
    """Return a row with what was found, its reasons also as one text."""
    own = {key: why for key, why in {**row["reasons"], **reasons}.items() if values.get(key, row.get(key)) is None}
    said = {why: [key for key, other in own.items() if other == why] for why in dict.fromkeys(own.values())}
    text = "; ".join(f"{', '.join(keys)}: {why}" for why, keys in said.items())
    return {**row, **values, "reasons": own, "not_told": text or None}
