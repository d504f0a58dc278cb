"""The sweep page: the sweeps there are, a new one, or one of them when the link names it."""

from __future__ import annotations

import streamlit as st

from pipelines import api
from workbench import faults, handover
from workbench.parts import sweep_list, sweep_new, sweep_one


def page() -> None:
    """Draw the page; each sweep, and a new one, begins with what its own link says."""
    reference = handover.asked("sweep") or _of_job(handover.asked("job"))
    if reference is not None:
        handover.begin(f"sweep.{reference}")
        handover.link("sweep", "All sweeps", icon=":material/arrow_back:")
        sweep_one.show(reference)
    elif handover.asked("new") is not None:
        handover.begin("sweep.new")
        handover.link("sweep", "All sweeps", icon=":material/arrow_back:")
        st.title("New sweep")
        sweep_new.show()
    else:
        handover.begin("sweep")
        st.title("Sweeps")
        sweep_list.show()


def _of_job(job_id: str | None) -> str | None:
    """Return the sweep that a job does, and put it into the link."""
    if job_id is None:
        return None
    found = api.sweep_of_job(api.job(job_id).id)
    if found is None:
        return None
    handover.keep(job=None, sweep=found.sweep.id)
    return found.sweep.id


with faults.told():
    page()
