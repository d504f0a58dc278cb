"""A metric by kinds of questions: one run alone, or against a baseline, with what goes against the whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pipelines import api
from pipelines.records import Metric
from workbench import charts, grids, handover, slice_charts
from workbench.text import counted, own, plain, shortened

ALL_WAYS = "all ways"
_AGAINST, _PERHAPS, _FEW = "against the whole", "perhaps against the whole", "too few to show it"
_MOST_TOLD = 6
_MARKS = {"better": "▲ better", "worse": "▼ worse", "no difference shown": "● not shown", None: None}
_WARNED = {_AGAINST: "▼ against the whole", _PERHAPS: "perhaps against it", _FEW: None, None: None}


@st.cache_data(max_entries=64, show_spinner="Parting the questions …")
def _slices(run: str, baseline: str | None, metric: str, stamp: object) -> api.SliceReport:
    return api.slices(run, baseline, (metric,))


def show(run: str, baseline: str | None, metric: Metric, stamp: object, place: DeltaGenerator) -> None:
    """Draw the slices of `run` on one metric, against `baseline` if any; which ones is asked for in `place`."""
    report = _slices(run, baseline, metric.name, stamp)
    if not report.rows:
        st.info(
            "The questions are all of one kind: they have no tags, and their documents no metadata to part them by."
        )
        return
    if baseline is not None:
        _warnings(report)
    with place:
        way = str(handover.choose("Parted by", [*report.ways, ALL_WAYS], "by", shown=_way, quiet=True))
    rows = [row for row in report.rows if way in (row.by, ALL_WAYS)]
    whole = report.whole(metric.name)
    left, right = st.columns([1, 1.25], gap="medium")
    draw = slice_charts.means if baseline is None else slice_charts.differences
    with left:
        st.plotly_chart(draw(rows, whole, metric), theme=None, config=charts.CONFIG, key="slices.chart")
    with right:
        cells = [_row(row, metric) for row in (whole, *rows)]
        fields = [field for field in _fields(baseline is not None, way) if field.key not in _absent(cells)]
        grids.show(fields, cells, "slices.grid", 16)
        _foot(report, baseline is not None)
    with st.expander("In words"):
        st.markdown("\n".join(f"- {plain(report.sentence(row))}" for row in rows))


def _absent(cells: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the columns that are left out when no row has anything in them."""
    return [name for name in ("warning", "reason", "unscored") if not any(row[name] for row in cells)]


def _way(name: str) -> str:
    words = {"evidence": "number of pieces of evidence", "length": "length of the question", "filter": "known filter"}
    return words.get(name, name)


def _warnings(report: api.SliceReport) -> None:
    """Say first what is better overall and worse here, then what may be."""
    found = report.warnings
    sure = [row for row in found if row.warning == _AGAINST]
    perhaps = [row for row in found if row.warning == _PERHAPS]
    for row in sure[:_MOST_TOLD]:
        st.warning(plain(report.sentence(row)), icon=":material/warning:")
    if perhaps:
        with st.expander(f"{counted(len(perhaps), 'slice')} perhaps against the whole", expanded=not sure):
            st.markdown("\n".join(f"- {plain(report.sentence(row))}" for row in perhaps[: 2 * _MOST_TOLD]))
    if not sure and not perhaps:
        st.caption("No kind of questions is shown to go against the whole.")


def _left_out(report: api.SliceReport) -> None:
    if not report.left_out:
        return
    with st.popover(f"{counted(len(report.left_out), 'field')} left out", type="tertiary", icon=":material/block:"):
        rows = [{"field": one.field, "why": one.why} for one in report.left_out]
        fields = (grids.Field("field", "Field", width=180), grids.Field("why", "Why", width=360))
        grids.show(fields, rows, "slices.left_out", 8)


def _fields(compared: bool, way: str) -> Sequence[grids.Field]:
    first = [grids.Field("by", "Parted by", width=110)] if way == ALL_WAYS else []
    first += [grids.Field("value", "Questions", width=150)]
    if not compared:
        return [
            *first,
            grids.Field("mean", "Mean", width=75),
            grids.Field("interval", "95 % interval", width=125),
            grids.Field("n", "n", "%d", 50, help="Questions scored"),
            grids.Field("unscored", "Unscored", "%d", 75),
            grids.Field("reason", "Why not scored", width=200),
        ]
    return [
        *first,
        grids.Field("warning", "Warning", width=130),
        grids.Field("verdict", "Verdict", width=100),
        grids.Field("difference", "Difference", width=82),
        grids.Field("interval", "95 % interval", width=135),
        grids.Field("p_adjusted", "p", width=60, help="Permutation p, corrected over all slices"),
        grids.Field("outcomes", "Win/tie/loss", width=95),
        grids.Field("n_paired", "n", "%d", 45, help="Questions scored in both runs"),
        grids.Field("baseline_mean", "Baseline", width=75),
        grids.Field("mean", "Run", width=70),
        grids.Field("smallest", "Detectable", width=85, help="Smallest difference that so many questions show"),
    ]


def _row(row: api.SliceRow, metric: Metric) -> Mapping[str, Any]:
    compared = row.n_paired is not None
    ends = (row.difference_low, row.difference_high) if compared else (row.low, row.high)
    low, high = (grids.written(end, metric, sign=compared) for end in ends)
    return {
        "by": None if row.by == "all" else row.by,
        "value": shortened(row.value, 200),
        "warning": _WARNED.get(row.warning),
        "verdict": _MARKS.get(row.verdict) if not row.few else "too few",
        "mean": grids.written(row.mean, metric),
        "baseline_mean": grids.written(row.baseline_mean, metric),
        "difference": grids.written(row.difference, metric, sign=True),
        "interval": f"{low} to {high}" if ends[0] is not None else None,
        "p_adjusted": None if row.p_adjusted is None else _p(row.p_adjusted),
        "outcomes": f"{row.wins} / {row.ties} / {row.losses}" if row.wins is not None else None,
        "n": row.n,
        "n_paired": row.n_paired,
        "unscored": row.unscored,
        "smallest": grids.written(row.smallest_detectable, metric),
        "reason": row.reason,
    }


def _p(p: float) -> str:
    return f"{p:.3f}" if p >= 0.0005 else "< 0.001"


def _foot(report: api.SliceReport, compared: bool) -> None:
    told = f"{report.resamples:,} resamples, seed {report.seed}. Dotted: all questions. Hollow: too few questions"
    if compared:
        told += f", or no difference shown; p is corrected over {report.n_comparisons:,} comparisons"
    few = sum(row.few for row in report.rows)
    told += f". {counted(few, 'slice')} of fewer than 5 scored questions." if few else "."
    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button(
            "Download CSV", report.table().to_csv(), "slices.csv", "text/csv",
            icon=":material/download:", on_click="ignore",
        )  # fmt: skip
        _left_out(report)
    st.caption(plain(own(told)))
