"""Do a sweep once more: as it was asked for, on the dataset as it is now; or with changes."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from pipelines import api
from pipelines.errors import NotFoundError, WorkbenchError
from pipelines.golden.dataset import Dataset
from pipelines.runs.jobs import Job
from pipelines.sweeps.trials import Sweep
from workbench import faults, handover, reading
from workbench.parts import sweep_plan
from workbench.text import plain, shortened

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


def dataset_of(one: Sweep) -> Dataset:
    """Return the dataset of a sweep as it is now.

    Raises:
        NotFoundError: when it is gone.
    """
    path = Path(one.dataset_path)
    if not path.is_dir():
        raise NotFoundError(f"The dataset '{shortened(one.dataset_name, 60)}' is gone: {path} is no folder any more.")
    return reading.dataset(path)


def changed(one: Sweep) -> None:
    """Say it where the dataset is gone, or is another one than it was."""
    try:
        now = dataset_of(one)
    except WorkbenchError as error:
        st.warning(plain(f"{error} What the sweep found is still here."))
        return
    if now.version != one.dataset_version:
        st.warning(
            plain(
                f"The dataset '{shortened(one.dataset_name, 60)}' was changed after this sweep (version "
                f"{one.dataset_version[:8]} then, {now.version[:8]} now): its figures are of the dataset as it was."
            )
        )
