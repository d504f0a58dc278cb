"""What became of a dataset's files: which were left out and why, and what else to know of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from pipelines import api
from pipelines.golden.findings import Report
from pipelines.runs.table import rows_to_csv
from workbench import grids, reading
from workbench.text import plain, shortened

_KINDS = {"left out": "✘ left out", "note": "to know"}
_FIELDS = (
    grids.Field("file", "File", width=300, pinned=True),
    grids.Field("kind", "What became of it", width=150),
    grids.Field("why", "Why", width=900),
)


def show(place: Path, report: Report) -> None:
    """Draw the figures, and a row for each thing to know, what was left out first."""
    found = reading.files(place)
    with st.container(horizontal=True, gap="large"):
        for label, number in _figures(found, report).items():
            st.metric(label, f"{number:,}", width="content")
    if not found.rows:
        which = "The file" if found.n_files == 1 else f"All {found.n_files:,} files"
        st.success(f"{which} could be read, and there is nothing else to know.")
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button(
            "Download CSV", rows_to_csv(["file", "kind", "why"], [vars(row) for row in found.rows]), "files.csv",
            "text/csv", icon=":material/download:", on_click="ignore",
        )  # fmt: skip
        st.caption("What is left out is in no run: its evidence counts as lost. Tick a row to read all of it.")
    rows = [_row(row) for row in found.rows]
    ticked = grids.show(_FIELDS, rows, "files.grid", 12, select="single-row")
    for i in ticked:
        with st.container(border=True, gap="xsmall"):
            st.text(found.rows[i].file)
            st.markdown(plain(found.rows[i].why))


def _figures(found: api.LoadReport, report: Report) -> dict[str, int]:
    lost = sum(one.count for one in report.findings if one.code == "evidence-not-in-parsed-text")
    notes = sum(row.kind == "note" for row in found.rows)
    return {
        "Files": found.n_files,
        "Documents": found.n_documents,
        "Left out": found.n_left_out,
        "Notes": notes,
        "Evidence not found": lost,
    }


def _row(row: api.LoadRow) -> dict[str, Any]:
    return {"file": row.file, "kind": _KINDS[row.kind], "why": shortened(row.why, 400)}
