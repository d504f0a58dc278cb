"""The questions whose first piece of evidence changed its rank most, up and down, with a way to each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from workbench import grids, handover
from workbench.parts import finetune_findings
from workbench.text import counted, shortened

Entry = Mapping[str, Any]
_FIELDS = (
    grids.Field("before", "Before", width=75, help="Rank of the first chunk that holds evidence"),
    grids.Field("after", "After", width=75),
    grids.Field("question", "Question", width=420),
    grids.Field("question_id", "Id", width=110),
)


def show(report: Entry) -> None:
    """Draw both lists beside one another."""
    if "candidates" not in report:
        st.info("Nothing was trained.")
        return
    one = finetune_findings.candidate(report)
    if not one["rose"] and not one["fell"]:
        st.info("No question's evidence changed its rank.")
        return
    st.caption("By how much the first evidence moved, as a ratio of ranks. Tick a row to look into the question.")
    left, right = st.columns(2, gap="medium")
    with left:
        _list("Found higher than before", one["rose"], one, "rose")
    with right:
        _list("Found lower than before", one["fell"], one, "fell")


def _list(title: str, moved: Sequence[Entry], one: Entry, key: str) -> None:
    st.subheader(title)
    if not moved:
        st.caption("None.")
        return
    st.caption(f"The {counted(len(moved), 'question')} that moved most.")
    ids = [str(row["question_id"]) for row in moved]
    ticked = grids.show(_FIELDS, [_row(row) for row in moved], f"finetune.{key}", 10, select="single-row", ids=ids)
    for i in ticked:
        handover.go("question", question=ids[i], run=list(one["runs"]["reported"]))


def _row(row: Entry) -> dict[str, Any]:
    ranks = {name: "not found" if row[name] is None else f"{row[name]:,}" for name in ("before", "after")}
    return {**ranks, "question": shortened(row["text"], 300), "question_id": row["question_id"]}
