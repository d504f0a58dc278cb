"""Questions to Plotly figures: how each fares in two runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from pipelines.compare.questions import QuestionDifference
from pipelines.records import Metric
from workbench.charts import BETTER, UNCLEAR, WORSE, blank
from workbench.text import chart_text

_BINS = 20


def scatter(rows: Sequence[QuestionDifference], baseline: str, other: str, titles: Mapping[str, str]) -> go.Figure:
    """Draw every question: its value in the baseline across, in the other run upwards."""
    figure = blank(360)
    for outcome, colour in (("win", BETTER), ("tie", UNCLEAR), ("loss", WORSE)):
        own = [row for row in rows if row.outcome == outcome]
        label = f"{ {'win': 'better', 'tie': 'equal', 'loss': 'worse'}[outcome] } ({len(own):,})"
        figure.add_trace(_question_trace(own, label, colour, titles))
    ends = [value for row in rows for value in (row.baseline, row.value) if value is not None] or [0.0, 1.0]
    line = {"color": "#aab4be", "width": 1, "dash": "dot"}
    figure.add_shape(type="line", x0=min(ends), y0=min(ends), x1=max(ends), y1=max(ends), line=line, layer="below")
    figure.update_xaxes(title_text=chart_text(baseline, 60))
    figure.update_yaxes(title_text=chart_text(other, 40))
    return figure


def _question_trace(
    rows: Sequence[QuestionDifference], label: str, colour: str, titles: Mapping[str, str]
) -> go.Scatter:
    words = [f"{chart_text(row.question_id)}<br>{chart_text(titles.get(row.question_id, ''), 80)}" for row in rows]
    return go.Scatter(
        x=[row.baseline for row in rows],
        y=[row.value for row in rows],
        mode="markers",
        marker={"color": colour, "size": 8, "opacity": 0.55},
        name=label,
        hovertext=words,
        hovertemplate="%{hovertext}<br>%{x:.3f} → %{y:.3f}<extra></extra>",
    )


def histogram(rows: Sequence[QuestionDifference], metric: Metric) -> go.Figure:
    """Draw how many questions differ by how much, in twenty bins about zero; ties are left out."""
    values = [row.difference for row in rows if row.difference]
    limit = max((abs(value) for value in values), default=1.0)
    width = 2.1 * limit / _BINS
    counts = Counter(min(_BINS - 1, int((value + 1.05 * limit) / width)) for value in values)
    middles = {i: -1.05 * limit + (i + 0.5) * width for i in counts}
    figure = blank(360, bargap=0, showlegend=False)
    figure.add_trace(
        go.Bar(
            x=[middles[i] for i in counts],
            y=list(counts.values()),
            width=0.92 * width,
            marker_color=[_colour(metric, 1 if middle > 0 else -1) for middle in middles.values()],
            hovertemplate="about %{x:.2f}: %{y}<extra></extra>",
        )
    )
    step = max(1, round(max(counts.values(), default=1) / 6))
    figure.update_xaxes(title_text=f"difference in {metric.name} (ties left out)", range=[-limit * 1.1, limit * 1.1])
    figure.update_yaxes(title_text="questions", dtick=step, rangemode="tozero")
    figure.add_vline(x=0, line_color="#3d4a57", line_width=1)
    return figure


def _colour(metric: Metric, sign: int) -> str:
    return BETTER if (sign > 0) == metric.higher_is_better else WORSE
