"""The frame of the browser UI: its pages, and the jobs that run whichever is open. `rag-workbench ui` starts it."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from workbench.parts import jobs

_HERE = Path(__file__).parent

st.set_page_config("RAG Workbench", page_icon=str(_HERE / "icon.svg"), layout="wide", initial_sidebar_state=210)
st.html(_HERE / "style.css")
st.logo(_HERE / "logo.svg", size="large")
page = st.navigation(
    [
        st.Page("views/data.py", title="Data", icon=":material/database:", default=True),
        st.Page("views/builder.py", title="Build", icon=":material/tune:", url_path="build"),
        st.Page("views/sweep.py", title="Sweep", icon=":material/grid_view:"),
        st.Page("views/finetune.py", title="Finetune", icon=":material/model_training:"),
        st.Page("views/runs.py", title="Runs", icon=":material/table_rows:"),
        st.Page("views/compare.py", title="Compare", icon=":material/compare_arrows:"),
        st.Page("views/what_if.py", title="What if", icon=":material/instant_mix:"),
        st.Page("views/question.py", title="Question", icon=":material/manage_search:"),
        st.Page("views/judge.py", title="Judge", icon=":material/gavel:"),
    ]
)
page.run()
jobs.indicator()
