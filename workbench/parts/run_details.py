"""One run: its metrics, what it cost, how it is configured, and what its numbers depend on."""

from __future__ import annotations

from typing import Any

import streamlit as st
import yaml

from pipelines import api
from pipelines.runs.record import Measured, Run
from workbench import charts, faults, grids, handover, reading
from workbench.parts import hole_view, loss_view, metadata_view, slice_view
from workbench.parts.choice import PREFERRED
from workbench.text import own, plain

VIEWS = ("Figures", "Lost evidence", "Slices", "Label holes", "Metadata")
_METRIC = (
    grids.Field("metric", "Metric", width=170),
    grids.Field("mean", "Mean", width=90),
    grids.Field("interval", "95 % interval", width=160),
    grids.Field("n", "n", "%d", 60, help="Questions scored"),
    grids.Field("unscored", "Unscored", "%d", 80),
    grids.Field("unit", "Unit", width=70),
    grids.Field("reason", "Why not scored", width=260),
)


def show(reference: str) -> None:
    """Draw the run that an id, a name or the beginning of an id names."""
    run = api.run(reference)
    st.header(plain(run.name, 140), anchor=False)
    _actions(run)
    _facts(run)
    view = handover.choose_view(VIEWS, "view", quiet=True)
    with faults.told():
        if view == "Lost evidence":
            loss_view.show(run)
        elif view == "Label holes":
            hole_view.show(run)
        elif view == "Metadata":
            metadata_view.show(run)
        elif view == "Slices":
            _slices(run)
        else:
            _figures(run)


def _slices(run: Run) -> None:
    """Ask for a metric and draw it by kinds of questions."""
    metrics = {one.metric.name: one.metric for one in run.metrics if one.n}
    if not metrics:
        st.info("No metric of this run has a value.")
        return
    first, second = st.columns(2)
    with first:
        begun = next((name for name in PREFERRED if name in metrics), None)
        name = str(handover.choose("Metric", list(metrics), "on", default=begun, quiet=True))
    slice_view.show(run.id, None, metrics[name], reading.run_stamp(run), second)


def _figures(run: Run) -> None:
    for note in run.notes:
        st.warning(plain(note))
    left, right = st.columns([1.45, 1], gap="large")
    with left:
        st.subheader("Metrics")
        grids.show(_METRIC, [_row(one) for one in run.metrics], "run.metrics", most_rows=20)
    with right:
        _cost(run)
        _configuration(run)


def _actions(run: Run) -> None:
    with st.container(horizontal=True, gap="medium"):
        handover.link("question", "Its questions", icon=":material/manage_search:", run=run.id)
        handover.link("compare", "Compare with others", icon=":material/compare_arrows:", baseline=run.id)
        handover.link("what_if", "What if …", icon=":material/instant_mix:", run=run.id)
        handover.link("sweep", "Sweep around it", icon=":material/grid_view:", new="yes", run=run.id)
        handover.link("finetune", "Finetune on it", icon=":material/model_training:", new="yes", run=run.id)
        handover.link("build", "Build from it", icon=":material/tune:", run=run.id)


def _facts(run: Run) -> None:
    facts = {"Questions": run.n_questions, "Documents": run.n_documents, "Chunks": run.n_chunks}
    with st.container(horizontal=True, gap="large"):
        for label, number in facts.items():
            st.metric(label, f"{number:,}", width="content")
        st.metric("Seconds", f"{run.seconds:.1f}", width="content")
    versions = f"dataset version {run.dataset_version[:8]}, code {run.versions.code}, seed {run.seed}"
    begun = f"{run.created[:16].replace('T', ' ')} UTC"
    st.caption(plain(f"Run {run.id} on {own(run.dataset_name)}, questions: {run.split}; {begun}; {versions}."))


def _row(one: Measured) -> dict[str, Any]:
    low, high = grids.written(one.low, one.metric), grids.written(one.high, one.metric)
    return {
        "metric": one.metric.name,
        "mean": grids.written(one.mean, one.metric),
        "interval": f"{low} to {high}" if one.low is not None else None,
        "n": one.n,
        "unscored": one.unscored,
        "unit": one.metric.unit,
        "reason": one.reason,
    }


def _cost(run: Run) -> None:
    if run.stages:
        st.subheader("Seconds by stage")
        st.plotly_chart(charts.stage_seconds(run), theme=None, config=charts.CONFIG, key="run.stages")


def _configuration(run: Run) -> None:
    st.subheader("Pipeline")
    text = yaml.safe_dump(dict(run.settings), sort_keys=False, allow_unicode=True)
    st.code(text, language="yaml", height=300)
    with st.container(horizontal=True):
        st.download_button(
            "Pipeline YAML", text, f"{run.id}.yaml", "application/yaml", icon=":material/download:", on_click="ignore"
        )
        st.download_button(
            "Scores by question", lambda: api.question_scores(run.id).to_csv(), f"{run.id}-questions.csv", "text/csv",
            icon=":material/download:", on_click="ignore",
        )  # fmt: skip
    libraries = "\n".join(f"{name} {version}" for name, version in sorted(run.versions.libraries.items()))
    with st.expander("Versions"):
        st.code(f"code {run.versions.code}\n{libraries}\n{run.versions.machine}", language=None)
