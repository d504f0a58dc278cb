"""One finetuning: its progress while it runs, what it gained when it has finished."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st
import yaml

from pipelines import api
from pipelines.errors import WorkbenchError
from workbench import faults, handover
from workbench.parts import (
    finetune_again,
    finetune_curve,
    finetune_export,
    finetune_findings,
    finetune_moved,
    finetune_plan,
    finetune_progress,
    finetune_words,
    stored_dataset,
)
from workbench.parts.sweep_progress import log
from workbench.parts.sweep_words import moment
from workbench.text import lasting, own, plain

VIEWS = ("Gains", "Questions", "Learning curve", "Training", "What was asked")
CURVE_VIEWS = ("Learning curve", "Training", "What was asked")
Entry = Mapping[str, Any]


def show(reference: str) -> None:
    """Draw the finetuning that an id, a name, the beginning of an id or a job's id names."""
    view = api.finetuning(reference)
    st.header(plain(view.finetuning.name, 140), anchor=False)
    _facts(view)
    if view.state != "finished":
        finetune_progress.show(view)
        with st.expander("What was asked", icon=":material/description:"):
            _asked(view)
        return
    if st.session_state.get(finetune_plan.BEFORE) == view.job.id:
        st.info("The same finetuning was done on the same data before; this is that one.")
    stored_dataset.changed(view.finetuning, "finetuning")
    _finished(view)


def _finished(view: api.FinetuneView) -> None:
    report: Entry = view.report or {"reason": "The finetuning left no report; do it again."}
    views = CURVE_VIEWS if finetune_words.is_curve(view) else VIEWS
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        chosen = handover.choose_view(views, "view", quiet=True)
        with st.container(horizontal=True, vertical_alignment="center", width="content"):
            if not finetune_words.is_curve(view):
                finetune_export.popover(view)
            finetune_again.button(view)
    with faults.told():
        if chosen == "Learning curve":
            finetune_curve.show(view, report)
        elif chosen == "Training":
            finetune_progress.curves(view)
            st.subheader("Log")
            log(view.job.id)
        elif chosen == "What was asked":
            _asked(view)
        elif chosen == "Questions":
            finetune_moved.show(report)
        else:
            finetune_findings.show(view, report)


def _facts(view: api.FinetuneView) -> None:
    one, job = view.finetuning, view.job
    took = f"; took {lasting(job.ended - job.started)}" if job.ended and job.started else ""
    what = finetune_words.kind(view).capitalize()
    place = f"{what} {one.id} on {own(one.dataset_name)}, version {one.dataset_version[:8]}, reported on {one.split}"
    st.caption(plain(f"{place}; begun {moment(one.created)}{took}."))


def _asked(view: api.FinetuneView) -> None:
    """Show the settings as a file, for those who read one."""
    try:
        text = api.FinetuneSpec.parse(view.settings, "The stored finetuning").to_yaml()
    except WorkbenchError as error:
        faults.say(error)
        text = yaml.safe_dump(dict(view.settings), sort_keys=False, allow_unicode=True)
    st.download_button(
        "Download YAML", text, "finetune.yaml", "application/yaml", icon=":material/download:", on_click="ignore"
    )
    st.code(text, language="yaml", height=360)
