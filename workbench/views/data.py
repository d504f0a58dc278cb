"""The data page: choose or upload a dataset, see how sound it is, look into it."""

from __future__ import annotations

from contextlib import suppress

import streamlit as st

from pipelines import api
from pipelines.errors import WorkbenchError
from workbench import faults, handover, reading
from workbench.parts import export_form, health, import_form, loaded_files, look, upload

VIEWS = ("Questions", "Documents", "Files", "Findings")


def page() -> None:
    """Draw the page."""
    handover.begin("data")
    st.title("Data")
    places = {place.name: place for place in api.datasets()}
    with st.expander("Upload a dataset", expanded=not places, icon=":material/upload:"):
        own, other = st.tabs(["Your own files", "Another format"])
        with own:
            upload.form()
        with other:
            import_form.form()
    upload.outcome()
    if not places:
        st.info("There is no dataset yet. Upload documents and questions above, or import some on the command line.")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = handover.choose("Dataset", list(places), "dataset", width=420)
        handover.link("build", "Build a pipeline on it", icon=":material/tune:", dataset=name)
        if name is not None:
            export_form.popover(places[name])
    if name is not None:
        _dataset(places[name])


def _dataset(place: api.DatasetPlace) -> None:
    with suppress(WorkbenchError):  # said in the findings, and again in the view of files
        reading.files(place.path)
    report = reading.health(place.path)
    health.figures(report, place)
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        view = handover.choose_view(VIEWS, "view", default="Questions" if report.ok else "Findings")
        needle = "" if view in ("Findings", "Files") else handover.search(f"Search {view.lower()}", "find")
    with faults.told():
        if view == "Findings":
            health.findings(report)
        elif view == "Files":
            loaded_files.show(place.path, report)
        elif view == "Documents":
            look.documents(place.path, needle)
        else:
            look.questions(place.path, needle)


with faults.told():
    page()
