"""Label holes of a run: how much of what it retrieved nobody judged, and what that could make of each metric."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pipelines.judging.holes import Bound, UnjudgedShare
from pipelines.runs.record import Run
from workbench import grids, handover, reading
from workbench.text import plain

_SHARES = (
    grids.Field("at", "First", width=90, help="Chunks, or tokens of context"),
    grids.Field("mean", "Not judged", "%.3f", 90, help="Share of the chunks within the cut that nobody judged"),
    grids.Field("interval", "95 % interval", width=130),
    grids.Field("n", "n", "%d", 55),
)
_BOUNDS = (
    grids.Field("metric", "Metric", width=140, pinned=True),
    grids.Field("low", "If none were", width=100),
    grids.Field("mean", "As measured", width=100),
    grids.Field("high", "If all were", width=90),
    grids.Field("n", "n", "%d", 55),
    grids.Field("note", "To know", width=420),
)


def show(run: Run) -> None:
    """Draw the shares and the bounds, and lead to judging."""
    found = reading.holes(run)
    share = f" ({found.n_unjudged / found.n_retrieved:.0%})" if found.n_retrieved else ""
    st.text(
        f"Of {found.n_retrieved:,} chunks retrieved for {found.n_questions:,} questions, {found.n_unjudged:,}{share} "
        "were judged by nobody. They count as not relevant."
    )
    handover.link("judge", "Judge what nobody judged", icon=":material/gavel:", run=run.id)
    left, right = st.columns([1, 1.9], gap="medium")
    with left:
        st.subheader("Not judged")
        grids.show(_SHARES, [_share(one) for one in found.shares], "holes.shares", 14)
    with right:
        st.subheader("What the metrics would be if none or all of them were relevant")
        ordered = sorted(found.bounds, key=lambda one: one.low is None)
        grids.show(_BOUNDS, [_bound(one, run) for one in ordered], "holes.bounds", 14)
        table = found.table()
        st.download_button(
            "Download CSV", table.to_csv(), "label-holes.csv", "text/csv",
            icon=":material/download:", on_click="ignore",
        )  # fmt: skip
    st.caption(plain("The bounds hold over all ways of judging the unjudged chunks within the cut."))


def _share(one: UnjudgedShare) -> dict[str, Any]:
    interval = None if one.low is None or one.high is None else f"{one.low:.3f} to {one.high:.3f}"
    return {**vars(one), "interval": interval}


def _bound(one: Bound, run: Run) -> dict[str, Any]:
    measured = run.measured(one.metric)
    metric = measured.metric if measured else None
    worse, better = (one.low, one.high) if one.higher_is_better else (one.high, one.low)
    return {
        "metric": one.metric,
        "low": grids.written(worse, metric),
        "mean": grids.written(one.mean, metric),
        "high": grids.written(better, metric),
        "n": one.n,
        "note": one.reason or one.caveat,
    }
