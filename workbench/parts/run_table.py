"""The table of runs: filtered, sorted, with the metrics that are wanted; the file holds exactly what is shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from pipelines import api
from pipelines.records import Metric
from pipelines.runs.table import DEFAULT_METRICS, Table
from workbench import grids, handover
from workbench.text import counted

ANY = "any"
ORDERS = ("highest first", "lowest first")
_FEWEST, _MOST = 2, 5
Row = Mapping[str, Any]


def show() -> None:
    """Draw the filters, the table and what can be done with selected rows."""
    declared = {metric.name: metric for metric in api.metrics()}
    if not declared:
        _nothing_yet()
        return
    filters, chooser = st.container(), st.container()
    with chooser:
        metrics, intervals = _columns(list(declared))
    with filters:
        dataset, split, by, order, text = _filters(metrics)
    table = api.runs(metrics, None if dataset == ANY else dataset, intervals)
    rows = [row for row in table.rows if split in (ANY, row["split"]) and text.casefold() in _haystack(row)]
    found = Table(_ordered(table.columns, metrics), _sorted(rows, by, order))
    _grid(found, declared, len(table.rows))


def _nothing_yet() -> None:
    st.info(
        "No pipeline was run yet. Build one, run it on a dataset, and its figures stand here, next to all later ones."
    )
    with st.container(horizontal=True):
        handover.link("build", "Build a pipeline", icon=":material/tune:")
        handover.link("data", "Look at the datasets", icon=":material/database:")


def _filters(metrics: Sequence[str]) -> tuple[str, str, str, str, str]:
    places = st.columns([1.2, 0.7, 1.1, 1, 1.6], vertical_alignment="bottom")
    with places[0]:
        dataset = handover.choose("Dataset", [ANY, *api.store().datasets()], "dataset")
    with places[1]:
        split = handover.choose("Questions", [ANY, "all", "train", "dev", "test"], "split")
    with places[2]:
        by = handover.choose("Sort by", ["created", "name", "seconds", "chunks", *metrics], "sort")
    with places[3]:
        order = handover.choose("Order", ORDERS, "order")
    with places[4]:
        text = handover.search("Search name, pipeline or id", "find")
    return str(dataset), str(split), str(by), str(order), text


def _columns(names: Sequence[str]) -> tuple[list[str], bool]:
    first, second = st.columns([5, 1], vertical_alignment="bottom")
    with first:
        default = [name for name in DEFAULT_METRICS if name in names]
        metrics = handover.choose_many("Metrics", names, "metric", default=default)
    with second:
        intervals = st.toggle(
            "95 % intervals", key=handover.key("intervals"), value=handover.asked("intervals") == "yes"
        )
        handover.keep(intervals="yes" if intervals else None)
    return metrics, intervals


def _haystack(row: Row) -> str:
    return " ".join(str(row[name]) for name in ("name", "pipeline", "run", "dataset")).casefold()


def _ordered(columns: Sequence[str], metrics: Sequence[str]) -> tuple[str, ...]:
    """Put what is read most first: name, then the metrics; the pipeline's label mostly repeats the name."""
    first = ("name", "dataset", "split")
    measured = [column for column in columns if column in metrics or column.rpartition(" ")[0] in metrics]
    return (*first, *measured, *(column for column in columns if column not in first and column not in measured))


def _sorted(rows: Sequence[Row], by: str, order: str) -> tuple[Row, ...]:
    """Sort by a column; rows without a value come last either way."""
    present = sorted((row for row in rows if row.get(by) is not None), key=lambda row: row[by])
    absent = [row for row in rows if row.get(by) is None]
    return (*(reversed(present) if order == ORDERS[0] else present), *absent)


def _grid(table: Table, declared: Mapping[str, Metric], everything: int) -> None:
    bar = st.container(horizontal=True, vertical_alignment="center", gap="small")
    fields = grids.run_fields(table.columns, declared)
    if not table.rows:
        st.info("No run meets these filters.")
        return
    ids, held = [str(row["run"]) for row in table.rows], handover.key("ticked")
    ticked = grids.show(fields, table.rows, "runs.grid", 18, select="multi-row", ids=ids, held=held)
    chosen = [table.rows[i] for i in sorted(ticked)]
    with bar:
        _actions(chosen)
        name = "runs.csv"
        st.download_button(
            "Download CSV", table.to_csv(), name, "text/csv", icon=":material/download:", on_click="ignore"
        )
        shown = (
            f"{len(table.rows):,} of {counted(everything, 'run')}"
            if len(table.rows) != everything
            else counted(everything, "run")
        )
        st.caption(f"{shown}. Tick two to five rows to compare them; the first ticked row from above is the baseline.")


def _actions(chosen: Sequence[Row]) -> None:
    ids = [str(row["run"]) for row in chosen]
    comparable = _FEWEST <= len(ids) <= _MOST
    if st.button("Compare selected", type="primary", disabled=not comparable, icon=":material/compare_arrows:"):
        handover.go("compare", baseline=ids[0], other=ids[1:])
    if st.button("Open", disabled=len(ids) != 1, icon=":material/open_in_new:"):
        handover.go("runs", run=ids[0])
