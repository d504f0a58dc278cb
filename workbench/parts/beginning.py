"""Where a pipeline begins: the defaults, a file, a run, or the job that a link names."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import streamlit as st

from pipelines import api
from pipelines.errors import NotFoundError
from pipelines.pipeline import Pipeline
from workbench import faults, handover
from workbench.parts import launch, stages
from workbench.text import shortened

_BEGUN = "build.begun"


def menu() -> None:
    """Take what the link names, and offer the other beginnings."""
    with faults.told():
        _from_link()
    with st.container(horizontal=True, vertical_alignment="center"):
        with st.popover("Load a file", icon=":material/upload_file:"):
            _from_file()
        with st.popover("Start from a run", icon=":material/history:"):
            _from_run()
        st.button(
            "Defaults", icon=":material/restart_alt:", on_click=_defaults, help="Every stage as the catalogue has it"
        )


def _from_link() -> None:
    run_id, job_id = handover.asked("run"), handover.asked("job")
    if st.session_state.get(_BEGUN) == (run_id, job_id):
        return
    st.session_state[_BEGUN] = (run_id, job_id)
    if job_id is not None and not launch.is_own(job_id):
        with suppress(NotFoundError):  # said where the job's progress would be
            payload = api.job(job_id).payload
            if "pipeline" in payload:  # a sweep's job has no single one
                _take(payload["pipeline"])
    elif run_id is not None:
        _take(api.run(run_id).settings)


def _take(settings: Any) -> None:
    """Load settings that were valid when they were kept; a component may have changed since."""
    stages.load(Pipeline.parse(settings, "the pipeline of this link").settings())


def _defaults() -> None:
    stages.load(Pipeline.parse({}).settings())


def _from_file() -> None:
    file = st.file_uploader("A pipeline's YAML or JSON", type=["yaml", "yml", "json"], key="build.file")
    if file is not None and st.button("Load it", type="primary"):
        with faults.told():
            stages.load(api.read_pipeline(file.name, file.getvalue()).settings())
            st.rerun()


def _from_run() -> None:
    rows = {str(row["run"]): row for row in reversed(api.runs(()).rows)}
    if not rows:
        st.caption("There is no run yet.")
        return
    chosen = st.selectbox("Run", list(rows), format_func=lambda run: shortened(_title(rows[run])), key="build.from")
    if st.button("Use its pipeline", type="primary"):
        with faults.told():
            _take(api.run(chosen).settings)
            st.rerun()


def _title(row: Any) -> str:
    return f"{row['name']} · {row['dataset']} · {row['created']}"
