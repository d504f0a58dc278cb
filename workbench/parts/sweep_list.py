"""The sweeps there are, each with its state, how far it is, and the best that it found."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from pipelines import api
from workbench import faults, grids, handover
from workbench.parts.sweep_words import STATES, amount, clock, left_s, moment
from workbench.text import counted, shortened

_MOST, _POLL_S = 200, 3.0
_FIELDS = (
    grids.Field("name", "Sweep", width=172),
    grids.Field("dataset", "Dataset", width=108),
    grids.Field("split", "Questions", width=76),
    grids.Field("state", "State", width=132),
    grids.Field("total", "Proposed", "%d", 76, help="Configurations that were proposed so far"),
    grids.Field("finished", "Finished", "%d", 68),
    grids.Field("failed", "Failed", "%d", 54),
    grids.Field("dropped", "Dropped", "%d", 72, help="By a race, as surely not the best"),
    grids.Field("best", "Best, with its n", width=176),
    grids.Field("when", "Begun", width=128),
)


def show() -> None:
    """Draw the list; it is drawn again every few seconds while one of them runs."""
    with st.container(horizontal=True, vertical_alignment="center"):
        handover.link("sweep", "New sweep", icon=":material/add:", new="yes")
    listed = api.sweeps_listed(_MOST)
    if not listed:
        st.info(
            "There is no sweep yet. A sweep evaluates many configurations of a pipeline on the same questions, pays "
            "only for what differs, and says which one to take."
        )
        return
    active = any(one.job.active for one in listed)
    st.fragment(_table, run_every=_POLL_S if active else None)(active)


def _table(active: bool) -> None:
    with faults.told():
        listed = api.sweeps_listed(_MOST)
        if active and not any(one.job.active for one in listed):
            st.rerun()
        rows, ids = [_row(one) for one in listed], [one.sweep.id for one in listed]
        st.caption(f"{counted(len(rows), 'sweep')}, the newest first. Tick one to open it.")
        for i in grids.show(_FIELDS, rows, "sweep.list", most_rows=16, select="single-row", ids=ids):
            handover.go("sweep", sweep=ids[i])


def _row(one: api.SweepListed) -> dict[str, Any]:
    counts: Mapping[str, int] = one.counts
    return {
        "name": shortened(one.sweep.name, 80),
        "dataset": shortened(one.sweep.dataset_name, 60),
        "split": one.sweep.split,
        "state": _state(one),
        "total": sum(counts.values()),
        **{state: counts.get(state, 0) for state in ("finished", "failed", "dropped")},
        "best": _best(one.sweep.report or {}),
        "when": moment(one.sweep.created),
    }


def _state(one: api.SweepListed) -> str:
    left = left_s(one.job) if one.job.state == "running" else None
    expected = f", ends {clock(time.time() + left)}" if left is not None else ""
    return STATES[one.job.state] + expected


def _best(report: Mapping[str, Any]) -> str | None:
    """Return the winner's mean with its n."""
    ranked: Sequence[Mapping[str, Any]] = report.get("configurations", ())
    if not ranked or ranked[0]["mean"] is None:
        return None
    first = ranked[0]
    metric = str(report["objectives"][0]["name"])
    return f"{metric} {amount(first['mean'], report['objectives'][0])} (n {first['n_ranked']:,})"
