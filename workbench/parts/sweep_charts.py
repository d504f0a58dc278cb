"""A sweep's report to Plotly figures: quality against cost with its front, and which knob mattered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from workbench.charts import BETTER, COLOURS, UNCLEAR, blank
from workbench.parts.sweep_words import amount, between
from workbench.text import chart_text

Entry = Mapping[str, Any]
_GROUPS = (
    ("worse", "shown to be worse", "#c9d1d9", 7),
    ("tied", "not shown to be worse", "#1f77b4", 8),
    ("set aside", "set aside", "#ffffff", 7),
)
_FRONT, _PROPOSED = "#c98a00", "#a3488b"


def quality_and_cost(report: Entry, cost: str, front: Sequence[int], n_cost: Mapping[Any, Any]) -> go.Figure:
    """Draw every configuration: the cost across, the first objective upwards; the front is a line through its own.

    `n_cost` is how many questions each configuration's cost is the mean of, by its number.
    """
    objective, price = report["objectives"][0], _declared(report, cost)
    rows = [row for row in report["configurations"] if row["mean"] is not None and row["means"][cost] is not None]
    figure = blank(400)
    for standing, label, colour, size in _GROUPS:
        own = [row for row in rows if _group(row) == standing]
        if own:
            told = [_words(row, objective, price, n_cost.get(row["number"])) for row in own]
            figure.add_trace(_points(own, cost, f"{label} ({len(own):,})", colour, size, told))
    ends = sorted((row for row in rows if row["number"] in front), key=lambda row: (row["means"][cost], row["mean"]))
    if ends:
        steps = objective["higher_is_better"] and not price["higher_is_better"]
        line = {"color": _FRONT, "width": 1.5, "shape": "hv" if steps else "linear"}
        marker = {"color": "rgba(0,0,0,0)", "size": 13, "line": {"color": _FRONT, "width": 2}}
        figure.add_trace(go.Scatter(
            x=[row["means"][cost] for row in ends], y=[row["mean"] for row in ends], mode="lines+markers", line=line,
            marker=marker, name=f"Pareto front ({len(ends):,})", hoverinfo="skip",
        ))  # fmt: skip
    _mark(figure, rows, report["selection"]["winner"], cost, "winner", "star", BETTER)
    if report["selection"]["proposal"]["number"] != report["selection"]["winner"]:
        _mark(figure, rows, report["selection"]["proposal"]["number"], cost, "proposed", "diamond", _PROPOSED)
    logarithmic = bool(rows) and _spread([row["means"][cost] for row in rows]) > 30
    unit = f", {price['unit']}" if price["unit"] else ""
    figure.update_xaxes(title_text=f"{cost}{unit}{', logarithmic' if logarithmic else ''}",
                        type="log" if logarithmic else "linear")  # fmt: skip
    figure.update_yaxes(title_text=objective["name"])
    return figure


def _declared(report: Entry, name: str) -> Entry:
    found: Entry = next(one for one in (*report["costs"], *report["objectives"]) if one["name"] == name)
    return found


def _group(row: Entry) -> str:
    return "tied" if row["standing"] in ("winner", "identical", "tied") else str(row["standing"])


def _spread(values: Sequence[float]) -> float:
    least = min(values)
    return max(values) / least if least > 0 else 0.0


def _points(rows: Sequence[Entry], cost: str, label: str, colour: str, size: int, told: Sequence[str]) -> go.Scatter:
    return go.Scatter(
        x=[row["means"][cost] for row in rows],
        y=[row["mean"] for row in rows],
        mode="markers",
        marker={"color": colour, "size": size, "opacity": 0.8, "line": {"color": "#7a8794", "width": 0.6}},
        name=label,
        hovertext=list(told),
        hoverinfo="text",
    )


def _words(row: Entry, objective: Entry, price: Entry, n: int | None) -> str:
    """Return what a point says; names of components and values are users' text."""
    known = amount(row["means"][price["name"]], price) + (f", n {n:,}" if n is not None else "")
    first = f"#{row['number']} · {chart_text(row['standing'])}<br>{chart_text(row['label'], 90)}"
    return f"{first}<br>{objective['name']} {amount(row['mean'], objective)}, n {row['n_ranked']:,}<br>" + (
        f"{price['name']} {known}"
    )


