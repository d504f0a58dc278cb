"""Keep what was tried: an ordinary job, entered once however often the button is pressed, with its progress."""

from __future__ import annotations

import streamlit as st

from pipelines import api
from pipelines.pipeline import Pipeline
from pipelines.runs.record import Run
from pipelines.whatif import Origin
from workbench import faults, handover
from workbench.parts import jobs
from workbench.text import own, plain

_AGAIN = "what_if.again"


def button(run: Run, origin: Origin, pipeline: Pipeline | None) -> None:
    """Offer to log the pipeline as a run; what was kept before is found, not run again."""
    changed = pipeline is not None and pipeline.settings() != origin.pipeline.settings()
    pressed = st.button(
        "Keep as a run", type="primary", icon=":material/save:", disabled=not changed, key=handover.key("keep")
    )
    if pressed and pipeline is not None:
        job = api.submit(pipeline, origin.dataset, split=origin.split, seed=run.seed, again=False)
        _to_progress(job.id)


def offer_again(run: Run) -> None:
    """Offer to run again a run whose outputs are gone: once a click on this button, however often it is clicked."""
    if st.button("Run it again", type="primary", icon=":material/replay:", key=handover.key("again")):
        done = st.session_state.setdefault(_AGAIN, {})
        if run.id not in done:
            origin = Origin.of(run)
            job = api.submit(origin.pipeline, origin.dataset, split=origin.split, seed=run.seed, again=True)
            done[run.id] = job.id
        _to_progress(done[run.id])


def _to_progress(job_id: str) -> None:
    handover.keep(job=job_id)
    st.rerun()


def progress(run_id: str) -> None:
    """Show the job that the link names: its progress, then in one line what can be done with its run."""
    job_id = handover.asked("job")
    if job_id is None:
        return
    with faults.told():
        job = api.job(job_id)
        if job.state != "finished":
            jobs.panel(job_id)
        with st.container(horizontal=True, vertical_alignment="center", key="what_if_kept"):
            if job.state == "finished" and job.run_id is not None:
                st.caption(plain(f"Kept: {own(job.title)}"), width="content")
                handover.link("runs", "Open the run", icon=":material/open_in_new:", run=job.run_id)
                if job.run_id != run_id:
                    _compare(run_id, job.run_id)
            else:
                handover.link("build", "Its progress on Build", icon=":material/progress_activity:", job=job_id)
            st.button("Close", type="tertiary", icon=":material/close:", on_click=_close, key=handover.key("close"))


def _compare(run_id: str, other: str) -> None:
    handover.link("compare", "Compare it", icon=":material/compare_arrows:", baseline=run_id, other=other)


def _close() -> None:
    handover.keep(job=None)
