"""The configurations side by side: only what differs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from pipelines.runs.record import Run
from workbench import grids
from workbench.parts import comparison
from workbench.parts.choice import Chosen
from workbench.text import shortened


def show(chosen: Chosen) -> None:
    """Draw a row for every setting that is not the same in all runs."""
    settings = [_flat(run) for run in chosen.runs]
    knobs = list(dict.fromkeys(name for one in settings for name in one))
    different = [name for name in knobs if len({str(one.get(name)) for one in settings}) > 1]
    if not different:
        st.info("These runs have the same pipeline and seed.")
        return
    comparison.key(chosen)
    heads = [shortened(name, 60) for name in comparison.lettered(chosen).values()]
    fields = [grids.Field("setting", "Setting", width=190)]
    fields += [grids.Field(f"run {i}", head, width="medium") for i, head in enumerate(heads)]
    rows = [
        {"setting": name, **{f"run {i}": _cell(one.get(name)) for i, one in enumerate(settings)}} for name in different
    ]
    st.caption(f"{len(different):,} of {len(knobs):,} settings differ; a dash: the component has no such knob.")
    grids.show(fields, rows, "compare.configurations", most_rows=20)


def _flat(run: Run) -> dict[str, Any]:
    stages: Mapping[str, Any] = run.settings
    own = {f"{stage}.{knob}": value for stage, knobs in stages.items() for knob, value in knobs.items()}
    return {"code version": run.versions.code, "seed": run.seed, **own}


def _cell(value: Any) -> str | None:
    return None if value is None else str(value)
