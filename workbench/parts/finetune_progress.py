"""A finetuning that is not finished: how far it is, its curves as they grow, its log, and what can be done with it."""

from __future__ import annotations

import time
from typing import Any

import streamlit as st

from pipelines import api
from pipelines.runs.jobs import Job
from workbench import charts, faults, finetune_charts
from workbench.parts import finetune_again
from workbench.parts.finetune_words import how_far, share_done
from workbench.parts.sweep_progress import log
from workbench.text import lasting, plain

_POLL_S = 2.0
_DRAWN = ("loss", "dev", "learning_rate")


def show(view: api.FinetuneView) -> None:
    """Draw a finetuning that waits, runs, is paused, was cancelled or has failed; polling ends with the work."""
    active = view.job.active
    st.fragment(_standing, run_every=_POLL_S if active else None)(view.finetuning.id, active)


def _standing(reference: str, was_active: bool) -> None:
    """Show how far it is; when it ends, or goes on, have the whole page drawn anew."""
    with faults.told():
        view = api.finetuning(reference)
        if view.job.active != was_active:
            st.rerun()
        with st.container(border=True, gap="small", key="job"):
            _outcome(view.job)
            _buttons(view)
        curves(view)
        with st.expander("Log", icon=":material/article:"):
            log(view.job.id)


def curves(view: api.FinetuneView) -> None:
    """Draw loss, dev metric and learning rate along the steps, those that were measured."""
    known = {label: points for label, points in view.curves.items() if points}
    drawn = [name for name in _DRAWN if finetune_charts.measured(known, name)]
    if not drawn:
        if view.job.active:
            st.caption("The curves of loss and dev metric appear here as soon as the training has begun.")
        return
    n_dev = (view.report or {}).get("splits", {}).get("questions", {}).get("dev")
    for place, name in zip(st.columns(len(drawn), gap="medium"), drawn, strict=True):
        with place:
            st.plotly_chart(
                finetune_charts.curve(known, name, n_dev),
                theme=None,
                config=charts.CONFIG,
                key=f"finetune.curve.{name}",
            )


def _outcome(job: Job) -> None:
    if job.active:
        asked = ["stopping"] if job.cancel_requested else ["pausing"] if job.pause_requested else []
        since = [] if job.state == "queued" else [lasting(max(0.0, time.time() - (job.started or job.submitted)))]
        st.progress(share_done(job), text=plain(" · ".join([*asked, how_far(job), *since])))
        st.caption("It goes on when this page is closed; its link shows it again.")
        return
    took = lasting(max(0.0, (job.ended or time.time()) - (job.started or job.submitted)))
    if job.state == "paused":
        st.info("Paused. Resume goes on from the last checkpoint.")
    elif job.state == "cancelled":
        st.warning(f"Cancelled after {took}. What was finished is kept: done again, it goes on from there.")
    else:
        faults.say(job.error or "It failed without a reason; the worker's log has the details.")


def _buttons(view: api.FinetuneView) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        stops(view.job)
        if not view.job.active and view.state != "paused":
            finetune_again.button(view)


def stops(job: Job) -> None:
    """Offer to pause a job, to let it go on, and to cancel it, each while that can be done."""
    if job.state == "paused":
        _button("Resume", ":material/play_arrow:", api.resume, job, primary=True)
    elif job.active:
        _button("Pause", ":material/pause:", api.pause, job, disabled=job.pause_requested or job.cancel_requested)
    if job.active or job.state == "paused":
        _button("Cancel", ":material/stop:", api.cancel, job, disabled=job.cancel_requested)


def _button(label: str, icon: str, act: Any, job: Job, disabled: bool = False, primary: bool = False) -> None:
    st.button(
        label, icon=icon, key=f"finetune.{label}.{job.id}", on_click=_act, args=(act, job.id), disabled=disabled,
        type="primary" if primary else "secondary",
    )  # fmt: skip


def _act(act: Any, job_id: str) -> None:
    with faults.told():
        act(job_id)
