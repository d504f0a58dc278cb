"""The finetune page: the finetunings there are, a new one, one of them, or base models side by side."""

from __future__ import annotations

import streamlit as st

from pipelines import api
from workbench import faults, handover
from workbench.parts import finetune_list, finetune_models, finetune_models_table, finetune_new, finetune_one

VIEWS = ("Finetunings", "Base models")


def page() -> None:
    """Draw the page; each finetuning, a new one, and a comparison of models begins with what its own link says."""
    _of_models(handover.asked("job"))
    reference = handover.asked("finetuning") or _of_job(handover.asked("job"))
    if reference is not None:
        handover.begin(f"finetune.{reference}")
        handover.link("finetune", "All finetunings", icon=":material/arrow_back:")
        finetune_one.show(reference)
    elif (models := handover.asked("models")) is not None:
        handover.begin(f"finetune.models.{models}")
        handover.link("finetune", "All comparisons", icon=":material/arrow_back:", view="Base models")
        finetune_models_table.show(models)
    elif handover.asked("new") is not None:
        handover.begin("finetune.new")
        handover.link("finetune", "All finetunings", icon=":material/arrow_back:")
        st.title("New finetuning")
        finetune_new.show()
    else:
        handover.begin("finetune")
        st.title("Finetune")
        _overview()


def _overview() -> None:
    view = handover.choose_view(VIEWS, "view", quiet=True)
    with faults.told():
        if view == "Base models":
            finetune_models.show()
        else:
            finetune_list.show()


def _of_models(job_id: str | None) -> None:
    """Put a comparison of models into the link, where the job is one."""
    if job_id is not None and api.job(job_id).kind == api.MODELS:
        handover.keep(job=None, models=job_id)


def _of_job(job_id: str | None) -> str | None:
    """Return the finetuning that a job does, and put it into the link."""
    if job_id is None:
        return None
    found = api.finetuning_of_job(api.job(job_id).id)
    if found is None:
        return None
    handover.keep(job=None, finetuning=found.finetuning.id)
    return found.finetuning.id


with faults.told():
    page()
