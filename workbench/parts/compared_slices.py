"""Two of the chosen runs by kinds of questions."""

from __future__ import annotations

import streamlit as st

from workbench import handover, reading
from workbench.parts import comparison, slice_view
from workbench.parts.choice import Chosen


def show(chosen: Chosen) -> None:
    """Ask for the metric and the other run; draw the slices of their difference."""
    baseline, others = chosen.runs[0], {run.id: run for run in chosen.runs[1:]}
    metrics, names = {metric.name: metric for metric in chosen.metrics}, comparison.lettered(chosen)
    comparison.key(chosen)
    first, second, third = st.columns([1, 1.6, 1])
    with first:
        name = str(handover.choose("On the metric", list(metrics), "on"))
    with second:
        other = others[str(handover.choose("Run", list(others), "against", shown=lambda r: names[r]))]
    slice_view.show(other.id, baseline.id, metrics[name], reading.run_stamp(baseline), third)
