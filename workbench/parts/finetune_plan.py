"""Before a finetuning: how the questions are split, what it would cost, its file; and the button that starts it."""

from __future__ import annotations

import json
import time

import streamlit as st

from pipelines import api
from pipelines.golden.dataset import Dataset
from pipelines.runs.jobs import Job
from workbench import faults, handover, reading
from workbench.parts import finetune_cost, finetune_words
from workbench.text import plain

BEFORE = "finetune.before"
_A_WHILE_S = 15.0


@st.cache_resource(max_entries=32, show_spinner=False)
def parsed(text: str) -> api.FinetuneSpec:
    """Return the finetuning that JSON describes.

    Raises:
        ConfigurationError: when it trains nothing, or values do not go together.
    """
    return api.FinetuneSpec.parse(json.loads(text), "The finetuning")


def show(spec: api.FinetuneSpec | None, dataset: Dataset | None, name: str) -> None:
    """Estimate and start when asked; show the estimate of what the forms say now."""
    ready = None if spec is None or dataset is None else (spec, dataset)
    with st.container(horizontal=True, gap="small"):
        estimating = st.button("Check and estimate", icon=":material/timer:", disabled=ready is None,
                               key="finetune.estimate")  # fmt: skip
        starting = st.button("Start", type="primary", icon=":material/play_arrow:", disabled=ready is None,
                             key="finetune.start")  # fmt: skip
    if ready is None:
        return
    if starting:
        _start(*ready, name)
    with faults.told():
        _estimate(*ready, asked=estimating)
    _as_file(ready[0])


def _estimate(spec: api.FinetuneSpec, dataset: Dataset, asked: bool) -> None:
    """Show the estimate of this very finetuning, once it was asked for."""
    of = (json.dumps(spec.settings()), str(dataset.path), reading.stamp(dataset.path), repr(api.read_strikes(dataset)))
    held = handover.key("estimate")
    if asked:
        with st.spinner("Reading the documents and questions …", show_time=True):
            st.session_state[held] = of, _estimated(of, spec, dataset)
    known = st.session_state.get(held)
    if known is not None and known[0] == of:
        finetune_cost.show(known[1])
    elif known is not None:
        st.caption("Something was changed since it was estimated.")
    else:
        st.caption(
            "The estimate says how the questions are split, what is left out, what it takes, and trains nothing."
        )


@st.cache_data(max_entries=16, ttl=30, show_spinner=False)
def _estimated(of: tuple[object, ...], _spec: api.FinetuneSpec, _dataset: Dataset) -> api.FinetuneEstimate:
    """Return the estimate; kept for a while, so that a second click waits for the first one's."""
    return api.finetune_estimate(_spec, _dataset)


def _start(spec: api.FinetuneSpec, dataset: Dataset, name: str) -> None:
    """Have it done, and go to where its progress is; the same finetuning asked for again is the same job."""
    with faults.told():
        with st.spinner("Submitting …"):
            job = api.finetune(spec, dataset, name=name.strip() or finetune_words.called(spec), again=False)
        to_progress(job)


def to_progress(job: Job) -> None:
    """Open the page of a job's finetuning; note when it had been done long before this click."""
    done_before = not job.active and time.time() - job.submitted > _A_WHILE_S
    st.session_state[BEFORE] = job.id if done_before else None
    found = api.finetuning_of_job(job.id)
    handover.go("finetune", **({"finetuning": found.finetuning.id} if found else {"job": job.id}))


def _as_file(spec: api.FinetuneSpec) -> None:
    """Show it as a file, folded away."""
    with st.expander("As a file, for the command line", icon=":material/description:"):
        text = spec.to_yaml()
        st.download_button(
            "Download YAML", text, "finetune.yaml", "application/yaml", icon=":material/download:", on_click="ignore"
        )
        st.code(text, language="yaml", height=300)
        st.caption(plain("rag-workbench finetune finetune.yaml --dataset NAME"))
