"""The what-if page: change a knob behind the vectors and see all questions evaluated anew at once, logging nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from pipelines import api
from pipelines.errors import NotFoundError
from pipelines.pipeline import Pipeline
from pipelines.runs.record import Run
from pipelines.whatif import CostlyChange, OutputsGone, WhatIf
from workbench import faults, handover, reading
from workbench.parts import what_if_answer, what_if_keep, what_if_knobs
from workbench.text import plain, shortened

_LAST = "what_if.run"


def page() -> None:
    """Draw the page."""
    handover.begin("what_if")
    st.title("What if")
    rows = {str(row["run"]): row for row in reversed(api.runs(()).rows)}
    if not rows:
        st.info("There is no run yet. Once a pipeline was run, this page shows what a change of its settings would do.")
        handover.link("build", "Build a pipeline", icon=":material/tune:")
        return
    last = st.session_state.get(_LAST)
    chosen = str(handover.choose("Run", list(rows), "run", shown=lambda one: _title(rows[one]), default=last))
    st.session_state[_LAST] = chosen
    what_if_keep.progress(chosen)
    with faults.told():
        _explored(api.run(chosen))


def _title(row: Mapping[str, Any]) -> str:
    return f"{shortened(row['name'], 60)} · {str(row['run'])[-6:]} · {shortened(row['dataset'], 40)} ({row['split']})"


@st.fragment
def _explored(run: Run) -> None:
    """Draw knobs and answer; a moved slider draws this part of the page alone.

    The session is asked for each time: held by the page, it would stay in memory as long as the browser's tab.
    """
    with faults.told():
        session = _session(run)
        if session is None:
            return
        left, right = st.columns([1.15, 2.2], gap="medium")
        with left, faults.told():
            pipeline = what_if_knobs.ask(run.id, session.origin.pipeline)
            handover.link("build", "Change anything else", icon=":material/tune:", run=run.id)
        with right, faults.told():
            _answer(run, session, pipeline)


def _session(run: Run) -> WhatIf | None:
    """Return the opened run, or None with a sentence why it cannot be opened and what can be done."""
    try:
        with st.spinner("Reading what the run left …", show_time=True):
            return api.what_if(run.id)
    except NotFoundError as error:
        faults.say(error)
        if isinstance(error, OutputsGone):
            what_if_keep.offer_again(run)
        else:
            handover.link("build", "Build from it", icon=":material/tune:", run=run.id)
        return None


def _answer(run: Run, session: WhatIf, pipeline: Pipeline | None) -> None:
    bar = st.container(horizontal=True, vertical_alignment="center")
    metrics = what_if_answer.headline(pipeline, st.session_state[handover.key("k")]) if pipeline else ()
    answer, keeps = None, None
    try:
        if pipeline is not None:
            answer = session.evaluate(pipeline, [metric.name for metric in metrics])
        keeps = pipeline
    except CostlyChange as error:
        st.warning(plain(error))
        keeps = pipeline
    finally:
        with bar:
            what_if_keep.button(run, session.origin, keeps)
            _back()
    if answer is not None:
        what_if_answer.show(session, answer, metrics)
        what_if_answer.questions(run, answer, metrics, reading.run_questions(run))


def _back() -> None:
    label = "Back to the run's settings"
    st.button(label, icon=":material/undo:", on_click=what_if_knobs.back, key=handover.key("back"))


with faults.told():
    page()
