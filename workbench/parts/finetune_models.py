"""Base models to be compared before one of them is trained: which, on what; and the comparisons there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from pipelines import api
from pipelines.golden.dataset import Dataset
from pipelines.records import SPLITS
from pipelines.runs.jobs import Job
from pipelines.runs.record import ALL_QUESTIONS
from workbench import faults, grids, handover, reading
from workbench.parts.sweep_words import STATES, moment
from workbench.text import counted, plain, shortened

_DEFAULT_STAGES = "the defaults"
_MOST = 100
_ABOUT = (
    "One a line: a folder, a name on the hub, minilm, static (fast vectors distilled from MiniLM), static:FOLDER, or "
    "endpoint:ADDRESS MODEL. Settings such as {use: sentence-transformer, model: FOLDER, query_prompt: 'query: '} set "
    "more. The others are held against the first."
)
_FIELDS = (
    grids.Field("models", "Models", width=420),
    grids.Field("dataset", "Dataset", width=150),
    grids.Field("split", "Questions", width=80),
    grids.Field("done", "Done", width=90),
    grids.Field("state", "State", width=90),
    grids.Field("when", "Begun", width=130),
)


def show() -> None:
    """Ask for models, and list the comparisons there are."""
    places = {place.name: place.path for place in api.datasets()}
    if not places:
        st.info("Base models are compared on a dataset's questions, and there is no dataset yet.")
        handover.link("data", "Upload a dataset", icon=":material/upload:")
        return
    left, right = st.columns([1.4, 1], gap="medium")
    with left:
        models = _models()
    with right, faults.told():
        _go(models, places)
    _listed()


def _models() -> list[str]:
    written = st.text_area("Models", "\n".join(api.DEFAULT_MODELS), key=handover.key("models"), height=160)
    st.caption(plain(_ABOUT))
    return [line.strip() for line in str(written).splitlines() if line.strip()]


def _go(models: list[str], places: Mapping[str, Path]) -> None:
    first, second = st.columns([1.15, 1], gap="small")
    with first:
        dataset = reading.dataset(places[str(handover.choose("Dataset", list(places), "dataset", quiet=True))])
    with second:
        split = _split(dataset)
    stages = _stages()
    if not dataset.questions:
        st.warning(plain(f"The dataset '{shortened(dataset.name, 60)}' has no questions yet."))
    ready = bool(models and dataset.questions)
    if st.button("Compare", type="primary", icon=":material/balance:", disabled=not ready, key="finetune.compare"):
        with st.spinner("Submitting …"):
            job = api.compare_models(models, dataset, pipeline=stages, split=split, again=False)
        opened(job)
    st.caption("Each is measured in a process of its own, then evaluated; what was embedded before is looked up.")


def opened(job: Job) -> None:
    """Open the page of a comparison."""
    handover.go("finetune", models=job.id)


def _split(dataset: Dataset) -> str | None:
    counts: Counter[str | None] = Counter(question.split for question in dataset.questions)
    sizes = {one: counts[one] for one in reversed(SPLITS) if counts[one]} | {ALL_QUESTIONS: len(dataset.questions)}
    chosen = handover.choose("Questions", list(sizes), "split", shown=lambda one: f"{one} ({sizes[one]:,})",
                             default="dev", quiet=True, help="Choose on dev, and report on test")  # fmt: skip
    return None if chosen == ALL_QUESTIONS else chosen


def _stages() -> dict[str, Any] | None:
    """Ask for the stages beside the model: the defaults, or a run's."""
    rows = {str(row["run"]): row for row in reversed(api.runs(()).rows)}
    names = {_DEFAULT_STAGES: "the defaults, dense retrieval"}
    names |= {run: f"{row['name']} · {row['dataset']}" for run, row in rows.items()}
    chosen = str(handover.choose("Chunking and all else", list(names), "stages", shown=names.__getitem__, quiet=True))
    if chosen == _DEFAULT_STAGES:
        return None
    return {name: value for name, value in api.run(chosen).settings.items() if name != "embed"}


def _listed() -> None:
    views = api.model_comparisons(_MOST)
    if not views:
        return
    st.caption(f"{counted(len(views), 'comparison')}, the newest first. Tick one to open it.")
    rows, ids = [_row(view) for view in views], [view.job.id for view in views]
    for i in grids.show(_FIELDS, rows, "finetune.comparisons", 8, select="single-row", ids=ids):
        opened(views[i].job)


def _row(view: api.ModelsView) -> dict[str, Any]:
    asked = view.job.payload
    return {
        "models": shortened(", ".join(view.labels), 200),
        "dataset": shortened(asked["dataset_name"], 60),
        "split": asked["split"] or ALL_QUESTIONS,
        "done": f"{len(view.rows):,} of {len(view.labels):,}",
        "state": STATES[view.state],
        "when": moment(view.job.submitted),
    }
