"""A training's curve, a table of gains and a learning curve to Plotly figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from workbench.charts import BETTER, COLOURS, UNCLEAR, WORSE, arms, blank
from workbench.text import chart_text

Point = Mapping[str, Any]
Curves = Mapping[str, Sequence[Point]]
_HEIGHT_PX = 250
_TITLES = {"loss": "loss", "dev": "dev metric", "learning_rate": "learning rate"}


def measured(curves: Curves, name: str) -> bool:
    """Return whether any point of any training has this."""
    return any(point.get(name) is not None for points in curves.values() for point in points)


def curve(curves: Curves, name: str, n_dev: int | None = None) -> go.Figure:
    """Draw one thing that was measured along the steps, a colour a training; `n_dev` questions measure dev's metric."""
    figure = blank(_HEIGHT_PX + (18 * len(curves) if len(curves) > 1 else 0), showlegend=len(curves) > 1)
    if len(curves) > 1:
        figure.update_layout(legend_orientation="v", margin_t=20 + 20 * len(curves))
    for i, (label, points) in enumerate(curves.items()):
        known = [point for point in points if point.get(name) is not None]
        if known:
            figure.add_trace(_trace(label, known, name, COLOURS[(i + 1) % len(COLOURS)]))
    metric = next((str(p["metric"]) for points in curves.values() for p in points if p.get("metric")), "")
    n = f", n {n_dev:,}" if n_dev else ""
    figure.update_yaxes(title_text=f"{metric} on dev{n}" if name == "dev" and metric else _TITLES[name])
    figure.update_xaxes(title_text="step", rangemode="tozero")
    if name == "learning_rate":
        figure.update_yaxes(tickformat=".1e", rangemode="tozero")
    return figure


def _trace(label: str, points: Sequence[Point], name: str, colour: str) -> go.Scatter:
    few = len(points) <= 40
    return go.Scatter(
        x=[point["step"] for point in points],
        y=[point[name] for point in points],
        mode="lines+markers" if few else "lines",
        line={"color": colour, "width": 1.8},
        marker={"size": 6},
        name=chart_text(label, 70),
        hovertext=[_words(label, point, name) for point in points],
        hoverinfo="text",
    )


def _words(label: str, point: Point, name: str) -> str:
    value = f"{point[name]:.2e}" if name == "learning_rate" else f"{point[name]:.4f}"
    return (
        f"{chart_text(label, 70)}<br>step {point['step']:,} of {point['steps']:,}, epoch {point['epoch']:.1f}<br>"
        f"{_TITLES[name]} {value}"
    )


def gains(rows: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> go.Figure:
    """Draw each gain with its interval, a line each; filled where it is shown to differ.

    `rows` hold where, metric, difference, low, high, n and verdict; `names` say what each `where` is.
    """
    known = [row for row in rows if row["difference"] is not None]
    figure = blank(76 + 48 * len(known), showlegend=False)
    colours = [_colour(row) for row in known]
    for row, colour, place in zip(known, colours, range(len(known)), strict=True):
        figure.add_trace(go.Scatter(
            x=[row["difference"]], y=[place], mode="markers",
            error_x=None if row["low"] is None else arms([row["difference"]], [row["low"]], [row["high"]], colour),
            marker={"size": 10, "color": "#ffffff" if colour == UNCLEAR else colour,
                    "line": {"color": colour, "width": 1.6}},
            hovertext=[_gain_words(row, names)], hoverinfo="text",
        ))  # fmt: skip
    labels = [f"{chart_text(names[row['where']], 40)}<br><sub>{chart_text(row['metric'], 40)}, n {row['n']:,}</sub>"
              for row in known]  # fmt: skip
    figure.update_yaxes(tickvals=list(range(len(known))), ticktext=labels, range=[len(known) - 0.5, -0.5])
    figure.add_vline(x=0, line_color=COLOURS[0], line_width=1)
    figure.update_xaxes(title_text="after minus before, 95 % interval", rangemode="tozero")
    return figure


def _colour(row: Mapping[str, Any]) -> str:
    return {"better": BETTER, "worse": WORSE}.get(str(row["verdict"]), UNCLEAR)


def _gain_words(row: Mapping[str, Any], names: Mapping[str, str]) -> str:
    ends = "" if row["low"] is None else f" ({row['low']:+.3f} to {row['high']:+.3f})"
    first = f"{chart_text(names[row['where']])}: {chart_text(row['metric'])}"
    return f"{first}<br>{row['difference']:+.3f}{ends}, n {row['n']:,}"


def learning(rows: Sequence[Mapping[str, Any]], metric: str) -> go.Figure:
    """Draw the gain with its interval against the number of pairs.

    `rows` hold n_pairs, difference, low, high, n and share; those without a gain are not drawn.
    """
    known = [row for row in rows if row.get("difference") is not None and row["n_pairs"] is not None]
    figure = blank(330, showlegend=False)
    middle = [row["difference"] for row in known]
    figure.add_trace(go.Scatter(
        x=[row["n_pairs"] for row in known], y=middle, mode="lines+markers",
        error_y=arms(middle, [row["low"] for row in known], [row["high"] for row in known], COLOURS[1]),
        line={"color": COLOURS[1], "width": 1.8}, marker={"size": 9},
        hovertext=[_learning_words(row, metric) for row in known], hoverinfo="text",
    ))  # fmt: skip
    figure.add_hline(y=0, line_color=COLOURS[0], line_width=1)
    figure.update_xaxes(title_text="training pairs", rangemode="tozero")
    figure.update_yaxes(title_text=f"gain in {chart_text(metric, 40)}, 95 % interval")
    return figure


def _learning_words(row: Mapping[str, Any], metric: str) -> str:
    ends = "" if row["low"] is None else f" ({row['low']:+.3f} to {row['high']:+.3f})"
    first = f"{100 * row['share']:.0f} % of the train questions, {row['n_pairs']:,.0f} pairs"
    return f"{first}<br>{chart_text(metric)} {row['difference']:+.3f}{ends}, n {row['n']:,}"
