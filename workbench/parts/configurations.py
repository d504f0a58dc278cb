"""The configurations side by side: only what differs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from pipelines.runs.record import Run
from workbench import grids
from workbench.text import shortened


def show(runs: Sequence[Run]) -> None:
    """Draw a row for every setting that is not the same in all runs."""
    settings = [_flat(run) for run in runs]
    names = list(dict.fromkeys(name for one in settings for name in one))
    different = [name for name in names if len({str(one.get(name)) for one in settings}) > 1]
    if not different:
        st.info("These runs have the same pipeline and seed.")
        return
    heads = [f"{'Baseline: ' if i == 0 else ''}{shortened(run.name, 60)}" for i, run in enumerate(runs)]
    fields = [grids.Field("setting", "Setting", width=190, pinned=True)]
    fields += [grids.Field(f"run {i}", head, width="medium") for i, head in enumerate(heads)]
    rows = [
        {"setting": name, **{f"run {i}": _cell(one.get(name)) for i, one in enumerate(settings)}} for name in different
    ]
    st.caption(f"{len(different):,} of {len(names):,} settings differ; a dash: the component has no such knob.")
    grids.show(fields, rows, "compare.configurations", most_rows=20)


def _flat(run: Run) -> dict[str, Any]:
    stages: Mapping[str, Any] = run.settings
    own = {f"{stage}.{knob}": value for stage, knobs in stages.items() for knob, value in knobs.items()}
    return {"code version": run.versions.code, "seed": run.seed, **own}


def _cell(value: Any) -> str | None:
    return None if value is None else str(value)
