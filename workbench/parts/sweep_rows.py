"""The table of a sweep's configurations; the file holds exactly what is shown, and a tick opens a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from pipelines import api
from pipelines.errors import NotFoundError
from pipelines.records import Metric
from pipelines.runs.table import Cell, Table
from pipelines.sweeps.objectives import Objective
from workbench import grids, handover
from workbench.text import counted, plain

Row = Mapping[str, Cell]
_WHICH = ("All", "Not shown to be worse", "On a front", "Dropped or failed")
_BEST_FIRST = "best first"
_PARTS = ("low", "high")
_LEADING = ("number", "standing", "state")
_ABOUT = {
    "standing": "Against the winner, on the same questions: identical, tied (not shown to be worse), worse",
    "questions": "How many it was evaluated on; a race drops a row before the last one",
}


def show(view: api.SweepView) -> None:
    """Draw filters, table and what can be done with it."""
    whole = every(view)
    declared = metrics(whole)
    which, by, text, intervals = _filters(list(declared))
    rows = [row for row in whole.rows if _is(which, row, view) and text.casefold() in _haystack(row)]
    found = Table(_columns(whole, rows, intervals), _ordered(rows, by, view, declared))
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.download_button(
            "Download CSV", found.to_csv(), "sweep.csv", "text/csv", icon=":material/download:", on_click="ignore"
        )
        shown = f"{len(found.rows):,} of " if len(found.rows) != len(whole.rows) else ""
        st.caption(f"{shown}{counted(len(whole.rows), 'configuration')}. Tick a row to open its run.")
    if not found.rows:
        st.info("No configuration is among these.")
        return
    grid(found, "sweep.rows", most_rows=18)


def _filters(names: Sequence[str]) -> tuple[str, str, str, bool]:
    places = st.columns([1.2, 1, 1.6, 0.8], vertical_alignment="bottom")
    with places[0]:
        which = handover.choose("Show", _WHICH, "which")
    with places[1]:
        by = handover.choose("Order", [_BEST_FIRST, "number", *names], "order")
    with places[2]:
        text = handover.search("Search pipeline, knobs or reason", "find")
    with places[3]:
        own = handover.key("intervals")
        intervals = st.toggle("95 % intervals", key=own, value=handover.asked("intervals") == "yes")
        handover.keep(intervals="yes" if intervals else None)
    return str(which), str(by), text, intervals


def every(view: api.SweepView) -> Table:
    """Return all rows of a sweep that has ended, which change no more."""
    return _table(view.sweep.id, view.job.ended, len(view.trials), view)


@st.cache_data(max_entries=16, show_spinner="Reading the configurations …")
def _table(sweep_id: str, ended: float | None, n_trials: int, _view: api.SweepView) -> Table:
    return api.sweep_table(_view)


def metrics(table: Table) -> dict[str, Metric]:
    """Return the metrics that a sweep's table has columns of, by name: each stands beside its n."""
    names = [name for name in table.columns if f"{name} n" in table.columns]
    return {name: Objective.parse(name).declared for name in names}


def _is(which: str, row: Row, view: api.SweepView) -> bool:
    if which == "Not shown to be worse":
        return row["standing"] in ("winner", "identical", "tied")
    if which == "Dropped or failed":
        return row["state"] in ("dropped", "failed")
    fronts = (view.sweep.report or {}).get("fronts", ())
    return which == "All" or any(row["number"] in front["numbers"] for front in fronts)


def _haystack(row: Row) -> str:
    return " ".join(str(value) for value in row.values() if isinstance(value, str)).casefold()


def _columns(table: Table, rows: Sequence[Row], intervals: bool) -> tuple[str, ...]:
    """Return the columns that are shown, figures before knobs; a reason stands first where every row has one.

    What no row has a value of is left out; the ends of intervals are there when asked for.
    """
    declared = metrics(table)
    known = {name for name in table.columns if any(row.get(name) is not None for row in rows)}
    figures = [name for name in table.columns if _metric(name, declared) in known & set(declared)]
    figures = [name for name in figures if intervals or name.rpartition(" ")[2] not in _PARTS]
    reasons = ["reason"] if rows and all(row.get("reason") for row in rows) else []
    first = [name for name in _LEADING if name in known]
    rest = [name for name in table.columns if name in known and _metric(name, declared) not in declared]
    return tuple(dict.fromkeys([*first, *reasons, *figures, *rest]))


def _metric(column: str, declared: Mapping[str, Metric]) -> str:
    """Return the metric that a column is of: its mean, its n, an end of its interval."""
    return column if column in declared else column.rpartition(" ")[0]


def _ordered(rows: Sequence[Row], by: str, view: api.SweepView, declared: Mapping[str, Metric]) -> tuple[Row, ...]:
    if by == _BEST_FIRST:
        ranked = (view.sweep.report or {}).get("configurations", ())
        place = {one["number"]: i for i, one in enumerate(ranked)}
        return tuple(sorted(rows, key=lambda row: (place.get(row["number"], len(place)), row["number"])))
    if by == "number":
        return tuple(rows)
    present = [row for row in rows if row.get(by) is not None]
    absent = [row for row in rows if row.get(by) is None]
    return (*sorted(present, key=lambda row: row[by], reverse=declared[by].higher_is_better), *absent)


def so_far(view: api.SweepView) -> Table:
    """Return the rows that are finished, dropped or failed, without what only a finished sweep has."""
    whole = api.sweep_table(view)
    rows = tuple(row for row in whole.rows if row["state"] != "waiting")
    return Table(_columns(whole, rows, False), rows)


def grid(table: Table, key: str, most_rows: int) -> None:
    """Draw rows; a tick opens the run, or says why there is none."""
    declared = metrics(table)
    fields = [_field(name, table, declared) for name in table.columns]
    shown = [{field.key: _cell(row[field.key], field) for field in fields} for row in table.rows]
    ids = [str(row["number"]) for row in table.rows]
    for i in grids.show(fields, shown, key, most_rows, select="single-row", ids=ids):
        open_run(table.rows[i])


def _field(name: str, table: Table, declared: Mapping[str, Metric]) -> grids.Field:
    values = [row[name] for row in table.rows if row[name] is not None]
    if name == "number":
        return grids.Field(name, "#", "%d", 52, pinned=True)
    if name in declared or name.rpartition(" ")[0] in declared:
        return grids.run_fields([name], declared)[0]
    if name in ("pipeline", "reason", "run"):
        return grids.Field(name, width={"pipeline": 260, "reason": 460, "run": 110}[name])
    if all(isinstance(one, int | float) and not isinstance(one, bool) for one in values):
        return grids.Field(name, number="%g", width=max(56, 22 + 7 * len(name)), help=_ABOUT.get(name))
    longest = max((len(str(one)) for one in values), default=0)
    return grids.Field(name, width=max(70, 24 + 8 * min(24, max(len(name), longest))), help=_ABOUT.get(name))


def _cell(value: Cell, field: grids.Field) -> Any:
    return value if field.number is not None or value is None else str(value)


def open_run(row: Row) -> None:
    """Open the run of a configuration; where it has none, say why."""
    if not row["run"]:
        why = row.get("reason") or "it is not finished yet"
        st.warning(plain(f"#{row['number']} has no run: {why}"))
    elif (run_id := there(str(row["run"]))) is not None:
        handover.go("runs", run=run_id)
    else:
        st.warning(f"The run of #{row['number']} was deleted since.")


def there(run_id: str | None) -> str | None:
    """Return the id of a run that is still there, else None."""
    try:
        return api.run(run_id).id if run_id else None
    except NotFoundError:
        return None
