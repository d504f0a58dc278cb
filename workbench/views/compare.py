"""The compare page: two to five runs on the same questions, and whether the differences are real."""

from __future__ import annotations

import streamlit as st

from workbench import faults, handover
from workbench.parts import choice, compared_losses, compared_slices, comparison, configurations, wins

VIEWS = ("Differences", "Lost evidence", "Slices", "Questions", "Configurations")


def page() -> None:
    """Draw the page."""
    handover.begin("compare")
    st.title("Compare")
    chosen = choice.ask()
    if chosen is None:
        return
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        view = handover.choose_view(VIEWS, "view")
        choice.left_out(chosen)
    with faults.told():
        if view == "Questions":
            wins.show(chosen)
        elif view == "Lost evidence":
            compared_losses.show(chosen)
        elif view == "Slices":
            compared_slices.show(chosen)
        elif view == "Configurations":
            configurations.show(chosen)
        else:
            comparison.show(chosen)


with faults.told():
    page()
