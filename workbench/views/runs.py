"""The runs page: the table of runs, or one run when the link names it."""

from __future__ import annotations

import streamlit as st

from workbench import faults, handover
from workbench.parts import run_details, run_table


def page() -> None:
    """Draw the page."""
    handover.begin("runs")
    reference = handover.asked("run")
    if reference is None:
        st.title("Runs")
        run_table.show()
        return
    handover.link("runs", "All runs", icon=":material/arrow_back:")
    run_details.show(reference)


with faults.told():
    page()
