"""One sweep: its progress while it runs, what it found when it has finished."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st
import yaml

from pipelines import api
from pipelines.errors import WorkbenchError
from workbench import faults, handover
from workbench.parts import stored_dataset, sweep_again, sweep_findings, sweep_plan, sweep_progress, sweep_rows
from workbench.parts.sweep_words import moment
from workbench.text import counted, lasting, own, plain

VIEWS = ("Findings", "Configurations", "What was asked")


def show(reference: str) -> None:
    """Draw the sweep that an id, a name or the beginning of an id names."""
    view = api.sweep(reference)
    st.header(plain(view.sweep.name, 140), anchor=False)
    _facts(view)
    if view.job.state != "finished":
        sweep_progress.show(view)
        with st.expander("What was asked", icon=":material/description:"):
            _asked(view)
        return
    if st.session_state.get(sweep_plan.BEFORE) == view.job.id:
        st.info("The same sweep was run on the same questions before; this is that sweep.")
    stored_dataset.changed(view.sweep, "sweep")
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        chosen = handover.choose_view(VIEWS, "view")
        with st.container(horizontal=True, vertical_alignment="center", width="content"):
            sweep_again.button(view.job)
    with faults.told():
        _finished(view, chosen)


def _finished(view: api.SweepView, chosen: str) -> None:
    report: Mapping[str, Any] = view.sweep.report or {"reason": "The sweep left no report; run it again."}
    if chosen == "What was asked":
        _asked(view)
        st.subheader("Log")
        sweep_progress.log(view.job.id)
    elif chosen == "Configurations":
        sweep_rows.show(view)
    elif "selection" in report:
        sweep_findings.show(view, report)
    else:
        st.warning(plain(report.get("reason") or "There is nothing to choose from."))
        st.caption("The configurations, with the reason of each, are in the next view.")


def _facts(view: api.SweepView) -> None:
    one, job = view.sweep, view.job
    states = ", ".join(f"{n:,} {state}" for state, n in view.counts.items())
    took = f"; took {lasting(job.ended - job.started)}" if job.ended and job.started else ""
    search = one.settings.get("search", {})
    place = f"Sweep {one.id} on {own(one.dataset_name)}, questions: {one.split}, version {one.dataset_version[:8]}"
    how = f"{search.get('strategy')}, seed {search.get('seed')}"
    much = "" if job.active else f"; {counted(len(view.trials), 'configuration')} ({states or 'none proposed'})"
    st.caption(plain(f"{place}; {how}{much}; begun {moment(one.created)}{took}."))


def _asked(view: api.SweepView) -> None:
    """Show the settings as a file, for those who read one."""
    try:
        text = api.SweepSpec.parse(view.sweep.settings, "The stored sweep").to_yaml()
    except WorkbenchError as error:
        faults.say(error)
        text = yaml.safe_dump(dict(view.sweep.settings), sort_keys=False, allow_unicode=True)
    st.download_button(
        "Download YAML", text, "sweep.yaml", "application/yaml", icon=":material/download:", on_click="ignore"
    )
    st.code(text, language="yaml", height=360)
