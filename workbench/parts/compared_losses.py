"""Where the difference between runs comes from: what each stage lost in each of them, and by how much that differs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from pipelines.compare.losses import LossRow
from pipelines.losses import LABELS
from pipelines.runs.record import Run
from workbench import charts, grids, handover, loss_charts
from workbench.parts import comparison
from workbench.parts.choice import Chosen
from workbench.parts.loss_view import USUAL_CUT
from workbench.text import plain

_FIELDS = (
    grids.Field("label", "Lost where", width=190, pinned=True),
    grids.Field("run_name", "Run", width=170),
    grids.Field("baseline_mean", "Baseline", "%.3f", 80),
    grids.Field("mean", "Run's", "%.3f", 75),
    grids.Field("difference", "Difference", "%+.3f", 90, help="Run minus baseline: above 0, the run loses more there"),
    grids.Field("interval", "95 % interval", width=140),
    grids.Field("n", "n", "%d", 55, help="Questions with evidence"),
)


def show(chosen: Chosen) -> None:
    """Draw the losses of the chosen runs at one cut, side by side and as differences from the baseline."""
    comparison.key(chosen)
    measured = [run for run in chosen.runs if run.losses]
    cuts = [cut for cut in (chosen.runs[0].losses or {}) if all(cut in (run.losses or {}) for run in measured)]
    found = comparison.compared(chosen)
    if found.losses_note:
        st.warning(plain(f"{found.losses_note} Evaluate them again to see it."))
    if len(measured) < 2 or not cuts or not found.losses:
        st.info("Losses are shown where the baseline and one other run at least were measured at the same cut.")
        return
    names = comparison.lettered(chosen)
    first, second = st.columns([1, 2.2])
    with first:
        cut = str(handover.choose("Losses at", cuts, "cut", default=USUAL_CUT))
    others = {run.id: run for run in measured if run.id != chosen.ids[0]}
    with second:
        other = str(handover.choose("Run", list(others), "against", shown=lambda run: names[run]))
    rows = [row for row in found.losses if row.cut == cut]
    st.text(_sentence([row for row in rows if row.run_id == other], cut))
    _charts(measured, names, cut, [row for row in rows if row.run_id == other])
    grids.show(_FIELDS, [_row(row, names) for row in rows], "compare.losses", 16)
    _links(chosen, names, cut)


def _charts(runs: Sequence[Run], names: Mapping[str, str], cut: str, rows: Sequence[LossRow]) -> None:
    left, right = st.columns(2, gap="medium")
    with left:
        st.subheader("Lost at each stage, with 95 % intervals")
        figure = loss_charts.side_by_side({names[run.id]: _steps(run, cut) for run in runs})
        st.plotly_chart(figure, theme=None, config=charts.CONFIG, key="compare.losses.levels")
    with right:
        st.subheader("Differences from the baseline")
        shown = [(LABELS[r.stage], r.difference, r.low, r.high, _words(r)) for r in rows if r.difference is not None]
        figure = loss_charts.differences(shown)
        st.plotly_chart(figure, theme=None, config=charts.CONFIG, key="compare.losses.differences")


def _steps(run: Run, cut: str) -> list[loss_charts.Step]:
    stages = (run.losses or {})[cut]
    return [
        loss_charts.Step(stage, LABELS[stage], one.mean, one.low, one.high)
        for stage, one in stages.items()
        if one.mean is not None
    ]


def _words(row: LossRow) -> str:
    interval = "" if row.low is None or row.high is None else f" ({row.low:+.3f} to {row.high:+.3f})"
    return f"{LABELS[row.stage]}: {row.difference:+.3f}{interval}, n {row.n:,}"


def _sentence(rows: Sequence[LossRow], cut: str) -> str:
    """Say where the difference comes from; the differences of the stages add up to that in recall."""
    told = [row for row in rows if row.difference]
    if not told:
        return f"Both lose the same at every stage at {cut}."
    total = -sum(row.difference or 0.0 for row in told)
    greatest = max(told, key=lambda row: abs(row.difference or 0.0))
    more = "more" if (greatest.difference or 0.0) > 0 else "less"
    clear = greatest.low is not None and greatest.high is not None and not greatest.low <= 0 <= greatest.high
    sure = "" if clear else " (its interval holds 0)"
    amount = f"{abs(greatest.difference or 0.0):.3f} {more} is {LABELS[greatest.stage]}{sure}"
    return f"{cut} differs by {total:+.3f}. The greatest part: {amount}."


def _row(row: LossRow, names: Mapping[str, str]) -> dict[str, Any]:
    interval = None if row.low is None or row.high is None else f"{row.low:+.3f} to {row.high:+.3f}"
    return {**vars(row), "label": LABELS[row.stage], "run_name": names[row.run_id], "interval": interval}


def _links(chosen: Chosen, names: Mapping[str, str], cut: str) -> None:
    """Lead to each run's own waterfall."""
    with st.container(horizontal=True, gap="medium"):
        for run in chosen.runs:
            label = f"Waterfall of {names[run.id]}"
            handover.link("runs", label, icon=":material/waterfall_chart:", run=run.id, view="Lost evidence", cut=cut)
