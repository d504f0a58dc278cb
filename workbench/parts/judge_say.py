"""One passage to judge: the question, the passage in its document, and what is said of it, by button or by key."""

from __future__ import annotations

import streamlit as st

from pipelines import api
from workbench import faults, handover
from workbench.parts import judge_queue
from workbench.parts.judge_queue import Session
from workbench.text import Mark, legend, own, plain, shortened, show_marked

_PARTLY = 0.5
_QUOTE_CHARS = 600


def show(session: Session) -> None:
    """Draw the passage that is to be judged now."""
    item = session.item
    if item is None:
        _done(session)
        return
    left, right = st.columns([1, 1.45], gap="medium")
    with left:
        _question(item)
        _buttons(session, item)
    with right:
        _passage(session, item)


def _done(session: Session) -> None:
    st.success("Nothing is left to judge here: what these runs found within the first ranks is judged.")
    with st.container(horizontal=True):
        _undo(session)
        st.button("Look again", icon=":material/refresh:", on_click=judge_queue.forget, key="judge.refresh")


def _question(item: api.QueueItem) -> None:
    with st.container(border=True, gap="xsmall"):
        st.text(item.question)
        if item.answer:
            st.caption(plain(f"Answer: {own(item.answer)}"))
        if not item.evidence:
            st.caption("No evidence is known: if this passage answers the question, it is no longer unanswerable.")
        for quote in item.evidence[:3]:
            st.caption(plain(f"Known evidence: {shortened(quote, _QUOTE_CHARS)}"))
        if len(item.evidence) > 3:
            st.caption(f"… and {len(item.evidence) - 3:,} more")


def _buttons(session: Session, item: api.QueueItem) -> None:
    st.markdown("Does the marked passage answer the question?")
    buttons = st.container(horizontal=True, gap="xsmall")
    part = st.text_input(
        "Only these words of it (optional)", key=f"judge.part.{session.at}", placeholder="paste what matters",
        help="The evidence is then these words alone, not the whole passage.",
    )  # fmt: skip
    quote = _span(item, part)
    wrong = bool(part.strip()) and quote is None
    with buttons:
        _button("Relevant", "Y", session, item.usual_grade, quote, primary=True, disabled=wrong)
        _button("Partly", "P", session, min(_PARTLY, item.usual_grade), quote, disabled=wrong)
        _button("Not", "N", session, 0.0, None)
        _button("Skip", "S", session, None, None)
        _undo(session)
    if wrong:
        st.warning(plain(f"The passage does not hold '{shortened(part, 80)}'; paste its words as they stand."))
    if item.judgments:
        said = ", ".join(f"{own(one.judge)}: {one.grade:g}" for one in item.judgments if one.grade is not None)
        st.caption(plain(f"Judged before: {said}"))


def _span(item: api.QueueItem, words: str) -> tuple[int, int] | None:
    """Return where the words stand in the document, None where the passage does not hold them."""
    at = item.text.find(words.strip()) if words.strip() else -1
    return None if at < 0 else (item.start + at, item.start + at + len(words.strip()))


def _button(
    label: str, shortcut: str, session: Session, grade: float | None, quote: tuple[int, int] | None,
    primary: bool = False, disabled: bool = False,
) -> None:  # fmt: skip
    st.button(
        label, key=f"judge.{label}.{session.at}", shortcut=shortcut, on_click=_say, disabled=disabled,
        args=(session, session.at, grade, quote), type="primary" if primary else "secondary",
    )  # fmt: skip


def _undo(session: Session) -> None:
    st.button(
        "Undo", key="judge.undo", shortcut="U", on_click=_take_back, args=(session,),
        disabled=not session.said,
    )  # fmt: skip


def _say(session: Session, at: int, grade: float | None, quote: tuple[int, int] | None) -> None:
    """Keep what was said, once however often the button is pressed before the page goes on."""
    with faults.told():
        if session.at == at:
            judge_queue.say(session, grade, quote)


def _take_back(session: Session) -> None:
    with faults.told():
        judge_queue.undo(session)


def _passage(session: Session, item: api.QueueItem) -> None:
    ranks = ", ".join(f"{own(session.queue.runs.get(run, run))} at {rank}" for run, rank in item.ranks.items())
    metadata = " · ".join(f"{own(name)}: {own(value)}" for name, value in list(item.metadata.items())[:6])
    st.caption(plain(f"{item.document_id}, characters {item.start:,}–{item.end:,}; found by {ranks}"))
    if metadata:
        st.caption(plain(metadata))
    legend("chunk")
    text = item.before + item.text + item.after
    begin = len(item.before)
    show_marked(text, [Mark(begin, begin + len(item.text), "chunk")], height_px=430)
    handover.link(
        "question", "All that was found for this question", icon=":material/manage_search:",
        question=item.question_id, run=list(session.runs),
    )  # fmt: skip
