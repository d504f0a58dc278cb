"""Extractions and filters as the command line shows them."""

from __future__ import annotations

from collections.abc import Iterator

from rich.table import Table as Grid

from pipelines.api import ExtractionReport, FieldReport, FilterReport, ReadQuestion
from pipelines.errors import counted, shorten
from pipelines.terminal.output import grid, number

_MOST_QUESTIONS = 10


def extraction_grid(report: ExtractionReport) -> Grid:
    """Return one row an extracted field: of how many chunks it is known, and how much of it is right."""
    columns = ["field", "most frequent", "values", "chunks", "coverage", "compared", "accuracy"]
    return grid(columns, [_field_row(one) for one in report.fields], numbers_from=2)


def _field_row(one: FieldReport) -> list[str]:
    some = shorten(", ".join(f"{value} ({n})" for value, n in one.commonest[:3]), 60)
    numbers = [str(one.n_values), f"{one.found:,}", number(one.coverage), f"{one.both:,}", number(one.accuracy)]
    return [shorten(one.field, 40), some, *numbers]


def filter_grid(report: FilterReport) -> Grid:
    """Return what the filter leaves and gains, each figure with its n."""
    gain = report.gain
    interval = "" if gain.low is None else f" ({number(gain.low)} to {number(gain.high)})"
    rows = [
        [f"{gain.metric} with the filter", number(gain.with_filter), str(gain.n)],
        [f"{gain.metric} without", number(gain.without), str(gain.n)],
        ["difference, 95 % interval", f"{number(gain.difference)}{interval}", str(gain.n)],
        ["evidence left (gold_survival)", number(report.gold_survival.mean), str(report.gold_survival.n)],
        ["chunks removed", number(report.candidates_removed.mean), str(report.candidates_removed.n)],
        ["values read that are labelled", number(report.precision.mean), str(report.precision.n)],
        ["labels that were read", number(report.recall.mean), str(report.recall.n)],
    ]
    return grid([f"filter '{report.component}'", "", "n"], rows)


def filter_fields_grid(report: FilterReport) -> Grid:
    """Return, for each labelled field, how many of its labels were read."""
    rows = [
        [
            shorten(one.field, 40),
            str(one.labelled),
            str(one.read),
            str(one.right),
            number(one.precision),
            number(one.recall),
        ]
        for one in report.fields
    ]
    return grid(["field", "labels", "read", "right", "precision", "recall"], rows)


def described_filter(report: FilterReport) -> Iterator[str]:
    """Yield its notes, and the questions that lose evidence to it."""
    for note in report.notes:
        yield f"note: {note}"
    lost = sorted(report.lost, key=lambda one: one.gold_survival or 0)
    if lost:
        lose = "loses" if len(lost) == 1 else "lose"
        yield f"{counted(len(lost), 'question')} of {report.n_questions:,} {lose} evidence to the filter:"
    for one in lost[:_MOST_QUESTIONS]:
        yield f"  {number(one.gold_survival)}  {shorten(one.text, 100)}  [{_read(one)}]"


def _read(one: ReadQuestion) -> str:
    told = [f"{shorten(str(dict(c.where)), 80)} {c.confidence:.2f}" for c in one.conditions]
    return "; ".join(told) or "nothing read"
