"""Keep what was tried: an ordinary job, entered once however often the button is pressed, with its progress."""

from __future__ import annotations

import streamlit as st

from pipelines import api
from pipelines.pipeline import Pipeline
from pipelines.runs.record import Run
from pipelines.whatif import Origin
from workbench import faults, handover
from workbench.parts import jobs

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
    """Show the job that the link names, and what can be done with its run."""
    job_id = handover.asked("job")
    if job_id is None:
        return
    with faults.told():
        jobs.panel(job_id)
        job = api.job(job_id)
        with st.container(horizontal=True):
            handover.link("build", "Its progress on Build", icon=":material/progress_activity:", job=job_id)
            if job.run_id and job.run_id != run_id:
                handover.link(
                    "compare", "Compare it", icon=":material/compare_arrows:", baseline=run_id, other=job.run_id
                )
