"""Rows to Plotly figures. Names come from users: each goes through `chart_text`, since Plotly reads tags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from pipelines.compare.table import ComparisonRow
from pipelines.records import Metric
from pipelines.runs.record import Measured, Run
from workbench.grids import written
from workbench.text import chart_text

COLOURS = ("#3d4a57", "#1f77b4", "#c98a00", "#2c8c5a", "#a3488b")
BETTER, WORSE, UNCLEAR = "#2c8c5a", "#b8433a", "#7a8794"
CONFIG = {"displayModeBar": False, "displaylogo": False}
_FONT = {
    "family": "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', Arial, sans-serif",
    "size": 13,
    "color": "#1d2733",
}


def blank(height_px: int, **layout: Any) -> go.Figure:
    """Return a figure of the house's look with nothing on it yet."""
    margin = {"l": 8, "r": 16, "t": 36, "b": 8}
    figure = go.Figure()
    legend = {"orientation": "h", "yanchor": "bottom", "y": 1.0, "x": 0, "traceorder": "normal"}
    figure.update_layout(height=height_px, margin=margin, font=_FONT, legend=legend, hovermode="closest", **layout)
    figure.update_layout(plot_bgcolor="#ffffff", paper_bgcolor="#ffffff")
    axis = {"gridcolor": "#e7ebef", "zeroline": False, "automargin": True, "title_font_size": 13}
    figure.update_xaxes(**axis)
    figure.update_yaxes(**axis)
    return figure


def _rows_height(n_runs: int, n_metrics: int) -> int:
    return _legend_top(n_runs) + 40 + (24 + 13 * n_runs) * n_metrics


def _legend_top(n_runs: int) -> int:
    return 16 + 20 * n_runs


def means(runs: Sequence[Run], names: Mapping[str, str], metrics: Sequence[Metric]) -> go.Figure:
    """Draw each metric's mean and 95 % interval, a colour a run."""
    figure = blank(_rows_height(len(runs), len(metrics)))
    figure.update_layout(margin_t=_legend_top(len(runs)), legend_orientation="v")
    for i, run in enumerate(runs):
        found = [(m, run.measured(m.name)) for m in metrics]
        points = [(m, one) for m, one in found if one is not None and one.mean is not None]
        offset = (i - (len(runs) - 1) / 2) * 0.16
        figure.add_trace(
            _mean_trace(points, [m.name for m in metrics], offset, names[run.id], COLOURS[i % len(COLOURS)])
        )
    labels = [f"{m.name}<br><sub>{_scored(runs, m)}</sub>" for m in metrics]
    figure.update_yaxes(tickvals=list(range(len(metrics))), ticktext=labels, range=[len(metrics) - 0.5, -0.5])
    return figure


def _scored(runs: Sequence[Run], metric: Metric) -> str:
    """Return how many questions a metric's means are taken over, from fewest to most where runs differ."""
    counts = sorted({one.n for run in runs if (one := run.measured(metric.name)) is not None})
    return f"n {counts[0]:,}" + (f"–{counts[-1]:,}" if len(counts) > 1 else "") if counts else "n 0"


def _mean_trace(
    points: Sequence[tuple[Metric, Measured]], names: Sequence[str], offset: float, run: str, colour: str
) -> go.Scatter:
    mean = [one.mean for _, one in points]
    return go.Scatter(
        x=mean,
        y=[names.index(m.name) + offset for m, _ in points],
        error_x=arms(mean, [one.low for _, one in points], [one.high for _, one in points], colour),
        mode="markers",
        marker={"color": colour, "size": 8},
        name=chart_text(run),
        hovertext=[_mean_words(run, m, one) for m, one in points],
        hoverinfo="text",
    )


def _mean_words(run: str, metric: Metric, one: Measured) -> str:
    low, high = written(one.low, metric), written(one.high, metric)
    n = f"n {one.n:,}" + (f", {one.unscored:,} not scored" if one.unscored else "")
    return f"{chart_text(run)}<br>{metric.name} {written(one.mean, metric)} ({low} to {high}), {n}"


def arms(middle: Sequence[Any], low: Sequence[Any], high: Sequence[Any], colour: str) -> dict[str, Any]:
    """Return the error bars from `low` to `high` about `middle`; none where an end is not known."""
    up = [0 if h is None else h - m for m, h in zip(middle, high, strict=True)]
    down = [0 if a is None else m - a for m, a in zip(middle, low, strict=True)]
    return {
        "type": "data",
        "symmetric": False,
        "array": up,
        "arrayminus": down,
        "color": colour,
        "thickness": 1.4,
        "width": 4,
    }


def differences(
    rows: Sequence[ComparisonRow], run_names: Mapping[str, str], metrics: Mapping[str, Metric]
) -> go.Figure:
    """Draw the differences of the shares with their intervals: right of zero is a higher value than the baseline's."""
    runs = list(dict.fromkeys(row.run_id for row in rows))
    names = list(dict.fromkeys(row.metric for row in rows))
    figure = blank(_rows_height(len(runs) + 1, len(names)), showlegend=True)
    figure.update_layout(margin_t=_legend_top(len(runs) + 1), legend_orientation="v")
    line = {"color": COLOURS[0], "width": 1.5}
    figure.add_trace(go.Scatter(x=[None], y=[None], mode="lines", line=line, name="baseline (zero)"))
    for i, run_id in enumerate(runs):
        own = [row for row in rows if row.run_id == run_id and row.difference is not None]
        offset = (i - (len(runs) - 1) / 2) * 0.16
        figure.add_trace(
            _difference_trace(own, run_names[run_id], names, offset, COLOURS[(i + 1) % len(COLOURS)], metrics)
        )
    figure.add_vline(x=0, line_color="#3d4a57", line_width=1)
    figure.update_yaxes(tickvals=list(range(len(names))), ticktext=names, range=[len(names) - 0.5, -0.5])
    return figure


