"""Base models side by side, before one of them is trained."""

from __future__ import annotations

import streamlit as st


def show() -> None:
    """Draw the comparison of base models."""
    st.info("Base models are compared on the command line so far.")
