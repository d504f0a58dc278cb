"""The finetunings there are, learning curves among them, each with its state and what it gained."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pipelines import api
from workbench import faults, grids, handover
from workbench.parts import finetune_words
from workbench.parts.sweep_words import STATES, moment
from workbench.text import counted, shortened

_MOST, _POLL_S = 200, 3.0
_FIELDS = (
    grids.Field("name", "Finetuning", width=240),
    grids.Field("kind", "Kind", width=110),
    grids.Field("dataset", "Dataset", width=110),
    grids.Field("state", "State", width=90),
    grids.Field("gain", "Gain", width=385, help="Of the chosen pipeline, on the split that is reported"),
    grids.Field("when", "Begun", width=130),
)


def show() -> None:
    """Draw the list; it is drawn again every few seconds while one of them runs."""
    with st.container(horizontal=True, vertical_alignment="center"):
        handover.link("finetune", "New finetuning", icon=":material/add:", new="yes")
    listed = api.finetunings(_MOST)
    if not listed:
        st.info(
            "There is no finetuning yet. It trains the embedding model, or a reranker, on the train questions of a "
            "dataset, and reports what that gains on questions it has never seen."
        )
        return
    active = any(one.job.active for one in listed)
    st.fragment(_table, run_every=_POLL_S if active else None)(active)


def _table(active: bool) -> None:
    with faults.told():
        listed = api.finetunings(_MOST)
        if active and not any(one.job.active for one in listed):
            st.rerun()
        rows, ids = [_row(one) for one in listed], [one.finetuning.id for one in listed]
        st.caption(f"{counted(len(rows), 'finetuning')}, the newest first. Tick one to open it.")
        for i in grids.show(_FIELDS, rows, "finetune.list", most_rows=16, select="single-row", ids=ids):
            handover.go("finetune", finetuning=ids[i])


def _row(view: api.FinetuneView) -> dict[str, Any]:
    one = view.finetuning
    return {
        "name": shortened(one.name, 100),
        "kind": finetune_words.kind(view),
        "dataset": shortened(one.dataset_name, 60),
        "state": STATES[view.state],
        "gain": finetune_words.gained(view.report),
        "when": moment(one.created),
    }