def _difference_trace(
    rows: Sequence[ComparisonRow],
    run: str,
    names: Sequence[str],
    offset: float,
    colour: str,
    metrics: Mapping[str, Metric],
) -> go.Scatter:
    middle = [row.difference for row in rows]
    shown = [row.verdict != "no difference shown" for row in rows]
    return go.Scatter(
        x=middle,
        y=[names.index(row.metric) + offset for row in rows],
        error_x=arms(middle, [row.low for row in rows], [row.high for row in rows], colour),
        mode="markers",
        marker={
            "color": [colour if s else "#ffffff" for s in shown],
            "size": 9,
            "line": {"color": colour, "width": 1.6},
        },
        name=chart_text(run),
        hovertext=[_difference_words(run, row, metrics.get(row.metric)) for row in rows],
        hoverinfo="text",
    )


def _difference_words(run: str, row: ComparisonRow, metric: Metric | None) -> str:
    low, high = written(row.low, metric, sign=True), written(row.high, metric, sign=True)
    told = f"{row.metric} {written(row.difference, metric, sign=True)} ({low} to {high}), n {row.n:,}"
    return f"{chart_text(run)}<br>{told}<br>{row.verdict}"


def stage_seconds(run: Run) -> go.Figure:
    """Draw the seconds each stage took: filled where it was computed, pale where it was looked up."""
    stages = list(run.stages.items())
    figure = blank(50 + 26 * len(stages), showlegend=False)
    figure.add_trace(
        go.Bar(
            x=[report.seconds for _, report in stages],
            y=[name for name, _ in stages],
            orientation="h",
            marker_color=["#b9cfdf" if report.found == "hit" else "#1f5f8b" for _, report in stages],
            text=[
                f"{report.seconds:.2f} s, {'looked up' if report.found == 'hit' else 'computed'}"
                for _, report in stages
            ],
            textposition="outside",
            cliponaxis=False,
            hoverinfo="skip",
        )
    )
    longest = max((report.seconds for _, report in stages), default=1.0) or 1.0
    figure.update_xaxes(range=[0, longest * 1.6], title_text="seconds")
    figure.update_yaxes(autorange="reversed")
    return figure


def what_if(rows: Sequence[ComparisonRow], metrics: Mapping[str, Metric]) -> go.Figure:
    """Draw each share as it was and as it is now; the interval is that of the difference, laid upon what it was."""
    figure = blank(52 + 30 * len(rows))
    names = [row.metric for row in rows]
    drawn = [row for row in rows if row.baseline_mean is not None and row.mean is not None]
    for row in drawn:
        ends, place = [row.baseline_mean, row.mean], [names.index(row.metric)] * 2
        line = {"color": "#c3ccd5", "width": 2}
        figure.add_trace(go.Scatter(x=ends, y=place, mode="lines", line=line, showlegend=False, hoverinfo="skip"))
    was = {"color": "#ffffff", "size": 9, "line": {"color": COLOURS[0], "width": 1.6}}
    figure.add_trace(_now_trace(drawn, names, "as it was", was, metrics, was=True))
    for name, colour, state in (("better", BETTER, 1), ("worse", WORSE, -1), ("not shown to differ", UNCLEAR, 0)):
        own = [row for row in drawn if _shown(row) == state]
        if own:
            marker = {"color": colour, "size": 9}
            figure.add_trace(_now_trace(own, names, f"now, {name}", marker, metrics))
    figure.update_yaxes(tickvals=list(range(len(names))), ticktext=names, range=[len(names) - 0.5, -0.5])
    return figure


def _shown(row: ComparisonRow) -> int:
    """Return 1 where the whole interval of the difference is on the better side of zero, -1 on the worse, else 0."""
    if row.low is None or row.high is None or row.low <= 0 <= row.high:
        return 0
    return 1 if (row.low > 0) == row.higher_is_better else -1


def _now_trace(
    rows: Sequence[ComparisonRow],
    names: Sequence[str],
    label: str,
    marker: Mapping[str, Any],
    metrics: Mapping[str, Metric],
    was: bool = False,
) -> go.Scatter:
    now = [row.mean for row in rows]
    low, high = ([_end(row.baseline_mean, end) for row, end in pairs] for pairs in _ends(rows))
    return go.Scatter(
        x=[row.baseline_mean for row in rows] if was else now,
        y=[names.index(row.metric) for row in rows],
        error_x=None if was else arms(now, low, high, str(marker["color"])),
        mode="markers",
        marker=marker,
        name=label,
        hovertext=[_now_words(row, metrics.get(row.metric)) for row in rows],
        hoverinfo="text",
    )


def _ends(rows: Sequence[ComparisonRow]) -> tuple[Any, Any]:
    return [(row, row.low) for row in rows], [(row, row.high) for row in rows]


def _end(was: float | None, difference: float | None) -> float | None:
    return None if was is None or difference is None else was + difference


def _now_words(row: ComparisonRow, metric: Metric | None) -> str:
    was, now, low, high = (written(value, metric) for value in (row.baseline_mean, row.mean, row.low, row.high))
    difference = written(row.difference, metric, sign=True)
    return f"{row.metric} {was} → {now}<br>difference {difference} ({low} to {high}), n {row.n:,}"
