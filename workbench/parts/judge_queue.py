"""The queue of what is to be judged: whose, how deep, how far, and what was said in this sitting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import streamlit as st

from pipelines import api
from workbench import handover
from workbench.text import counted, plain

_SESSION = "judge.session"
_LAST_JUDGE = "judge.name"
_DEPTH, _DEEPEST = 10, 100


@dataclass(frozen=True)
class Asked:
    """Who judges, and what: the first `depth` ranks, with `again` also what others judged."""

    judge: str
    depth: int
    again: bool


@dataclass
class Session:
    """A sitting of one judge: the queue as it was read, where in it we are, and what was said, for taking it back."""

    runs: tuple[str, ...]
    asked: Asked
    queue: api.Queue
    at: int = 0
    said: list[tuple[int, bool]] = field(default_factory=list)

    @property
    def item(self) -> api.QueueItem | None:
        """What is to be judged now; None when all is."""
        return self.queue.items[self.at] if self.at < len(self.queue.items) else None

    @property
    def n_judged(self) -> int:
        """How many passages were judged in this sitting."""
        return sum(graded for _, graded in self.said)


def ask() -> Asked | None:
    """Ask for the name, the depth, and whether second opinions are wanted; None while there is no name."""
    first, second, third = st.columns([1.4, 1, 2.2], vertical_alignment="bottom")
    with first:
        name = _name()
    with second:
        depth = int(
            st.number_input("First ranks", 1, _DEEPEST, _DEPTH, key=handover.key("depth"), help="Of each run's ranking")
        )
    with third:
        again = st.toggle("Second opinions", key=handover.key("again"), help="Also ask for what others judged already")
    if not name:
        st.info("Write your name to begin: judgements are kept with who made them, and people may disagree.")
        return None
    return Asked(name, depth, again)


def _name() -> str:
    """Ask for the judge's name. Once it is there, the field goes, for the keys that follow are judgements."""
    name = (handover.asked("judge") or st.session_state.get(_LAST_JUDGE, "")).strip()
    if not name:
        written = st.text_input("Your name", max_chars=80, placeholder="so that judgements can be told apart")
        if not written.strip():
            return ""
        handover.keep(judge=written.strip())
        st.rerun()
    handover.keep(judge=name)
    st.session_state[_LAST_JUDGE] = name
    with st.container(horizontal=True, vertical_alignment="center"):
        st.text(f"Judging as {name}", width="content")
        st.button("Another name", on_click=_forget_name, type="tertiary", key="judge.rename")
    return name


def _forget_name() -> None:
    st.session_state.pop(_LAST_JUDGE, None)
    handover.keep(judge=None)


def opened(runs: Sequence[str], asked: Asked) -> Session:
    """Return the sitting; it begins anew when other runs, another judge or another depth is asked for."""
    held: Session | None = st.session_state.get(_SESSION)
    if held is None or (held.runs, held.asked) != (tuple(runs), asked):
        with st.spinner("Gathering what nobody judged …"):
            held = Session(tuple(runs), asked, api.judging_queue(runs, asked.judge, asked.depth, asked.again))
        st.session_state[_SESSION] = held
    return held


def forget() -> None:
    """Have the queue read again."""
    st.session_state.pop(_SESSION, None)


def progress(session: Session) -> None:
    """Say how much of the pool is judged."""
    queue = session.queue
    left = len(queue.items) - session.n_judged
    done = queue.n_passages - left
    told = f"{counted(left, 'passage')} left of {queue.n_passages:,} that {counted(len(queue.runs), 'run')} found"
    st.progress(done / queue.n_passages if queue.n_passages else 1.0, text=plain(told))
    parts = [f"{queue.n_known:,} known from the evidence", f"{queue.n_judged + session.n_judged:,} judged by people"]
    if queue.n_unsettled:
        parts.append(f"{queue.n_unsettled:,} on which people disagree")
    if queue.n_elsewhere:
        parts.append(f"{counted(queue.n_elsewhere, 'chunk')} not found in the dataset's own parsing")
    st.caption(plain(" · ".join(parts) + ". What could change the figures most comes first."))


def say(session: Session, grade: float | None, quote: tuple[int, int] | None = None) -> None:
    """Keep a judgement of the present passage (None: skipped) and go on."""
    item = session.item
    if item is None:
        return
    api.record_judgment(session.queue.documents_version, item.judgment(grade, session.asked.judge, quote))
    session.said.append((session.at, grade is not None))
    session.at += 1


def undo(session: Session) -> None:
    """Take the last judgement of this sitting back and return to its passage."""
    if not session.said:
        return
    session.at, _ = session.said.pop()
    item = session.queue.items[session.at]
    api.record_judgment(session.queue.documents_version, item.judgment(None, session.asked.judge))
