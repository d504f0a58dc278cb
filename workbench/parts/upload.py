"""Upload a dataset: files to `api.upload_dataset`, and what became of them."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import streamlit as st

from pipelines import api
from pipelines.errors import DatasetError, shorten
from pipelines.golden.importers.draft import Problem
from pipelines.golden.importers.report import ImportReport
from pipelines.golden.naming import slug
from pipelines.settings import dataset_folders
from workbench import faults, grids, handover
from workbench.text import plain

_LAST = "upload.last"
_COLUMNS = "CSV with the columns question, answer, document_id, quote (optional: split, tags), or questions.jsonl."
_KINDS = (
    "Text, Markdown, PDF, HTML, Word, PowerPoint, Excel, CSV, EPUB, e-mail (.eml), source code, or rows of documents "
    "(.jsonl)."
)
_FIELDS = (
    grids.Field("question", "Question", width=140),
    grids.Field("message", "What could not be imported", width="large"),
    grids.Field("nearest", "Nearest text there is", width="large"),
)


def form() -> None:
    """Ask for a name, documents and questions; write the dataset once, however often the button is pressed."""
    _hand_over(_last())
    with st.form("upload", border=False):
        name = st.text_input("Name of the dataset", max_chars=10_000, placeholder="such as annual-reports")
        left, right = st.columns(2)
        documents = left.file_uploader("Documents", accept_multiple_files=True, key="upload.docs", help=_KINDS)
        questions = right.file_uploader("Questions (.csv or .jsonl)", type=["csv", "jsonl"], key="upload.qs")
        st.caption(plain(f"Documents: {_KINDS} Questions: {_COLUMNS}"))
        if st.form_submit_button("Import", type="primary"):
            with faults.told():
                _write(name, documents or [], questions)


def _write(name: str, documents: list[Any], questions: Any) -> None:
    files = [(file.name, file.getvalue()) for file in documents]
    asked = questions.getvalue() if questions else None
    csv = asked if questions and questions.name.lower().endswith(".csv") else None
    jsonl = None if csv is not None else asked
    mark = _digest(name, files, asked)
    last = _last()
    if last.mark == mark and last.report is not None and last.report.dataset_path.exists():
        last.fresh = True
    else:
        refuse_taken(name)
        with st.spinner("Importing …"):
            last.write(mark, name, files, csv, jsonl)
    st.rerun()


def refuse_taken(name: str) -> None:
    """Refuse the name of a dataset that is there.

    Raises:
        DatasetError: for such a name.
    """
    folder = dataset_folders()[0] / slug(name)
    if name.strip() and (folder.name in {place.name for place in api.datasets()} or any(folder.glob("*"))):
        raise DatasetError(f"There is already a dataset '{shorten(folder.name)}'; choose another name.")


@dataclass
class _Last:
    """The last upload of this session.

    A second click ends the script at its next word to Streamlit, so nothing of it stands between the writing and the
    note of it: the script that follows finds what was written, and that it is to be shown.
    """

    mark: str | None = None
    report: ImportReport | None = None
    fresh: bool = False

    def write(
        self, mark: str, name: str, files: list[tuple[str, bytes]], csv: bytes | None, rows: bytes | None
    ) -> None:
        """Write the dataset and note it."""
        self.mark, self.report, self.fresh = mark, None, False
        self.report = api.upload_dataset(name, files, csv, rows)
        self.fresh = True


def _last() -> _Last:
    held: _Last = st.session_state.setdefault(_LAST, _Last())
    return held


def note(report: ImportReport) -> None:
    """Show what was imported another way as the last upload, and choose it."""
    last = _last()
    last.mark, last.report, last.fresh = None, report, True


def _hand_over(last: _Last) -> None:
    """Choose the dataset that was just written."""
    if last.fresh and last.report is not None:
        handover.hand_over("dataset", last.report.dataset_path.name)
        last.fresh = False


def _digest(name: str, files: list[tuple[str, bytes]], questions: bytes | None) -> str:
    """Tell the same upload again from another one: a second click on the button is no second dataset."""
    state = sha256(repr((name, [(title, sha256(data).digest()) for title, data in files])).encode())
    state.update(questions or b"")
    return state.hexdigest()


def outcome() -> None:
    """Show what became of the last upload, until another one."""
    report = _last().report
    if report is None:
        return
    (st.warning if report.problems else st.success)(plain(report.shortly()))
    if report.problems:
        rows = [_row(problem) for problem in report.problems]
        fields = [field for field in _FIELDS if field.key == "message" or any(row[field.key] for row in rows)]
        grids.show(fields, rows, "upload.problems", most_rows=6)


def _row(problem: Problem) -> dict[str, str | None]:
    return {"question": problem.question_id, "message": problem.message, "nearest": problem.nearest or None}
