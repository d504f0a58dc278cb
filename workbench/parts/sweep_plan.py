"""Before a sweep: how many configurations, what they would cost, its file; and the button that has workers do it."""

from __future__ import annotations

import json
import time
from typing import Any

import streamlit as st

from pipelines import api
from pipelines.catalog import STAGE_NAMES
from pipelines.golden.dataset import Dataset
from pipelines.runs.jobs import Job
from workbench import faults, grids, handover, reading
from workbench.text import counted, lasting, plain, shortened, sized

Ready = tuple[api.SweepSpec, Dataset, int, str]
BEFORE = "sweep.before"
_A_WHILE_S = 15.0
_MANY = 1_000
_ORDER = {name: i for i, name in enumerate(STAGE_NAMES)}
_FIELDS = (
    grids.Field("stage", "Stage", width=82),
    grids.Field("n", "Executions", "%d", 90, help="Distinct ones, after sharing"),
    grids.Field("n_stored", "Stored", "%d", 62, help="In the store already: looked up, not computed"),
    grids.Field("seconds", "Expected", width=150),
)


@st.cache_resource(max_entries=32, show_spinner="Counting the configurations …")
def parsed(text: str) -> api.SweepSpec:
    """Return the sweep that JSON describes.

    Raises:
        ConfigurationError: for an infinite grid, one that is too large, or values that do not go together.
    """
    return api.SweepSpec.parse(json.loads(text), "The sweep")


def show(ready: Ready | None, spec: api.SweepSpec | None, split: str | None) -> None:
    """Say how many configurations there are; estimate and run them when asked."""
    if spec is not None:
        st.markdown(_size(spec))
    with st.container(horizontal=True, gap="small"):
        estimating = st.button("Estimate", icon=":material/timer:", disabled=ready is None, key="sweep.estimate")
        running = st.button(
            "Run the sweep", type="primary", icon=":material/play_arrow:", disabled=ready is None, key="sweep.run"
        )
    if ready is None:
        return
    if running:
        _run(ready, split)
    with faults.told():
        _estimate(ready, split, estimating)


def _size(spec: api.SweepSpec) -> str:
    listed, trials = spec.space.size_listed(), spec.search.n_trials
    if spec.search.strategy != "grid":
        within = "infinitely many" if listed is None else f"{listed:,}"
        return f"{counted(min(trials, listed or trials), 'configuration')} at most, drawn from {within}."
    n = spec.space.size() or 0
    if n == 1:
        return "1 configuration: nothing varies yet. Choose several components, or write several values: 128, 256."
    return f"{counted(n, 'configuration')}."


def _estimate(ready: Ready, split: str | None, asked: bool) -> None:
    """Show the estimate of this very sweep, once it was asked for."""
    spec, dataset, workers, _ = ready
    of = (spec.fingerprint(), str(dataset.path), reading.stamp(dataset.path), split, workers)
    held = handover.key("estimate")
    if asked:
        about = " (of so many, it takes a while)" if (spec.space.size_listed() or 0) > _MANY else ""
        with st.spinner(f"Estimating{about} …", show_time=True):
            st.session_state[held] = of, _estimated(of, spec, dataset, split, workers)
    known = st.session_state.get(held)
    if known is not None and known[0] == of:
        _shown(known[1])
    elif known is not None:
        st.caption("The sweep was changed since it was estimated.")


@st.cache_data(max_entries=32, ttl=30, show_spinner=False)
def _estimated(
    of: tuple[object, ...], _spec: api.SweepSpec, _dataset: Dataset, split: str | None, workers: int
) -> api.Estimate:
    """Return the estimate; kept for a while, so that a second click waits for the first one's."""
    return api.preflight(_spec, _dataset, split=split, workers=workers)


def _shown(found: api.Estimate) -> None:
    st.markdown(plain(_expected(found)))
    stages = sorted(found.stages, key=lambda one: _ORDER.get(one.stage, len(_ORDER)))
    grids.show(_FIELDS, [_stage(one) for one in stages], "sweep.plan", most_rows=12)
    for sentence in _told(found):
        st.caption(plain(sentence))
    if found.disk_bytes > found.disk_free_bytes:
        st.warning(plain(f"The disk is short, {_disk(found)}. Free some, or make the sweep smaller."))
    for reason in found.refused[:3]:
        st.warning(plain(f"Some configurations will fail: {reason}"))


def _expected(found: api.Estimate) -> str:
    if found.n_runs_there == found.n_configurations:
        return "Every configuration was run before: nothing is computed again."
    if found.seconds is None:
        known = sum(stage.seconds or 0.0 for stage in found.stages)
        least = f"at least {lasting(known)}" if known >= 1 else "a time that cannot be told"
        return f"It takes {least}: some of it was not measured on this machine yet."
    by = f" with {counted(found.workers, 'worker')}" if found.workers > 1 else ""
    return f"It takes about {lasting(found.seconds)}{by}."


def _told(found: api.Estimate) -> list[str]:
    stands = "; a random draw stands for what the sampler will propose" if found.sampled else ""
    runs = f", {found.n_runs_there:,} of them run before" if found.n_runs_there else ""
    exact = "" if found.exact else "about "
    usd = f"{found.usd:.2f} USD" if found.usd is not None else f"no USD, {found.usd_reason}"
    return [
        f"{counted(found.n_configurations, 'configuration')}{runs}{stands}.",
        f"{counted(found.n_executions, 'stage execution')} instead of {found.n_unshared:,}, "
        f"{found.n_stored:,} in the store.",
        f"Chunks: {exact}{found.n_chunks:,} over {counted(found.n_chunkings, 'chunking')}, "
        f"{exact}{found.n_to_embed:,} to embed.",
        f"Endpoints: {counted(found.tokens, 'token')}; {usd}.",
        f"Disk: {_disk(found)}.",
        *([f"Not measured yet: {', '.join(found.unknown)}."] if found.unknown else []),
    ]


def _disk(found: api.Estimate) -> str:
    return f"about {sized(found.disk_bytes)} needed, {sized(found.disk_free_bytes)} free"


def _stage(one: Any) -> dict[str, Any]:
    known = "not measured here yet" if one.seconds is None else lasting(one.seconds)
    return {"stage": one.stage, "n": one.n, "n_stored": one.n_stored, "seconds": known}


def _run(ready: Ready, split: str | None) -> None:
    """Have it done, and go to where its progress is; the same sweep asked for again is the same job."""
    spec, dataset, workers, name = ready
    with faults.told():
        with st.spinner("Submitting …"):
            called = name.strip() or _varying(spec)
            job = api.run_sweep(spec, dataset, split=split, name=called, workers=workers, again=False)
        to_progress(job)


def _varying(spec: api.SweepSpec) -> str:
    """Return what varies, as a name."""
    names = ", ".join(axis.name for axis in spec.space.knobs())
    return shortened(names or "one configuration", 80)


def to_progress(job: Job) -> None:
    """Open the page of a job's sweep; note when it had been done long before this click."""
    done_before = not job.active and time.time() - job.submitted > _A_WHILE_S
    st.session_state[BEFORE] = job.id if done_before else None
    found = api.sweep_of_job(job.id)
    handover.go("sweep", **({"sweep": found.sweep.id} if found else {"job": job.id}))


def as_file(spec: api.SweepSpec) -> None:
    """Show the sweep as a file, folded away."""
    with st.expander("As a file, for the command line", icon=":material/description:"):
        text = spec.to_yaml()
        st.download_button(
            "Download YAML", text, "sweep.yaml", "application/yaml", icon=":material/download:", on_click="ignore"
        )
        st.code(text, language="yaml", height=300)
