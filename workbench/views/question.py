"""The question page: one question in depth, rank by rank, for each run."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from pipelines import api
from pipelines.records import Question
from workbench import faults, handover, reading
from workbench.parts import choice, ranks
from workbench.text import shortened


def page() -> None:
    """Draw the page."""
    handover.begin("question")
    st.title("Question")
    rows = {str(row["run"]): row for row in reversed(api.runs(()).rows)}
    if not rows:
        st.info("There is no run yet. When a pipeline was run, this page shows what it found for each question.")
        handover.link("build", "Build a pipeline", icon=":material/tune:")
        return
    runs = choice.ask_same(rows)
    if not runs:
        st.info("Choose at least one run.")
        return
    first = api.run(runs[0])
    questions = reading.run_questions(first)
    chosen = _question(questions)
    if chosen is not None:
        ranks.show(first, runs, chosen)


def _question(questions: Mapping[str, Question]) -> str | None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        needle = handover.search("Search questions", "find", width=220).casefold()
        found = [name for name, q in questions.items() if needle in _haystack(q)]
        if not found:
            st.info("No question meets this search.")
            return None
        chosen = handover.choose(
            "Question", found, "question", shown=lambda q: f"{q} · {questions[q].text}", width="stretch"
        )
        _steps(found, str(chosen))
    return chosen


def _haystack(question: Question) -> str:
    return " ".join((question.id, question.text, *question.tags)).casefold()


def _steps(found: list[str], chosen: str) -> None:
    at = found.index(chosen)
    for label, step in (("Previous", -1), ("Next", 1)):
        there = 0 <= at + step < len(found)
        target = found[at + step] if there else chosen
        st.button(label, key=f"question.{label}", disabled=not there, on_click=_open, args=(target,))
    st.caption(shortened(f"{at + 1:,} of {len(found):,}"), width="content")


def _open(question_id: str) -> None:
    st.session_state[handover.key("question")] = question_id


with faults.told():
    page()
