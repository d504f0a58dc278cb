"""The differences: in a chart, in a table, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from string import ascii_uppercase
from typing import Any

import streamlit as st

from pipelines import api
from pipelines.compare.table import Comparison, ComparisonRow
from pipelines.runs.table import rows_to_csv
from workbench import charts, grids
from workbench.parts.choice import Chosen
from workbench.text import counted, own, plain, shortened

_MOST_GROUPS, _MOST_REASONS = 4, 3
_MARKS = {"better": "▲ better", "worse": "▼ worse", "no difference shown": "● not shown"}
_FIELDS = (
    grids.Field("run_name", "Run", width=160),
    grids.Field("metric", "Metric", width=140),
    grids.Field("verdict", "Verdict", width=105),
    grids.Field("baseline_mean", "Baseline", width=72),
    grids.Field("mean", "Run's mean", width=85),
    grids.Field("difference", "Difference", width=85),
    grids.Field("interval", "95 % interval", width=140, help="Bootstrap interval of the difference"),
    grids.Field("p_holm", "p Holm", width=70, help="Permutation p, corrected for all comparisons of this table"),
    grids.Field("outcomes", "Win/tie/loss", width=105, help="Questions on which the run is better, equal, worse"),
    grids.Field("n", "n", "%d", 50, help="Questions scored in both runs"),
    grids.Field(
        "smallest", "Detectable", width=85, help="Smallest difference that so many questions show four times in five"
    ),
)


@st.cache_data(max_entries=64, show_spinner="Comparing question by question …")
def _compared(baseline: str, others: tuple[str, ...], metrics: tuple[str, ...]) -> Comparison:
    return api.compare_runs(baseline, others, metrics)


@st.cache_data(max_entries=64, show_spinner=False)
def _why_unscored(baseline: str, other: str, metric: str) -> tuple[str, ...]:
    rows = api.question_differences(baseline, other, metric)
    return tuple(reason for reason, _ in Counter(row.reason for row in rows if row.reason).most_common())


def compared(chosen: Chosen) -> Comparison:
    """Return the comparison of the chosen runs on the chosen metrics."""
    return _compared(chosen.ids[0], tuple(chosen.ids[1:]), tuple(metric.name for metric in chosen.metrics))


def lettered(chosen: Chosen) -> dict[str, str]:
    """Return each run's name by id behind a letter, A the baseline: names that are cut alike are still told apart."""
    return {run_id: f"{letter} · {chosen.names[run_id]}" for run_id, letter in _letters(chosen).items()}


def _letters(chosen: Chosen) -> dict[str, str]:
    return dict(zip(chosen.ids, ascii_uppercase, strict=False))


def key(chosen: Chosen) -> None:
    """Say which letter is which run, with the end of its id, as the boxes above do."""
    letters = _letters(chosen)
    with st.container(gap=None):
        for run in chosen.runs:
            baseline = " (baseline)" if run.id == chosen.ids[0] else ""
            st.caption(plain(f"{letters[run.id]} · {shortened(run.name, 200)} · {run.id[-6:]}{baseline}"))


def show(chosen: Chosen) -> None:
    """Draw the whole comparison."""
    found = compared(chosen)
    key(chosen)
    _scored(found, _letters(chosen))
    _charts(chosen, found.rows)
    _table(chosen, found)
    with st.expander("In words", expanded=len(found.rows) <= 14):
        _sentences(found.rows, lettered(chosen))


def _scored(found: Comparison, letters: Mapping[str, str]) -> None:
    """Say how many questions the figures rest on, and why the others are not among them."""
    groups: dict[tuple[int, int], list[ComparisonRow]] = {}
    for row in found.rows:
        groups.setdefault((row.n, row.dropped), []).append(row)
    told = [_scored_words(found, n, dropped, rows[0]) for (n, dropped), rows in groups.items()]
    for words, rows in list(zip(told, groups.values(), strict=True))[:_MOST_GROUPS]:
        metrics = ", ".join(dict.fromkeys(own(row.metric) for row in rows))
        runs = ", ".join(dict.fromkeys(letters[row.run_id] for row in rows))
        st.caption(plain(words if len(groups) == 1 else f"{metrics} ({runs}): {words}"))
    if len(groups) > _MOST_GROUPS:
        st.caption("More such numbers stand in the column n of the table.")