def _mark(
    figure: go.Figure, rows: Sequence[Entry], number: int, cost: str, name: str, symbol: str, colour: str
) -> None:
    own = [row for row in rows if row["number"] == number]
    figure.add_trace(go.Scatter(
        x=[row["means"][cost] for row in own], y=[row["mean"] for row in own], mode="markers+text",
        marker={"symbol": symbol, "size": 14, "color": colour, "line": {"color": "#ffffff", "width": 1}},
        text=[f"#{number}"], textposition="top center", name=f"{name}, #{number}", hoverinfo="skip", cliponaxis=False,
    ))  # fmt: skip


def effects(rows: Sequence[Entry], objective: Entry) -> go.Figure:
    """Draw for each knob its best level minus its worst, with the interval; filled where that leaves out zero."""
    known = [row for row in rows if row["effect"] is not None]
    figure = blank(86 + 44 * len(known), showlegend=False)
    sign = 1 if objective["higher_is_better"] else -1
    clear = [row["low"] is not None and (row["low"] > 0 if sign > 0 else row["high"] < 0) for row in known]
    middle = [row["effect"] for row in known]
    figure.add_trace(go.Scatter(
        x=middle,
        y=list(range(len(known))),
        error_x={
            "type": "data", "symmetric": False, "thickness": 1.4, "width": 4, "color": COLOURS[1],
            "array": [0 if row["high"] is None else row["high"] - row["effect"] for row in known],
            "arrayminus": [0 if row["low"] is None else row["effect"] - row["low"] for row in known],
        },
        mode="markers",
        marker={
            "size": 10, "color": [COLOURS[1] if one else "#ffffff" for one in clear],
            "line": {"color": COLOURS[1], "width": 1.6},
        },
        hovertext=[_effect_words(row, objective) for row in known],
        hoverinfo="text",
    ))  # fmt: skip
    figure.add_vline(x=0, line_color=COLOURS[0], line_width=1)
    labels = [f"{chart_text(row['knob'], 34)}<br><sub>{_levels(row)}</sub>" for row in known]
    figure.update_yaxes(tickvals=list(range(len(known))), ticktext=labels, range=[len(known) - 0.5, -0.5])
    figure.update_xaxes(title_text=f"difference in {objective['name']}, best level minus worst")
    return figure


def _levels(row: Entry) -> str:
    return f"{chart_text(level(row['best']), 22)} over {chart_text(level(row['worst']), 22)}, n {row['n']:,}"


def level(value: object) -> str:
    """Return a knob's value as one reads it."""
    return "none" if value is None else {True: "on", False: "off"}[value] if isinstance(value, bool) else str(value)


def _effect_words(row: Entry, objective: Entry) -> str:
    ends = between(row["low"], row["high"], objective, sign=True)
    told = f"{amount(row['effect'], objective, sign=True)}{f' ({ends})' if ends else ''}, n {row['n']:,}"
    return f"{chart_text(row['knob'], 60)}: {_levels(row)}<br>{told}<br>{row['n_matched']:,} matched sets"


def importance(shares: Mapping[str, float]) -> go.Figure:
    """Draw each knob's share in the sampler's importance, the greatest first."""
    ordered = sorted(shares.items(), key=lambda one: -one[1])
    figure = blank(86 + 30 * len(ordered), showlegend=False)
    figure.add_trace(go.Bar(
        x=[share for _, share in ordered], y=[chart_text(knob, 40) for knob, _ in ordered], orientation="h",
        marker_color=UNCLEAR, text=[f"{100 * share:.0f} %" for _, share in ordered], textposition="outside",
        cliponaxis=False, hoverinfo="skip",
    ))  # fmt: skip
    figure.update_xaxes(title_text="importance, a share of 1", range=[0, 1.15 * max([*shares.values(), 0.01])])
    figure.update_yaxes(autorange="reversed")
    return figure
