"""A new sweep: what to try, on what, how to search; what it would cost, live; and go."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

import streamlit as st

from pipelines import api
from pipelines.golden.dataset import Dataset
from pipelines.records import SPLITS
from pipelines.runs.record import ALL_QUESTIONS
from workbench import faults, grids, handover, reading
from workbench.parts import sweep_draft, sweep_form, sweep_plan, sweep_search
from workbench.parts.sweep_draft import Draft
from workbench.text import plain, shortened


def show() -> None:
    """Draw the page of a new sweep."""
    places = {place.name: place.path for place in api.datasets()}
    if not places:
        st.info("A sweep is run on a dataset, and there is none yet.")
        handover.link("data", "Upload a dataset", icon=":material/upload:")
        return
    draft = sweep_draft.begun()
    _menu()
    left, right = st.columns([1.85, 1], gap="medium")
    with left:
        stages = _space(draft)
    with right, st.container(border=True, key="sweep_side"):
        dataset, split = _on(places)
        values = _asked(draft, stages)
        _go(values, dataset, split)


def _menu() -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        with st.popover("Load a file", icon=":material/upload_file:"):
            _from_file()
        st.button("Start over", icon=":material/restart_alt:", on_click=sweep_draft.start_over)


def _from_file() -> None:
    file = st.file_uploader("A sweep's YAML or JSON", type=["yaml", "yml", "json"], key="sweep.file")
    if file is not None and st.button("Load it", type="primary"):
        with faults.told():
            sweep_draft.load_file(file.name, file.getvalue())
            st.rerun()


def _space(draft: Draft) -> sweep_form.Stages | None:
    if draft.whole is None:
        return sweep_form.ask(draft.stages, draft.key)
    st.info("This sweep says more than the forms can show, such as one component twice; it is run as it is.")
    spec = api.SweepSpec.parse(draft.whole, "The file")
    fields = (
        grids.Field("name", "What varies", width=200),
        grids.Field("values", "Values", width=330),
        grids.Field("when", "Only with", width=200),
    )
    grids.show(fields, [_axis(one) for one in spec.space.knobs()], "sweep.axes", most_rows=16)
    return {}


def _axis(axis: Any) -> dict[str, str | None]:
    several = f"{axis.low} to {axis.high}" if axis.values is None else ", ".join(str(one) for one in axis.values)
    return {"name": axis.name, "values": shortened(several, 300), "when": ", ".join(axis.when) or None}


def _on(places: Mapping[str, Any]) -> tuple[Dataset | None, str | None]:
    """Ask for dataset and questions; no dataset, with a sentence, where that cannot be used."""
    first, second = st.columns([1.15, 1], gap="small")
    with first:
        name = str(handover.choose("Dataset", list(places), "dataset"))
    with second, faults.told():
        dataset = reading.dataset(places[name])
        if not dataset.questions:
            st.warning(plain(f"The dataset '{shortened(name, 60)}' has no questions yet, and a sweep needs some."))
            handover.link("data", "Look at the dataset", icon=":material/database:", dataset=name)
            return None, None
        return dataset, _split(dataset)
    return None, None


def _split(dataset: Dataset) -> str | None:
    counts = Counter(question.split for question in dataset.questions)
    sizes = {ALL_QUESTIONS: len(dataset.questions), **{split: counts[split] for split in SPLITS if counts[split]}}
    chosen = handover.choose(
        "Questions", list(sizes), "split", shown=lambda one: f"{one} ({sizes[one]:,})",
        default=api.default_split(dataset) or ALL_QUESTIONS,
        help="The winner is chosen on these, and reported on test where there are test questions besides.",
    )  # fmt: skip
    return None if chosen == ALL_QUESTIONS else chosen


def _asked(draft: Draft, stages: sweep_form.Stages | None) -> tuple[dict[str, Any], int, str] | None:
    """Ask how to search; return the sweep's values, its workers and its name, None while a form is not in order."""
    with faults.told():
        whole, search = draft.whole is not None, dict[str, Any]()
        if not whole:
            search = sweep_search.ask(stages, draft.search, draft.key)
        with st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall"):
            workers = sweep_search.workers(draft.workers, f"{draft.key}.workers")
            if not whole:
                search |= sweep_search.numbers(search["strategy"], draft.search, draft.key)
        name = st.text_input(
            "Name (optional)", draft.name, key=f"{draft.key}.name", max_chars=10_000,
            placeholder="by default what varies",
        )  # fmt: skip
        if stages is None:
            return None
        values = sweep_draft.hold_whole(draft) if whole else sweep_draft.hold(stages, search, workers, name)
        return values, workers, name
    return None


def _go(asked: tuple[dict[str, Any], int, str] | None, dataset: Dataset | None, split: str | None) -> None:
    """Draw what it would cost and the buttons, which wait while something is not in order."""
    spec, ready = None, None
    if asked is None:
        st.caption("Something in the forms is not allowed yet.")
    else:
        with faults.told():
            spec = sweep_plan.parsed(json.dumps(asked[0]))
    if spec is not None and asked is not None and dataset is not None:
        with faults.told():
            api.check_sweep(spec, dataset, split, asked[1])
            ready = (spec, dataset, asked[1], asked[2])
    with faults.told():
        sweep_plan.show(ready, spec, split)
    if spec is not None:
        sweep_plan.as_file(spec)