def _scored_words(found: Comparison, n: int, dropped: int, row: ComparisonRow) -> str:
    first = f"{n:,} of {counted(n + dropped, 'question')} scored in both runs"
    if not dropped:
        return first
    reasons = "; ".join(own(one) for one in _why_unscored(found.baseline_id, row.run_id, row.metric)[:_MOST_REASONS])
    return f"{first}; {dropped:,} not scored" + (f" ({reasons})" if reasons else "")


def _charts(chosen: Chosen, rows: Sequence[ComparisonRow]) -> None:
    shares, names = [metric for metric in chosen.metrics if metric.unit is None], lettered(chosen)
    if not shares:
        return
    left, right = st.columns(2, gap="medium")
    with left:
        st.subheader("Means, with 95 % intervals")
        st.plotly_chart(charts.means(chosen.runs, names, shares), theme=None, config=charts.CONFIG, key="compare.means")
    with right:
        st.subheader("Differences from the baseline, with 95 % intervals")
        declared = {metric.name: metric for metric in shares}
        shown = [row for row in rows if row.metric in declared]
        st.plotly_chart(
            charts.differences(shown, names, declared),
            theme=None,
            config=charts.CONFIG,
            key="compare.differences",
        )
    st.caption("A filled point on the right: shown to differ (p < 0.05 after Holm). A hollow one: no difference shown.")


def _table(chosen: Chosen, found: Comparison) -> None:
    metrics = {metric.name: metric for metric in chosen.metrics}
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.subheader("Table of differences")
        columns = [*asdict(found.rows[0]), "baseline_id", "baseline_name", "dataset_version"]
        rows = [_full(row, found) for row in found.rows]
        st.download_button(
            "Download CSV", rows_to_csv(columns, rows), "comparison.csv", "text/csv",
            icon=":material/download:", on_click="ignore",
        )  # fmt: skip
    names = lettered(chosen)
    shown = [{**_row(row, metrics[row.metric]), "run_name": names[row.run_id]} for row in found.rows]
    grids.show(_FIELDS, shown, "compare.grid", most_rows=15)
    size = f"{counted(found.n_questions, 'question')}, {counted(found.n_comparisons, 'comparison')}"
    about = f"{size}, {found.resamples:,} resamples"
    st.caption(plain(f"{about}, seed {found.seed}; paired by question. Wins are the run's."))


def _full(row: ComparisonRow, found: Comparison) -> dict[str, Any]:
    same = {"baseline_id": found.baseline_id, "baseline_name": found.baseline_name}
    return {**asdict(row), **same, "dataset_version": found.dataset_version}


def _row(row: ComparisonRow, metric: Any) -> dict[str, Any]:
    low, high = (grids.written(end, metric, sign=True) for end in (row.low, row.high))
    return {
        **asdict(row),
        "verdict": _MARKS[row.verdict],
        "baseline_mean": grids.written(row.baseline_mean, metric),
        "mean": grids.written(row.mean, metric),
        "difference": grids.written(row.difference, metric, sign=True),
        "interval": f"{low} to {high}" if row.low is not None else None,
        "p_holm": None if row.p_holm is None else f"{row.p_holm:.4f}" if row.p_holm >= 0.0001 else "< 0.0001",
        "outcomes": f"{row.wins:,} / {row.ties:,} / {row.losses:,}",
        "smallest": grids.written(row.smallest_detectable, metric),
    }


def _sentences(rows: Sequence[ComparisonRow], names: Mapping[str, str]) -> None:
    for run_id in dict.fromkeys(row.run_id for row in rows):
        lines = [f"- {plain(row.sentence())}" for row in rows if row.run_id == run_id]
        st.caption(plain(f"{own(names[run_id])}, against the baseline"))
        st.markdown("\n".join(lines))
