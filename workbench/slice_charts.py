"""Slices to Plotly figures: a metric by kinds of questions, or how two runs differ in it, each with its interval."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from pipelines import api
from pipelines.records import Metric
from workbench.charts import BETTER, COLOURS, UNCLEAR, WORSE, arms, blank
from workbench.grids import written
from workbench.text import chart_text

Rows = Sequence[api.SliceRow]
_ROW_PX = 27


def means(rows: Rows, whole: api.SliceRow, metric: Metric) -> go.Figure:
    """Draw the mean of every slice with its interval, beside the mean of all questions."""
    figure = _blank(rows)
    drawn = [(i, row) for i, row in enumerate(rows) if row.mean is not None]
    middle = [row.mean for _, row in drawn]
    figure.add_trace(
        go.Scatter(
            x=middle,
            y=[i for i, _ in drawn],
            error_x=arms(middle, [r.low for _, r in drawn], [r.high for _, r in drawn], COLOURS[1]),
            mode="markers",
            marker=_marker([COLOURS[1]] * len(drawn), [row.few for _, row in drawn]),
            hovertext=[_mean_words(row, metric) for _, row in drawn],
            hoverinfo="text",
        )
    )
    if whole.mean is not None:
        figure.add_vline(x=whole.mean, line_color=COLOURS[0], line_width=1, line_dash="dot")
    title = metric.name + (f", {metric.unit}" if metric.unit else "")
    figure.update_xaxes(title_text=title)
    return figure


def differences(rows: Rows, whole: api.SliceRow, metric: Metric) -> go.Figure:
    """Draw by how much the run differs from the baseline in every slice, beside the difference over all questions."""
    figure = _blank(rows)
    drawn = [(i, row) for i, row in enumerate(rows) if row.difference is not None]
    for colour, own in _by_colour(drawn).items():
        middle = [row.difference for _, row in own]
        figure.add_trace(
            go.Scatter(
                x=middle,
                y=[i for i, _ in own],
                error_x=arms(middle, [r.difference_low for _, r in own], [r.difference_high for _, r in own], colour),
                mode="markers",
                marker=_marker([colour] * len(own), [row.few or colour == UNCLEAR for _, row in own]),
                hovertext=[_difference_words(row, metric) for _, row in own],
                hoverinfo="text",
            )
        )
    figure.add_vline(x=0, line_color=COLOURS[0], line_width=1)
    if whole.difference is not None:
        figure.add_vline(x=whole.difference, line_color=COLOURS[0], line_width=1, line_dash="dot")
    figure.update_xaxes(title_text=f"difference in {metric.name}")
    return figure


def _blank(rows: Rows) -> go.Figure:
    figure = blank(70 + _ROW_PX * len(rows), showlegend=False)
    figure.update_layout(margin_t=10)
    several = len({row.by for row in rows}) > 1
    labels = [f"{chart_text(_name(row, several), 34)} <span style='color:#66717d'>n {_n(row):,}</span>" for row in rows]
    figure.update_yaxes(tickvals=list(range(len(rows))), ticktext=labels, range=[len(rows) - 0.5, -0.5])
    return figure


def _name(row: api.SliceRow, several: bool) -> str:
    return f"{row.by}: {row.value}" if several else row.value


def _n(row: api.SliceRow) -> int:
    return row.n if row.n_paired is None else row.n_paired


def _by_colour(drawn: Sequence[tuple[int, api.SliceRow]]) -> dict[str, list[tuple[int, api.SliceRow]]]:
    found: dict[str, list[tuple[int, api.SliceRow]]] = {}
    for i, row in drawn:
        shown = {"better": BETTER, "worse": WORSE}.get(str(row.verdict), UNCLEAR)
        found.setdefault(shown, []).append((i, row))
    return found


def _marker(colours: Sequence[str], hollow: Sequence[bool]) -> dict[str, Any]:
    fill = ["#ffffff" if one else colour for colour, one in zip(colours, hollow, strict=True)]
    return {"color": fill, "size": 8, "line": {"color": list(colours), "width": 1.6}}


def _mean_words(row: api.SliceRow, metric: Metric) -> str:
    low, high = written(row.low, metric), written(row.high, metric)
    interval = f" ({low} to {high})" if row.low is not None else ", too few for an interval"
    return f"{chart_text(row.value, 80)}<br>{metric.name} {written(row.mean, metric)}{interval}, n {row.n:,}"


def _difference_words(row: api.SliceRow, metric: Metric) -> str:
    low, high = (written(end, metric, sign=True) for end in (row.difference_low, row.difference_high))
    interval = f" ({low} to {high})" if row.difference_low is not None else ", too few for an interval"
    told = f"{metric.name} {written(row.difference, metric, sign=True)}{interval}, n {_n(row):,}"
    return f"{chart_text(row.value, 80)}<br>{told}<br>{row.wins} better, {row.ties} equal, {row.losses} worse"
