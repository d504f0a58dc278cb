"""The build page: a pipeline by choosing, run on a dataset, with its progress."""

from __future__ import annotations

import streamlit as st

from pipelines import api
from pipelines.pipeline import Pipeline
from workbench import faults, handover
from workbench.parts import beginning, chunk_preview, launch, stages

VIEWS = ("Pipeline", "Preview")


def page() -> None:
    """Draw the page."""
    handover.begin("build")
    st.title("Build a pipeline")
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        beginning.menu()
        view = handover.choose_view(VIEWS, "view", quiet=True)
    if view == "Preview":
        chunk_preview.show()
    else:
        _pipeline()


def _pipeline() -> None:
    left, right = st.columns([2.1, 1], gap="medium")
    with left:
        pipeline = stages.forms()
    with right, faults.told():
        with st.container(border=True):
            _run_on(pipeline)
        _file(pipeline)


def _run_on(pipeline: Pipeline | None) -> None:
    names = [place.name for place in api.datasets()]
    if not names:
        st.info("A pipeline is run on a dataset, and there is none yet.")
        handover.link("data", "Upload a dataset", icon=":material/upload:")
        return
    launch.form(names, pipeline)


def _file(pipeline: Pipeline | None) -> None:
    if pipeline is None:
        return
    text = pipeline.to_yaml()
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.subheader("As a file")
        st.download_button("Download YAML", text, "pipeline.yaml", "application/yaml", icon=":material/download:")
    st.code(text, language="yaml", height=420)


with faults.told():
    page()
