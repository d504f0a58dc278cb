"""Jobs as they stand: the indicator of every page, and the progress of one. Polling stops when nothing runs."""

from __future__ import annotations

import time

import streamlit as st

from pipelines import api
from pipelines.runs.jobs import Job
from workbench import faults, handover
from workbench.parts import finetune_words
from workbench.parts.sweep_words import how_far
from workbench.text import own, plain

_POLL_S = 1.0


def indicator() -> None:
    """Show in the sidebar what waits or runs, with a link to its progress."""
    with st.sidebar, faults.told():
        polls = _POLL_S * 2 if api.active_jobs() else None
        if polls:
            st.fragment(_active, run_every=polls)()


def _active() -> None:
    """Show the jobs; when the last has ended, have the whole page drawn anew, which ends the polling."""
    with faults.told():
        active = api.active_jobs()
        if not active:
            st.rerun()
        st.caption(f"{len(active)} running or waiting")
        for job in active[:5]:
            page, far = _where(job)
            handover.link(page, f"{far}{own(job.title)}", icon=":material/progress_activity:", job=job.id)


def _where(job: Job) -> tuple[str, str]:
    """Return the page of a job's progress, and how far it is."""
    if job.kind == api.SWEEP:
        return "sweep", f"{how_far(job)} · "
    if job.kind in (api.FINETUNE, api.MODELS):
        return "finetune", f"{finetune_words.how_far(job)} · "
    return "build", _percent(job)


def _percent(job: Job) -> str:
    total = job.progress.get("total") or 0
    return f"{job.progress.get('stage')} {100 * job.progress.get('done', 0) // total} % · " if total else ""


def panel(job_id: str) -> None:
    """Show one job: its progress while it runs, then its outcome."""
    job = api.job(job_id)
    if job.active:
        st.fragment(_running, run_every=_POLL_S)(job_id)
    else:
        _ended(job)


def _running(job_id: str) -> None:
    with faults.told():
        job = api.job(job_id)
        if not job.active:
            st.rerun()
        with st.container(border=True, gap="small", key="job"):
            st.text(job.title)
            st.progress(_share(job), text=plain(_standing(job)))
            with st.container(horizontal=True, vertical_alignment="center"):
                st.button(
                    "Cancel", key=f"cancel.{job.id}", on_click=_cancel, args=(job.id,), disabled=job.cancel_requested
                )
                st.caption("It goes on when this page is closed; its link shows it again.")


def _share(job: Job) -> float:
    total = job.progress.get("total") or 0
    return min(1.0, job.progress.get("done", 0) / total) if total else 0.0


def _standing(job: Job) -> str:
    if job.state == "queued":
        return f"waiting for a worker, {_elapsed(job.submitted)}"
    asked = "stopping · " if job.cancel_requested else ""
    stage, done, total = (job.progress.get(name) for name in ("stage", "done", "total"))
    where = f"{stage}: {done:,} of {total:,}" if total else "starting, loading what it needs"
    return f"{asked}{where} · {_elapsed(job.started or job.submitted)}"


def _elapsed(since: float, until: float | None = None) -> str:
    seconds = max(0.0, (until or time.time()) - since)
    return f"{seconds:.1f} s" if seconds < 60 else f"{int(seconds // 60)} min {int(seconds % 60)} s"


def _cancel(job_id: str) -> None:
    with faults.told():
        api.cancel(job_id)


def _resume(job_id: str) -> None:
    with faults.told():
        api.resume(job_id)


def _ended(job: Job) -> None:
    with st.container(border=True, gap="small", key="job"):
        st.text(job.title)
        took = _elapsed(job.started or job.submitted, job.ended)
        if job.state == "finished":
            st.success(f"Finished in {took}.")
            handover.link("runs", "Open the run", icon=":material/open_in_new:", run=job.run_id)
        elif job.state == "paused":
            st.info("Paused. What was finished is kept: it goes on from there.")
            st.button("Resume", key=f"resume.{job.id}", on_click=_resume, args=(job.id,))
        elif job.state == "cancelled":
            st.warning(f"Cancelled after {took}. What was finished is kept: running it again goes on from there.")
        else:
            faults.say(job.error or "It failed without a reason; the worker's log has the details.")
