"""Do a finetuning once more, as it was asked for, on the dataset as it is now; or with changes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from pipelines import api
from pipelines.errors import NotFoundError, WorkbenchError
from pipelines.golden.dataset import Dataset
from pipelines.runs.jobs import Job
from workbench import faults, handover, reading
from workbench.parts import finetune_plan
from workbench.text import plain, shortened

_DONE = "finetune.again"
_ABOUT = "On the dataset as it is now. What is in the store is not computed again."


def button(view: api.FinetuneView) -> None:
    """Offer to do it again: one more for each click on this button, however fast they come."""
    if st.button("Do it again", icon=":material/replay:", key=f"finetune.again.{view.job.id}", help=_ABOUT):
        with faults.told():
            finetune_plan.to_progress(_submitted(view))
    handover.link("finetune", "Change it", icon=":material/tune:", new="yes", **{"from": view.finetuning.id})


def _submitted(view: api.FinetuneView) -> Job:
    """Return the job: a second click finds what the first one submitted."""
    done: dict[str, Job] = st.session_state.setdefault(_DONE, {})
    one = view.finetuning
    if one.id not in done:
        spec = api.FinetuneSpec.parse(one.settings, "The stored finetuning")
        done[one.id] = _asked(spec, dataset_of(one), view.job.payload)
    return done[one.id]


def _asked(spec: api.FinetuneSpec, dataset: Dataset, payload: Mapping[str, Any]) -> Job:
    curve, name = payload.get("curve"), payload.get("name")
    if curve:
        return api.learning_curve(spec, dataset, shares=curve["shares"], seeds=curve["seeds"], name=name, again=True)
    return api.finetune(spec, dataset, name=name, again=True)


def dataset_of(one: Any) -> Dataset:
    """Return the dataset of a finetuning as it is now.

    Raises:
        NotFoundError: when it is gone.
    """
    path = Path(one.dataset_path)
    if not path.is_dir():
        raise NotFoundError(f"The dataset '{shortened(one.dataset_name, 60)}' is gone: {path} is no folder any more.")
    return reading.dataset(path)


def changed(one: Any) -> None:
    """Say it where the dataset is gone, or is another one than it was."""
    try:
        now = dataset_of(one)
    except WorkbenchError as error:
        st.warning(plain(f"{error} What the finetuning found is still here."))
        return
    if now.version != one.dataset_version:
        st.warning(
            plain(
                f"The dataset '{shortened(one.dataset_name, 60)}' was changed after this finetuning (version "
                f"{one.dataset_version[:8]} then, {now.version[:8]} now): its figures are of the dataset as it was."
            )
        )
