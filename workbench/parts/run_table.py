"""The table of runs: filtered, sorted, with the metrics that are wanted; the file holds exactly what is shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from pipelines import api
from pipelines.records import Metric
from pipelines.runs.table import DEFAULT_METRICS, Table
from workbench import grids, handover

ANY = "any"
_FEWEST, _MOST = 2, 5
Row = Mapping[str, Any]


def show() -> None:
    """Draw the filters, the table and what can be done with selected rows."""
    declared = {metric.name: metric for metric in api.metrics()}
    if not declared:
        _nothing_yet()
        return
    dataset, split, text = _filters()
    metrics, intervals = _columns(list(declared))
    table = api.runs(metrics, None if dataset == ANY else dataset, intervals)
    rows = [row for row in table.rows if split in (ANY, row["split"]) and text.casefold() in _haystack(row)]
    columns = _ordered(table.columns, metrics)
    rows = _sorted(rows, columns)
    _grid(Table(columns, tuple(rows)), declared, len(table.rows))


def _nothing_yet() -> None:
    st.info(
        "No pipeline was run yet. Build one, run it on a dataset, and its figures stand here, next to all later ones."
    )
    with st.container(horizontal=True):
        handover.link("build", "Build a pipeline", icon=":material/tune:")
        handover.link("data", "Look at the datasets", icon=":material/database:")


def _filters() -> tuple[str, str, str]:
    first, second, third = st.columns([1.2, 0.7, 2])
    with first:
        dataset = handover.choose("Dataset", [ANY, *api.store().datasets()], "dataset")
    with second:
        split = handover.choose("Questions", [ANY, "all", "train", "dev", "test"], "split")
    with third:
        text = handover.search("Search", "find", placeholder="name, pipeline or id")
    return dataset or ANY, split or ANY, text


def _columns(names: Sequence[str]) -> tuple[list[str], bool]:
    first, second = st.columns([5, 1], vertical_alignment="bottom")
    with first:
        default = [name for name in DEFAULT_METRICS if name in names]
        metrics = handover.choose_many("Metrics", names, "metric", default=default)
    with second:
        intervals = st.toggle("95 % intervals", key="runs.intervals", value=handover.asked("intervals") == "yes")
        handover.keep(intervals="yes" if intervals else None)
    return metrics, intervals


def _haystack(row: Row) -> str:
    return " ".join(str(row[name]) for name in ("name", "pipeline", "run", "dataset")).casefold()


def _ordered(columns: Sequence[str], metrics: Sequence[str]) -> tuple[str, ...]:
    """Put what is read most first: name, then the metrics; the pipeline's label mostly repeats the name."""
    first = ("name", "dataset", "split")
    measured = [column for column in columns if column in metrics or column.rpartition(" ")[0] in metrics]
    return (*first, *measured, *(column for column in columns if column not in first and column not in measured))


def _sorted(rows: Sequence[Row], columns: Sequence[str]) -> list[Row]:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        by = handover.choose(
            "Sort by", [c for c in columns if not c.endswith(" n")], "sort", default="created", width=260
        )
        order = handover.choose_view(("Highest first", "Lowest first"), "order")
    present = [row for row in rows if row.get(str(by)) is not None]
    absent = [row for row in rows if row.get(str(by)) is None]
    return sorted(present, key=lambda row: row[str(by)], reverse=order == "Highest first") + absent


def _grid(table: Table, declared: Mapping[str, Metric], everything: int) -> None:
    bar = st.container(horizontal=True, vertical_alignment="center", gap="small")
    fields = grids.run_fields(table.columns, declared)
    if not table.rows:
        st.info("No run meets these filters.")
        return
    chosen = [table.rows[i] for i in grids.show(fields, table.rows, "runs.grid", 18, select="multi-row")]
    with bar:
        _actions(chosen)
        name = "runs.csv"
        st.download_button(
            "Download CSV", table.to_csv(), name, "text/csv", icon=":material/download:", on_click="ignore"
        )
        shown = (
            f"{len(table.rows):,} of {everything:,} runs" if len(table.rows) != everything else f"{everything:,} runs"
        )
        st.caption(f"{shown}. Tick two to five rows to compare them; the first ticked row from above is the baseline.")


def _actions(chosen: Sequence[Row]) -> None:
    ids = [str(row["run"]) for row in chosen]
    comparable = _FEWEST <= len(ids) <= _MOST
    if st.button("Compare selected", type="primary", disabled=not comparable, icon=":material/compare_arrows:"):
        handover.go("compare", baseline=ids[0], other=ids[1:])
    if st.button("Open", disabled=len(ids) != 1, icon=":material/open_in_new:"):
        handover.go("runs", run=ids[0])
