"""Sweeps as the command line shows them: the plan, how they stand, what may be concluded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.table import Table as Grid

from pipelines.api import Estimate, SweepView, Table
from pipelines.errors import counted
from pipelines.terminal.output import grid, number

_MOST_ROWS = 20
_MOST_KNOBS = 5


def described_estimate(estimate: Estimate) -> Iterator[str]:
    """Yield the lines of `--dry-run`."""
    of = "a random draw of " if estimate.sampled else ""
    there = f"of which {estimate.n_runs_there:,} are evaluated already"
    yield f"{of}{counted(estimate.n_configurations, 'configuration')}, {there}"
    yield (
        f"{counted(estimate.n_executions, 'stage execution')} after sharing, instead of {estimate.n_unshared:,}; "
        f"{estimate.n_stored:,} of them are in the store"
    )
    about = "" if estimate.exact else "about "
    yield (
        f"{about}{counted(estimate.n_chunks, 'chunk')} in {counted(estimate.n_chunkings, 'chunking')}; "
        f"{about}{counted(estimate.n_to_embed, 'distinct text')} to embed"
    )
    yield f"expected time: {_time(estimate)}"
    most = "at most " if estimate.tokens else ""
    yield f"tokens: {most}{estimate.tokens:,}; USD: {_usd(estimate)}"
    yield f"disk: {_bytes(estimate.disk_bytes)} of {_bytes(estimate.disk_free_bytes)} free"
    if estimate.disk_bytes > estimate.disk_free_bytes:
        yield "WARNING: that is more than is free; set RAG_WORKBENCH_HOME to a folder on another disk."
    for sentence in estimate.refused:
        yield f"left out: {sentence}"


def estimate_grid(estimate: Estimate) -> Grid:
    """Return one row a stage."""
    rows = [[s.stage, f"{s.n:,}", f"{s.n_stored:,}", _seconds(s.seconds)] for s in estimate.stages]
    return grid(["stage", "executions", "in the store", "expected"], rows)


def _time(estimate: Estimate) -> str:
    workers = f" with {estimate.workers} workers" if estimate.workers > 1 else ""
    if estimate.seconds is not None:
        return f"{_seconds(estimate.seconds)}{workers}"
    what = ", ".join(estimate.unknown)
    return f"unknown, for this machine was never measured at: {what}; what it has measured is in the table"


def _usd(estimate: Estimate) -> str:
    if estimate.usd is None:
        return f"{'unknown' if estimate.tokens else 0} ({estimate.usd_reason})"
    return f"at most {estimate.usd:.4f}"


def _seconds(seconds: float | None) -> str:
    if seconds is None:
        return "not measured yet"
    if seconds < 90:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _bytes(n: int) -> str:
    return f"{n / 1e9:.1f} GB" if n >= 1e9 else f"{n / 1e6:.0f} MB"


def sweeps_grid(views: Sequence[SweepView]) -> Grid:
    """Return one row a sweep, newest first."""
    columns = ["sweep", "name", "dataset", "split", "state", "configurations", "finished", "dropped", "failed"]
    return grid(columns, [_sweep_row(view) for view in views], numbers_from=5)


def _sweep_row(view: SweepView) -> list[str]:
    counts = [str(view.counts.get(state, 0)) for state in ("finished", "dropped", "failed")]
    one = view.sweep
    return [one.id, one.name, one.dataset_name, one.split, view.job.state, str(len(view.trials)), *counts]


def described_standing(view: SweepView) -> str:
    """Say in a line how a running sweep stands."""
    done, total = sum(trial.state != "waiting" for trial in view.trials), len(view.trials)
    rest = view.job.progress.get("eta_s")
    ends = f", about {_seconds(rest)} left" if rest is not None and view.job.active else ""
    return f"{view.job.state}: {done:,} of {counted(total, 'configuration')}{ends}"


def described_report(view: SweepView) -> Iterator[str]:
    """Yield what may be concluded, the choice first."""
    report = view.sweep.report
    if report is None:
        yield f"The sweep has no result yet ({described_standing(view)})."
        return
    if "reason" in report:
        yield str(report["reason"])
        return
    selection = report["selection"]
    yield selection["sentence"]
    yield selection["proposal"]["sentence"]
    yield selection["more_questions"]["sentence"]
    for one in report["optimism"]:
        yield one["sentence"]
    if report["optimism_estimate"]:
        yield report["optimism_estimate"]["sentence"]
    for front in report["fronts"]:
        yield _front(front)
    for note in report["notes"]:
        yield f"note: {note}"


def _front(front: Mapping[str, Any]) -> str:
    """Say which configurations no other one beats in all of some metrics, with how many there are to choose from."""
    numbers = ", ".join(f"#{n}" for n in front["numbers"][:_MOST_ROWS])
    more = f" and {len(front['numbers']) - _MOST_ROWS} more" if len(front["numbers"]) > _MOST_ROWS else ""
    aside = f" ({front['excluded']} left out: {front['reason']})" if front["excluded"] else ""
    return f"Front of {' and '.join(front['metrics'])} among {front['n']}: {numbers}{more}{aside}"


def effects_grid(report: Mapping[str, Any]) -> Grid:
    """Return one row a knob: what it was worth between its best and its worst level."""
    rows = [
        [e["knob"], str(e["best"]), str(e["worst"]), number(e["effect"]), _interval(e), str(e["n"])]
        for e in report["effects"]
    ]
    return grid(["knob", "best", "worst", "effect", "95 % interval", "n"], rows, numbers_from=3)


def _interval(row: Mapping[str, Any]) -> str:
    return "–" if row["low"] is None else f"{number(row['low'])} to {number(row['high'])}"


def trials_grid(table: Table, report: Mapping[str, Any] | None) -> Grid:
    """Return the first rows, best first once there is a report; the CSV file has them all, with every column."""
    place = {row["number"]: i for i, row in enumerate((report or {}).get("configurations", ()))}
    rows = sorted(table.rows, key=lambda row: place.get(row["number"], len(place)))[:_MOST_ROWS]
    knobs = list(table.columns[3 : next(i for i, c in enumerate(table.columns) if f"{c} n" in table.columns)])
    shown = [c for c in table.columns if f"{c} n" in table.columns]
    varies = [k for k in knobs if len({str(row.get(k)) for row in table.rows}) > 1]
    columns = ["number", "standing", "state", *varies[: _MOST_KNOBS * 2], *shown, "n", "run"]
    n = f"{shown[0]} n" if shown else "questions"
    cells = [[number(row.get(n if c == "n" else c)) for c in columns] for row in rows]
    return grid([c.replace("number", "#") for c in columns], cells, numbers_from=3 + len(varies[: _MOST_KNOBS * 2]))


def left_unshown(table: Table) -> Iterator[str]:
    """Yield what the grid does not show: how many rows, and why some have no numbers."""
    if len(table.rows) > _MOST_ROWS:
        yield f"({len(table.rows) - _MOST_ROWS:,} more rows: --csv FILE has them all)"
    reasons = Counter(str(row["reason"]) for row in table.rows if row["state"] == "failed")
    for reason, n in reasons.most_common(3):
        yield f"{n:,} failed: {reason}"
