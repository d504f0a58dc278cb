"""Base models side by side as the command line shows them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from rich.table import Table as Grid

from pipelines.api import ModelsView
from pipelines.errors import shorten
from pipelines.runs.jobs import Job
from pipelines.terminal.finetune import size
from pipelines.terminal.output import grid, number

_SIZES = ("disk_bytes", "memory_bytes")
_TEXT = ("licence",)


def quality_grid(view: ModelsView) -> Grid:
    """Return what each model that could be compared is worth; the CSV file has every column."""
    return _grid(view, {*_metrics(view), *(f"{metric} difference" for metric in _metrics(view))})


def cost_grid(view: ModelsView) -> Grid:
    """Return what each of them takes."""
    shown = {column.name for column in view.columns if column.shown} - {"model"}
    return _grid(view, shown - {*_metrics(view), *(f"{metric} difference" for metric in _metrics(view))})


def _metrics(view: ModelsView) -> Sequence[str]:
    metrics: Sequence[str] = view.job.payload["metrics"]
    return metrics


def _grid(view: ModelsView, names: Collection[str]) -> Grid:
    columns = [column for column in view.columns if column.name in names]
    rows = [
        [shorten(row["model"], 40), *(_cell(row, column.name) for column in columns)]
        for row in view.rows
        if row["error"] is None
    ]
    return grid(["model", *(column.title for column in columns)], rows)


def _cell(row: Mapping[str, Any], name: str) -> str:
    value = row[name]
    if value is None or name in _TEXT:
        return shorten(value, 30) if value else number(None)
    if name in _SIZES:
        return size(value) if row["memory_from"] == "measured" or name == "disk_bytes" else f"about {size(value)}"
    if f"{name} low" in row:
        return _with_interval(row, name)
    if name == "texts_per_second":
        return f"{value:,.1f}" if value < 100 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _with_interval(row: Mapping[str, Any], name: str) -> str:
    """Return a mean or a difference with its interval; of a mean the number of questions too."""
    sign = "+" if name.endswith("difference") else ""
    low, high = row[f"{name} low"], row[f"{name} high"]
    ends = "" if low is None or high is None else f" [{low:{sign}.3f}, {high:{sign}.3f}]"
    counted = f" n={row[f'{name} n']}" if f"{name} n" in row else ""
    return f"{row[name]:{sign}.3f}{ends}{counted}"


def described_models(view: ModelsView) -> Iterator[str]:
    """Yield what is said below the table: notes, how speed was measured, what is not told, what failed."""
    yield from view.notes
    for row in view.rows:
        if row["error"] is not None:
            yield f"{row['model']} could not be compared: {row['error']}"
            continue
        for title, name in (("texts/s", "speed_from"), ("note", "notes"), ("not told", "not_told")):
            if row[name]:
                yield f"{row['model']}, {title}: {row[name]}"


def models_lines() -> Callable[[Job], None]:
    """Return what tells how far a comparison is, a line a model."""
    last: list[object] = [None]

    def tell(job: Job) -> None:
        now = job.progress.get("model") if job.active else job.state
        if now and now != last[0]:
            last[0] = now
            far = f"{job.progress.get('model_number')} of {job.progress.get('models_total')}: {now}"
            sys.stderr.write(f"{shorten(job.title)}: {far if job.active else now}\n")

    return tell
