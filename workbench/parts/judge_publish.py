"""What becomes of judgements: a new version of the dataset, and runs scored anew on it; or a spreadsheet."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from pipelines import api
from pipelines.golden.dataset import Dataset
from workbench import faults, handover, reading
from workbench.parts import judge_queue
from workbench.parts.judge_queue import Session
from workbench.text import plain, shortened

_PUBLISHED, _JOBS, _KEPT = "judge.published", "judge.jobs", "judge.kept"
IN_PLACE, BESIDE = "in its place, the old questions kept", "as a new dataset"


def bar(session: Session, judge: str) -> None:
    """Offer to publish, and the way by a spreadsheet."""
    with st.container(horizontal=True, vertical_alignment="center"):
        with st.popover("Publish a new version", icon=":material/publish:"):
            _publish(session)
        with st.popover("In a spreadsheet", icon=":material/table:"):
            _spreadsheet(session, judge)
        st.button("Read the queue again", icon=":material/refresh:", on_click=judge_queue.forget, key="judge.reread")


def _dataset(session: Session) -> Dataset:
    """Return the dataset that the runs were made on; what changed since is refused when it is written."""
    return reading.dataset(Path(api.run(session.runs[0]).dataset_path))


def _publish(session: Session) -> None:
    dataset = _dataset(session)
    st.caption(
        "What was judged becomes evidence: relevant passages with their grade, the others with grade 0. Runs belong to "
        "the version they were made on; score them anew to compare them on the new one."
    )
    how = st.radio("Write it", (BESIDE, IN_PLACE), key="judge.how")
    name = st.text_input("Name of the new dataset", f"{dataset.path.name}-judged", key="judge.dest", max_chars=200)
    if st.button("Publish", type="primary", key="judge.publish"):
        with faults.told():
            # None would be in place: an empty name is refused instead, and a name is never taken for a path.
            done = api.publish_judgments(dataset, None if how == IN_PLACE else name.replace("/", " "))
            st.session_state[_PUBLISHED] = done
            st.session_state.pop(_JOBS, None)
            judge_queue.forget()
            st.rerun()


def published(runs: Sequence[str]) -> None:
    """Say what was written last, and offer to score the runs on it; it stands there until it is closed."""
    done: api.Published | None = st.session_state.get(_PUBLISHED)
    if done is None:
        return
    with st.container(border=True, gap="xsmall", key="judge_published"):
        st.success(plain(done.summary()))
        if done.left_out:
            reasons = "; ".join(sorted({why for _, why in done.left_out})[:3])
            st.caption(plain(f"Left out: {reasons}"))
        with st.container(horizontal=True, vertical_alignment="center"):
            handover.link("data", "Look at the new version", icon=":material/database:", dataset=done.path.name)
            label = "Score this run on it" if len(runs) == 1 else f"Score these {len(runs)} runs on it"
            st.button(label, icon=":material/replay:", key="judge.rescore", on_click=_rescore, args=(runs, done))
            st.button("Close", key="judge.close", on_click=_close, type="tertiary")
        for job in st.session_state.get(_JOBS, ()):
            label = f"Progress of {shortened(job.title, 60)}"
            handover.link("build", label, icon=":material/play_arrow:", job=job.id)


def _rescore(runs: Sequence[str], done: api.Published) -> None:
    with faults.told():
        st.session_state[_JOBS] = [api.rescore(run, reading.dataset(done.path)) for run in runs]


def _close() -> None:
    st.session_state.pop(_PUBLISHED, None)
    st.session_state.pop(_JOBS, None)


def _spreadsheet(session: Session, judge: str) -> None:
    st.caption("Fill in the column 'grade' (0 not, 1 relevant, up to 3), then bring the file back.")
    st.download_button(
        "Download the queue", lambda: api.judging_csv(session.queue, judge), "judging.csv", "text/csv",
        icon=":material/download:", on_click="ignore",
    )  # fmt: skip
    file = st.file_uploader("The filled file", type=["csv"], key="judge.file")
    if file is not None and st.button("Keep its judgements", key="judge.import"):
        with faults.told():
            text = file.getvalue().decode("utf-8-sig", "replace")
            st.session_state[_KEPT] = api.import_judging(_dataset(session), text, shortened(file.name), judge)
            judge_queue.forget()
            st.rerun()
    kept: api.Filled | None = st.session_state.get(_KEPT)
    if kept is not None:
        st.caption(f"Kept {len(kept.judgments):,} judgements; {kept.n_empty:,} rows had none.")
        for problem in kept.problems[:10]:
            st.warning(plain(f"Line {problem.line}: {problem.message}"))
