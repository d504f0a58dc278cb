"""Do a sweep once more: as it was asked for, on the dataset as it is now; or with changes."""

from __future__ import annotations

import streamlit as st

from pipelines import api
from pipelines.runs.jobs import Job
from workbench import faults, handover
from workbench.parts import sweep_plan
from workbench.parts.stored_dataset import dataset_of

_DONE = "sweep.again"
_ABOUT = "On the dataset as it is now. What is in the store is not computed again."


def button(job: Job) -> None:
    """Offer to do a sweep again: one more for each click on this button, however fast they come."""
    found = api.sweep_of_job(job.id)
    if found is None:
        return
    if st.button("Run it again", icon=":material/replay:", key=f"sweep.again.{job.id}", help=_ABOUT):
        with faults.told():
            sweep_plan.to_progress(_submitted(found))
    handover.link("sweep", "Change it", icon=":material/tune:", new="yes", **{"from": found.sweep.id})


def _submitted(view: api.SweepView) -> Job:
    """Return the job: a second click on the button of one sweep finds what the first one submitted."""
    done: dict[str, Job] = st.session_state.setdefault(_DONE, {})
    one = view.sweep
    if one.id not in done:
        spec = api.SweepSpec.parse(one.settings, "The stored sweep")
        split = None if one.split == "all" else one.split
        done[one.id] = api.run_sweep(
            spec, dataset_of(one), split=split, name=view.job.payload.get("name"), workers=one.workers, again=True
        )
    return done[one.id]
