"""A sweep that is not finished: how far it is, when it will end, its log, and what is finished already."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import streamlit as st

from pipelines import api
from pipelines.runs.jobs import Job
from workbench import faults
from workbench.parts import sweep_again, sweep_rows
from workbench.parts.sweep_words import clock, ends, planned, share_done
from workbench.text import counted, lasting, plain

_POLL_S, _ROWS_POLL_S = 1.0, 4.0
_LOG_LINES = 200


def show(view: api.SweepView) -> None:
    """Draw a sweep that waits, runs, is paused, was cancelled or has failed."""
    running = view.job.active
    st.fragment(_standing, run_every=_POLL_S if running else None)(view.job.id, running)
    if running:
        st.fragment(_rows, run_every=_ROWS_POLL_S)(view.sweep.id)
    else:
        _rows(view.sweep.id)


def _standing(job_id: str, was_active: bool) -> None:
    """Show how far it is; when it ends, or goes on, have the whole page drawn anew."""
    with faults.told():
        job = api.job(job_id)
        if job.active != was_active:
            st.rerun()
        with st.container(border=True, gap="small", key="job"):
            _outcome(job)
            _buttons(job)
        with st.expander("Log", icon=":material/article:"):
            log(job_id)


def _outcome(job: Job) -> None:
    if job.active:
        st.progress(share_done(job), text=plain(_told(job)))
        st.caption("It goes on when this page is closed; its link shows it again.")
        return
    took = lasting(max(0.0, (job.ended or time.time()) - (job.started or job.submitted)))
    if job.state == "paused":
        st.info(plain(f"Paused after {_configurations(job)}. Resume goes on from there."))
    elif job.state == "cancelled":
        st.warning(f"Cancelled after {took}. What was finished is kept: running it again goes on from there.")
    else:
        faults.say(job.error or "It failed without a reason; the worker's log has the details.")


def _told(job: Job) -> str:
    """Return one line: how many configurations, at which stage, how long, and when it ends."""
    since = lasting(max(0.0, time.time() - (job.started or job.submitted)))
    if job.state == "queued":
        return f"waiting for a worker, {since}"
    asked = ["stopping"] if job.cancel_requested else ["pausing"] if job.pause_requested else []
    steps = (_configurations(job), _stage(job.progress), since, ends(job))
    return " · ".join([*asked, *(step for step in steps if step)])


def _configurations(job: Job) -> str:
    if not job.progress.get("trials_total"):
        return "reading the dataset"
    return f"{job.progress.get('trials_done', 0):,} of {counted(planned(job), 'configuration')}"


def _stage(progress: Mapping[str, Any]) -> str:
    stage, done, total = (progress.get(name) for name in ("stage", "done", "total"))
    if stage == "report":
        return "choosing, and evaluating the choice on other questions"
    return f"{stage}: {done:,} of {total:,}" if stage and total else str(stage or "")


def _buttons(job: Job) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        if job.state == "paused":
            _button("Resume", ":material/play_arrow:", api.resume, job, primary=True)
        elif job.active:
            _button("Pause", ":material/pause:", api.pause, job, disabled=job.pause_requested or job.cancel_requested)
        if job.active or job.state == "paused":
            _button("Cancel", ":material/stop:", api.cancel, job, disabled=job.cancel_requested)
        else:
            sweep_again.button(job)


def _button(label: str, icon: str, act: Any, job: Job, disabled: bool = False, primary: bool = False) -> None:
    st.button(
        label, icon=icon, key=f"sweep.{label}.{job.id}", on_click=_act, args=(act, job.id), disabled=disabled,
        type="primary" if primary else "secondary",
    )  # fmt: skip


def _act(act: Any, job_id: str) -> None:
    with faults.told():
        act(job_id)


def log(job_id: str) -> None:
    """Show the last lines of a job's log, the newest first."""
    lines = api.job_log(job_id, _LOG_LINES)
    if not lines:
        st.caption("Nothing was logged yet.")
        return
    text = "\n".join(f"{clock(at)}  {line}" for at, line in reversed(lines))
    st.code(text, language=None, wrap_lines=True, height=min(260, 40 + 21 * len(lines)))


def _rows(sweep_id: str) -> None:
    """Show what became of the configurations so far."""
    with faults.told():
        view = api.sweep(sweep_id)
        if not view.trials:
            return
        done = len(view.trials) - view.counts.get("waiting", 0)
        if done:
            proposed = counted(len(view.trials), "proposed configuration")
            st.caption(f"{done:,} of {proposed} so far. Tick a row to open it.")
            sweep_rows.grid(sweep_rows.so_far(view), "sweep.so_far", most_rows=12)
