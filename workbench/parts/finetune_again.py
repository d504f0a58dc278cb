"""Do a finetuning once more, as it was asked for, on the dataset as it is now; or with changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from pipelines import api
from pipelines.golden.dataset import Dataset
from pipelines.runs.jobs import Job
from workbench import faults, handover
from workbench.parts import finetune_plan
from workbench.parts.stored_dataset import dataset_of

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
