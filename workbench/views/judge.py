"""The judge page: say of what runs retrieved whether it answers, one passage at a time, and publish what was said."""

from __future__ import annotations

import streamlit as st

from pipelines import api
from workbench import faults, handover
from workbench.parts import choice, judge_publish, judge_queue, judge_say


def page() -> None:
    """Draw the page."""
    handover.begin("judge")
    st.title("Judge")
    rows = {str(row["run"]): row for row in reversed(api.runs(()).rows)}
    if not rows:
        st.info("There is no run yet. When pipelines were run, what they retrieved and nobody judged is judged here.")
        handover.link("build", "Build a pipeline", icon=":material/tune:")
        return
    runs = choice.ask_same(rows)
    if not runs:
        st.info("Choose at least one run: what several found is judged once for all of them.")
        return
    judge_publish.published(runs)
    with faults.told():
        asked = judge_queue.ask()
        if asked is None:
            return
        session = judge_queue.opened(runs, asked)
        judge_queue.progress(session)
        judge_publish.bar(session, asked.judge)
        judge_say.show(session)


with faults.told():
    page()
