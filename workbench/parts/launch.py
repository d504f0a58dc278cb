"""Run the pipeline on a dataset: submitted once, however often and wherever the button is pressed."""

from __future__ import annotations

import json
import time
from collections import Counter
from pathlib import Path

import streamlit as st

from pipelines import api
from pipelines.golden.dataset import Dataset
from pipelines.pipeline import Pipeline
from pipelines.records import SPLITS
from pipelines.runs.jobs import Job
from pipelines.training.knobs import PairKnobs
from workbench import faults, handover, reading
from workbench.parts import jobs
from workbench.parts.finetune_draft import LEARNING
from workbench.text import plain

ALL = "all"
_OWN, _BEFORE, _AGAIN = "launch.own", "launch.before", "launch.again"
_A_WHILE_S = 15.0


def is_own(job_id: str) -> bool:
    """Whether this session submitted the job: then its forms already hold the pipeline."""
    return job_id in st.session_state.get(_OWN, ())


def form(names: list[str], pipeline: Pipeline | None) -> None:
    """Ask on what to run, run it, and show how it goes."""
    places: dict[str, Path] = {place.name: place.path for place in api.datasets()}
    st.subheader("Run it")
    first, second = st.columns([1.25, 1])
    with first:
        name = handover.choose("Dataset", names, "dataset")
    with second, faults.told():
        dataset = reading.dataset(places[str(name)])
        split = _split(dataset)
    title = st.text_input("Name (optional)", key="launch.name", max_chars=10_000, placeholder=_label(pipeline))
    with faults.told():
        if pipeline is None:
            st.caption("The pipeline can be run once the settings marked in red are mended.")
        _trained_first(pipeline, dataset)
        if _pressed(pipeline is None) and pipeline is not None:
            job = _submit(pipeline, dataset, split, title, again=False)
            _remember(job)
        _standing(pipeline, dataset, split, title)


def _trained_first(pipeline: Pipeline | None, dataset: Dataset) -> None:
    """Say it where a model is trained before anything can be searched, and where that is looked into first."""
    learning = [] if pipeline is None else [pipeline.components[name] for name in LEARNING]
    if pipeline is None or not any(isinstance(one, PairKnobs) for one in learning):
        return
    st.caption(
        "Run trains a model first, unless that training is in the store. Finetune shows its data, cost and gain."
    )
    written = json.dumps({**pipeline.differences(), "finetune": {}}, ensure_ascii=False, separators=(",", ":"))
    handover.link("finetune", "Look at it in Finetune", icon=":material/model_training:", new="yes",
                  dataset=dataset.path.name, spec=written)  # fmt: skip


def _label(pipeline: Pipeline | None) -> str:
    return pipeline.label() if pipeline else ""


def _split(dataset: Dataset) -> str | None:
    counts = Counter(question.split for question in dataset.questions)
    offered = [ALL, *(split for split in SPLITS if counts[split])]
    sizes = {ALL: len(dataset.questions), **{split: counts[split] for split in SPLITS}}
    chosen = handover.choose(
        "Questions",
        offered,
        "split",
        shown=lambda split: f"{split} ({sizes.get(split, 0):,})",
        default="dev",
        help="Choose between pipelines on dev; report the one you chose on test.",
    )
    return None if chosen == ALL else chosen


def _pressed(disabled: bool) -> bool:
    return st.button(
        "Run", type="primary", icon=":material/play_arrow:", disabled=disabled, width="stretch", key="launch.run"
    )


def _submit(pipeline: Pipeline, dataset: Dataset, split: str | None, title: str, again: bool) -> Job:
    with st.spinner("Submitting …"):
        return api.submit(pipeline, dataset, split=split, name=title.strip() or None, again=again)


def _remember(job: Job) -> None:
    """Hold on to the job in the URL; note when it had been done long before this click."""
    st.session_state.setdefault(_OWN, set()).add(job.id)
    done_before = not job.active and time.time() - job.submitted > _A_WHILE_S
    st.session_state[_BEFORE] = job.id if done_before else None
    handover.keep(job=job.id, run=None)


def _standing(pipeline: Pipeline | None, dataset: Dataset, split: str | None, title: str) -> None:
    job_id = handover.asked("job")
    if job_id is None:
        return
    if st.session_state.get(_BEFORE) == job_id:
        st.info("The same pipeline was run on the same questions before; this is that run.")
    jobs.panel(job_id)
    if pipeline is not None and st.session_state.get(_BEFORE) == job_id and _is_of(job_id, pipeline, dataset, split):
        _offer_again(job_id, pipeline, dataset, split, title)


def _is_of(job_id: str, pipeline: Pipeline, dataset: Dataset, split: str | None) -> bool:
    """Whether the forms still say what the job did: then it can be run again, else it is another run."""
    done = api.job(job_id).payload
    return (done["pipeline"], done["version"], done["split"]) == (pipeline.settings(), dataset.version, split)


def _offer_again(job_id: str, pipeline: Pipeline, dataset: Dataset, split: str | None, title: str) -> None:
    """Run it anew, once a click on this very button: a second click finds what the first one submitted."""
    about = "Stages that are in the store are not computed again; the run is a new row."
    if st.button("Run again", key=f"again.{job_id}", icon=":material/replay:", help=plain(about)):
        done = st.session_state.setdefault(_AGAIN, {})
        if job_id not in done:
            done[job_id] = _submit(pipeline, dataset, split, title, again=True)
        _remember(done[job_id])
        st.rerun()
