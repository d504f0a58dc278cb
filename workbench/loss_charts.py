"""Losses to Plotly figures: a waterfall from all evidence down to the recall reached, and runs side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from workbench.charts import BETTER, COLOURS, UNCLEAR, WORSE, arms, blank
from workbench.text import chart_text

_ROW_PX = 34


@dataclass(frozen=True)
class Step:
    """What one stage lost: a share of the evidence with its interval, and on how many questions."""

    stage: str
    label: str
    mean: float
    low: float | None
    high: float | None
    n_questions: int | None = None


def waterfall(steps: Sequence[Step], reached: float, cut: str, chosen: str | None = None) -> go.Figure:
    """Draw the way from 1 down to the recall reached, a bar a stage; the bars add up."""
    labels = ["all evidence", *(step.label for step in steps), f"{cut} reached"]
    figure = blank(60 + _ROW_PX * len(labels), showlegend=False, bargap=0.32)
    figure.update_layout(margin_t=8)
    _whole(figure, 0, 1.0, UNCLEAR, "1.000")
    left = 1.0
    for place, step in enumerate(steps, 1):
        _step(figure, place, step, left, faded=chosen not in (None, step.stage))
        left -= step.mean
    _whole(figure, len(labels) - 1, reached, BETTER, f"{reached:.3f}")
    figure.update_xaxes(range=[0, 1.16], tickvals=[0, 0.2, 0.4, 0.6, 0.8, 1], title_text="share of the evidence")
    places = list(range(len(labels)))
    figure.update_yaxes(tickvals=places, ticktext=labels, range=[len(labels) - 0.5, -0.5], showgrid=False)
    return figure


def _whole(figure: go.Figure, place: int, value: float, colour: str, told: str) -> None:
    figure.add_trace(
        go.Bar(
            x=[value], y=[place], orientation="h", marker_color=colour, text=[told], textposition="outside",
            hoverinfo="skip", customdata=[""], cliponaxis=False,
        )
    )  # fmt: skip


def _step(figure: go.Figure, place: int, step: Step, left: float, faded: bool) -> None:
    after = left - step.mean
    line = {"color": "#aab4be", "width": 1, "dash": "dot"}
    figure.add_shape(type="line", x0=left, x1=left, y0=place - 1.34, y1=place + 0.34, line=line, layer="below")
    figure.add_trace(
        go.Bar(
            x=[step.mean], base=[after], y=[place], orientation="h", marker_color=WORSE,
            marker_opacity=0.35 if faded else 1.0, text=[f"−{step.mean:.3f}" if step.mean else "0"],
            textposition="outside", hovertext=[_words(step)], hoverinfo="text", customdata=[step.stage],
            cliponaxis=False,
        )
    )  # fmt: skip


def _words(step: Step) -> str:
    interval = "" if step.low is None or step.high is None else f" ({step.low:.3f} to {step.high:.3f})"
    on = "" if step.n_questions is None else f"<br>on {step.n_questions:,} questions; click to list them"
    return f"{step.label}: {step.mean:.3f} of the evidence{interval}{on}"


def side_by_side(runs: Mapping[str, Sequence[Step]]) -> go.Figure:
    """Draw what each stage lost in several runs, a colour a run, with intervals."""
    labels = list(dict.fromkeys(step.label for steps in runs.values() for step in steps))
    figure = blank(60 + 20 * len(runs) + (22 + 13 * len(runs)) * len(labels), showlegend=True)
    figure.update_layout(margin_t=16 + 20 * len(runs), legend_orientation="v")
    for i, (name, steps) in enumerate(runs.items()):
        offset = (i - (len(runs) - 1) / 2) * 0.17
        colour, middle = COLOURS[i % len(COLOURS)], [step.mean for step in steps]
        figure.add_trace(
            go.Scatter(
                x=middle,
                y=[labels.index(step.label) + offset for step in steps],
                error_x=arms(middle, [step.low for step in steps], [step.high for step in steps], colour),
                mode="markers",
                marker={"color": colour, "size": 8},
                name=chart_text(name),
                hovertext=[f"{chart_text(name)}<br>{_words(step)}" for step in steps],
                hoverinfo="text",
            )
        )
    most = max((step.high or step.mean for steps in runs.values() for step in steps), default=1.0) or 1.0
    figure.update_xaxes(title_text="share of the evidence lost", range=[-0.03 * most, 1.05 * most])
    figure.update_yaxes(tickvals=list(range(len(labels))), ticktext=labels, range=[len(labels) - 0.5, -0.5])
    return figure


def differences(rows: Sequence[tuple[str, float, float | None, float | None, str]]) -> go.Figure:
    """Draw by how much more (or less) a run loses at each stage than the baseline; each with its words on hover."""
    labels = [row[0] for row in rows]
    figure = blank(60 + 35 * len(rows), showlegend=False)
    figure.update_layout(margin_t=10)
    for i, (_, value, low, high, told) in enumerate(rows):
        shown = low is not None and high is not None and not low <= 0 <= high
        colour = (WORSE if value > 0 else BETTER) if shown else UNCLEAR
        fill = colour if shown else "#ffffff"
        figure.add_trace(
            go.Scatter(
                x=[value], y=[i], error_x=arms([value], [low], [high], colour), mode="markers",
                marker={"color": fill, "size": 9, "line": {"color": colour, "width": 1.6}},
                hovertext=[told], hoverinfo="text",
            )
        )  # fmt: skip
    figure.add_vline(x=0, line_color=COLOURS[0], line_width=1)
    figure.update_xaxes(title_text="difference in the share lost (right: more is lost)")
    figure.update_yaxes(tickvals=list(range(len(rows))), ticktext=labels, range=[len(rows) - 0.5, -0.5])
    return figure
