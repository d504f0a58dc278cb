"""What a finished sweep says: which to take and how sure that is, quality against cost, and which knob mattered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from pipelines import api
from workbench import charts, grids, handover
from workbench.parts import sweep_charts, sweep_chosen, sweep_rows
from workbench.parts.sweep_words import amount, between
from workbench.text import plain

Entry = Mapping[str, Any]
_LEVELS = (
    grids.Field("knob", "Knob", width=130),
    grids.Field("value", "Level", width=130),
    grids.Field("mean", "Mean", width=80),
    grids.Field("interval", "95 % interval", width=130),
    grids.Field("n", "n", "%d", 50, help="Questions"),
    grids.Field("n_configurations", "Rows", "%d", 60, help="Configurations in matched sets"),
    grids.Field("won", "Best in", width=95, help="Matched sets in which it beat all other levels, alone"),
)


def show(view: api.SweepView, report: Entry) -> None:
    """Draw the findings, the sentence of the selection first."""
    selection = report["selection"]
    with st.container(border=True, gap="xsmall", key="sweep_said"):
        st.markdown(f"**{plain(selection['sentence'])}**")
        st.markdown(plain(selection["proposal"]["sentence"]))
        st.markdown(plain(selection["more_questions"]["sentence"]))
        for note in report["notes"]:
            st.caption(plain(note))
    sweep_chosen.show(view, report)
    left, right = st.columns([1.25, 1], gap="medium")
    with left:
        _cost(view, report)
    with right:
        _knobs(report)
    if report["effects"]:
        _levels(report)


def _cost(view: api.SweepView, report: Entry) -> None:
    """Draw quality against the cost that is chosen, or against another objective."""
    st.subheader("Quality against cost")
    fronts = {front["metrics"][1]: front for front in report["fronts"] if len(front["metrics"]) == 2}
    names = [name for name in fronts if any(row["means"].get(name) is not None for row in report["configurations"])]
    if not names:
        st.info("No cost is known of these configurations.")
        return
    name = str(handover.choose("Against", names, "against", width=240))
    front = fronts[name]
    counts = {row["number"]: row.get(f"{name} n") for row in sweep_rows.every(view).rows}
    figure = sweep_charts.quality_and_cost(report, name, front["numbers"], counts)
    st.plotly_chart(figure, theme=None, config=charts.CONFIG, key="sweep.cost")
    first = report["objectives"][0]
    left_out = f"; {front['excluded']:,} left out, {front['reason']}" if front["excluded"] else ""
    told = f"{front['n']:,} configurations, {first['name']} over {report['selection']['n_questions']:,} questions"
    st.caption(plain(
        f"{told}{left_out}. On the front, none is both better and cheaper; its members may differ by noise only."
    ))  # fmt: skip


def _knobs(report: Entry) -> None:
    st.subheader("Which knob mattered")
    rows: Sequence[Entry] = report["effects"]
    objective = report["objectives"][0]
    if rows:
        st.plotly_chart(sweep_charts.effects(rows, objective), theme=None, config=charts.CONFIG, key="sweep.effects")
        st.caption(
            "Main effects with 95 % intervals, everything else being equal. Hollow: zero is within. The best minus "
            "the worst level is never below zero, so an effect smaller than its interval is wide may be nothing."
        )
        for row in rows:
            if row["warning"]:
                st.warning(plain(f"{row['knob']}: {row['warning']}"))
        return
    if report["importance"]:
        st.plotly_chart(
            sweep_charts.importance(report["importance"]), theme=None, config=charts.CONFIG, key="sweep.importance"
        )
        st.caption("Optuna's importance: what the sampler's trials suggest, without an interval.")
    if report["effects_reason"]:
        st.caption(plain(f"No main effects: {report['effects_reason']}."))


def _levels(report: Entry) -> None:
    with st.expander("Knob by knob: every level, and in words"):
        rows, objective = report["effects"], report["objectives"][0]
        levels = [_level(row, one, objective) for row in rows for one in row["levels"]]
        grids.show(_LEVELS, levels, "sweep.levels", most_rows=14)
        st.markdown("\n".join(f"- {plain(row['sentence'])}" for row in rows))


def _level(row: Entry, one: Entry, objective: Entry) -> dict[str, Any]:
    return {
        "knob": row["knob"],
        "value": sweep_charts.level(one["value"]),
        "mean": amount(one["mean"], objective),
        "interval": between(one["low"], one["high"], objective),
        "n": one["n"],
        "n_configurations": one["n_configurations"],
        "won": f"{one['n_won']:,} of {row['n_matched']:,}",
    }
