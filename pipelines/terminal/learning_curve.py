"""A learning curve as the command line shows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.table import Table as Grid

from pipelines.api import Report
from pipelines.runs.table import rows_to_csv
from pipelines.terminal.finetune import leaks_said
from pipelines.terminal.output import grid, number

_COLUMNS = ["share", "pairs", "seeds", "metric", "before", "after", "gain", "95 % interval", "p", "n"]


def described_curve(report: Report) -> Iterator[str]:
    """Yield what is said above the table."""
    yield report["label"]
    yield report["splits"]["sentence"]
    yield from leaks_said(report["leaks"])


def not_drawn(report: Report) -> Iterator[str]:
    """Yield a line for every share that could not be trained on."""
    for point in report["points"]:
        if point["error"] is not None:
            yield f"{point['share']:.0%} could not be trained on: {point['error']}"


def curve_grid(report: Report) -> Grid:
    """Return one row a share of the train questions and metric."""
    return grid(_COLUMNS, [row for point in report["points"] for row in _rows(point)], numbers_from=1)


def _rows(point: Mapping[str, Any]) -> Iterator[list[str]]:
    first = [f"{point['share']:.0%}", _pairs(point["n_pairs"]), str(point["seeds"])]
    for gain in point["gains"]:
        interval = number(None) if gain["low"] is None else f"{gain['low']:+.3f} to {gain['high']:+.3f}"
        told = number(None) if gain["difference"] is None else f"{gain['difference']:+.3f}"
        means = [gain["metric"], number(gain["before"]), number(gain["after"])]
        yield [*first, *means, told, interval, number(gain["p"]), str(gain["n"])]


def _pairs(n: float | None) -> str:
    return number(None) if n is None else f"{n:,.0f}"


def curve_csv(report: Report) -> str:
    """Return one row a share and metric, in full precision; a share that was not trained has its reason."""
    rows: list[dict[str, Any]] = []
    for point in report["points"]:
        own = {name: point[name] for name in ("share", "n_pairs", "seeds")}
        rows += [{**own, **gain, "error": ""} for gain in point["gains"]]
        rows += [{**own, "error": point["error"]}] if point["error"] is not None else []
    columns = list(dict.fromkeys(name for row in rows for name in row))
    return rows_to_csv(columns, [{name: row.get(name) for name in columns} for row in rows])
