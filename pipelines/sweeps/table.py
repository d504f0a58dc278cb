"""The table of a sweep: one row a configuration, with what became of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipelines.runs.store import RunStore
from pipelines.runs.table import Cell, Table
from pipelines.sweeps.spec import SweepSpec
from pipelines.sweeps.trials import Sweep, Trial

_COSTS = ("latency_ms_p50", "usd")


def trials_table(sweep: Sweep, trials: Sequence[Trial], runs: RunStore, metrics: Sequence[str] = ()) -> Table:
    """Return the rows in the order of their numbers; `metrics` are shown besides objectives and costs.

    `standing` is what the report says of a row against the winner: None before there is one, and for rows left out.
    """
    names = list(dict.fromkeys([*_objectives(sweep), *metrics, *_costs(sweep)]))
    known = {row["id"]: row for row in runs.table(names, run_ids=[t.run_id for t in trials if t.run_id])}
    standing = {row["number"]: row for row in (sweep.report or {}).get("configurations", ())}
    knobs = list(dict.fromkeys(knob for trial in trials for knob in trial.params))
    headings = {f"{name} {part}": name if part == "mean" else f"{name} {part}" for name in names for part in _PARTS}
    rows = [
        _row(trial, knobs, known.get(trial.run_id or "", {}), headings, standing.get(trial.number, {}))
        for trial in trials
    ]
    ends = ("questions", "pipeline", "run", "reason")
    return Table(("number", "standing", "state", *knobs, *headings.values(), *ends), tuple(rows))


_PARTS = ("mean", "low", "high", "n")


def _row(
    trial: Trial, knobs: Sequence[str], run: Mapping[str, Any], headings: Mapping[str, str], told: Mapping[str, Any]
) -> dict[str, Cell]:
    return {
        "number": trial.number,
        "standing": told.get("standing"),
        "state": trial.state,
        **{knob: trial.params.get(knob) for knob in knobs},
        **{heading: run.get(column) for column, heading in headings.items()},
        "questions": trial.n_questions,
        "pipeline": trial.label,
        "run": trial.run_id,
        "reason": trial.reason,
    }


def _objectives(sweep: Sweep) -> list[str]:
    return [objective.metric for objective in SweepSpec.parse(sweep.settings, "the stored sweep").objectives]


def _costs(sweep: Sweep) -> list[str]:
    cut = _objectives(sweep)[0].partition("@")[2] or "5"
    return [f"context_tokens@{cut}", *_COSTS]
