"""Upload a dataset: files to `api.upload_dataset`, and what became of them."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import streamlit as st

from pipelines import api
from pipelines.golden.importers.draft import Problem
from pipelines.golden.importers.report import ImportReport
from workbench import faults, grids, handover
from workbench.text import plain

_REPORT, _DONE = "upload.report", "upload.done"
_COLUMNS = "CSV with the columns question, answer, document_id, quote (optional: split, tags), or questions.jsonl."
_FIELDS = (
    grids.Field("question", "Question", width=140),
    grids.Field("message", "What could not be imported", width="large"),
    grids.Field("nearest", "Nearest text there is", width="large"),
)


def form() -> None:
    """Ask for a name, documents and questions; write the dataset once, however often the button is pressed."""
    with st.form("upload", border=False):
        name = st.text_input("Name of the dataset", max_chars=10_000, placeholder="such as annual-reports")
        left, right = st.columns(2)
        documents = left.file_uploader("Documents (.txt, .md, .jsonl)", accept_multiple_files=True, key="upload.docs")
        questions = right.file_uploader("Questions (.csv or .jsonl)", type=["csv", "jsonl"], key="upload.qs")
        st.caption(plain(_COLUMNS))
        if st.form_submit_button("Import", type="primary"):
            with faults.told():
                _write(name, documents or [], questions)


def _write(name: str, documents: list[Any], questions: Any) -> None:
    files = [(file.name, file.getvalue()) for file in documents]
    asked = questions.getvalue() if questions else None
    csv = asked if questions and questions.name.lower().endswith(".csv") else None
    jsonl = None if csv is not None else asked
    mark = _digest(name, files, asked)
    if st.session_state.get(_DONE) == mark:
        return
    with st.spinner("Importing …"):
        report = api.upload_dataset(name, files, csv, jsonl)
    st.session_state[_DONE], st.session_state[_REPORT] = mark, report
    st.session_state[handover.key("dataset")] = report.dataset_path.name
    st.rerun()


def _digest(name: str, files: list[tuple[str, bytes]], questions: bytes | None) -> str:
    """Tell the same upload again from another one: a second click on the button is no second dataset."""
    state = sha256(repr((name, [(title, sha256(data).digest()) for title, data in files])).encode())
    state.update(questions or b"")
    return state.hexdigest()


def outcome() -> None:
    """Show what became of the last upload, until another one."""
    report: ImportReport | None = st.session_state.get(_REPORT)
    if report is None:
        return
    (st.warning if report.problems else st.success)(plain(report.summary()))
    if report.problems:
        grids.show(_FIELDS, [_row(problem) for problem in report.problems], "upload.problems", most_rows=6)


def _row(problem: Problem) -> dict[str, str | None]:
    return {"question": problem.question_id, "message": problem.message, "nearest": problem.nearest or None}
