"""A new finetuning: what is trained, on what data, what it would cost; and go."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from pipelines import api
from pipelines.golden.dataset import Dataset
from workbench import faults, grids, handover, reading
from workbench.parts import finetune_data, finetune_draft, finetune_form, finetune_plan, finetune_strikes
from workbench.parts.finetune_draft import Draft, Settings
from workbench.text import plain, shortened

VIEWS = ("Settings", "Training data")
_NO_OUTSIDE = "none"


def show() -> None:
    """Draw the page of a new finetuning."""
    places = {place.name: place.path for place in api.datasets()}
    if not places:
        st.info("A finetuning learns from a dataset's questions, and there is no dataset yet.")
        handover.link("data", "Upload a dataset", icon=":material/upload:")
        return
    draft = finetune_draft.begun()
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        _menu()
        view = handover.choose_view(VIEWS, "view", quiet=True)
    left, right = st.columns([1.85, 1], gap="medium")
    data = view == "Training data"
    if data:
        draft = finetune_draft.settled()
        stages = draft.stages if draft.whole is None else None
    else:
        with left:
            stages = _forms(draft)
    with right, st.container(border=True, key="finetune_side"):
        dataset, spec = _side(places, draft, stages)
    if data:
        with left, faults.told():
            finetune_data.show(spec, dataset)


def _menu() -> None:
    with st.container(horizontal=True, vertical_alignment="center", width="content"):
        with st.popover("Load a file", icon=":material/upload_file:"):
            _from_file()
        st.button("Start over", icon=":material/restart_alt:", on_click=finetune_draft.start_over)


def _from_file() -> None:
    file = st.file_uploader("A finetuning's YAML or JSON", type=["yaml", "yml", "json"], key="finetune.file")
    if file is not None and st.button("Load it", type="primary"):
        with faults.told():
            finetune_draft.load_file(file.name, file.getvalue())
            st.rerun()


def _forms(draft: Draft) -> Settings | None:
    if draft.whole is None:
        return finetune_form.ask(draft)
    st.info("This finetuning says more than the forms can show, such as several methods; it is done as it is.")
    spec = api.FinetuneSpec.parse(draft.whole, "The file")
    fields = (grids.Field("label", "Pipeline", width=520), grids.Field("trained", "Trained", width=160))
    rows = [{"label": shortened(one.label, 200), "trained": ", ".join(one.trained)} for one in spec.candidates]
    grids.show(fields, rows, "finetune.candidates", most_rows=14)
    return None


def _side(
    places: Mapping[str, Path], draft: Draft, stages: Settings | None
) -> tuple[Dataset | None, api.FinetuneSpec | None]:
    """Draw what it is done on, what it costs, and the button; return the dataset and what would be done."""
    dataset = _on(places)
    outside = _outside(places, draft) if draft.whole is None else ""
    name = st.text_input("Name (optional)", draft.name, key=f"{draft.key}.name", max_chars=10_000,
                         placeholder="by default what is trained")  # fmt: skip
    spec = None
    if stages is None and draft.whole is None:
        st.caption("Something in the forms is not allowed yet.")
    elif dataset is not None:
        with faults.told():
            spec = finetune_plan.parsed(json.dumps(_values(draft, stages, outside, name, dataset)))
    with faults.told():
        finetune_plan.show(spec, dataset, name)
    return dataset, spec


def _values(draft: Draft, stages: Settings | None, outside: str, name: str, dataset: Dataset) -> dict[str, Any]:
    """Return the spec; what a person struck out of this dataset's pairs is part of it."""
    if draft.whole is not None or stages is None:
        return finetune_draft.hold_whole(draft)
    return finetune_draft.hold(finetune_strikes.applied(stages, dataset), outside, name)


def _on(places: Mapping[str, Path]) -> Dataset | None:
    """Ask for the dataset; None, with a sentence, where nothing can be learnt from it."""
    name = str(handover.choose("Dataset", list(places), "dataset"))
    with faults.told():
        dataset = reading.dataset(places[name])
        counts = Counter(question.split for question in dataset.questions if question.answerable)
        told = ", ".join(f"{split} {counts[split]:,}" for split in ("train", "dev", "test"))
        st.caption(plain(f"Questions with evidence: {told}."))
        if counts["train"]:
            return dataset
        st.warning(plain(f"The dataset '{shortened(name, 60)}' has no train question with evidence to learn from."))
        handover.link("data", "Look at the dataset", icon=":material/database:", dataset=name)
    return None


def _outside(places: Mapping[str, Path], draft: Draft) -> str:
    """Ask for a second dataset, on which it is shown what was forgotten."""
    options = [_NO_OUTSIDE, *places]
    begun = next((name for name in places if draft.outside in (name, str(places[name]))), _NO_OUTSIDE)
    chosen = st.selectbox(
        "Outside the domain", options, options.index(begun), key=f"{draft.key}.outside",
        format_func=lambda one: shortened(one, 60),
        help="A second dataset, of other matters: what the training forgot shows there. It is not trained on.",
    )  # fmt: skip
    return "" if chosen == _NO_OUTSIDE else str(chosen)
