"""Which questions got better and which worse, on one metric; each leads to the question in depth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import streamlit as st

from pipelines import api
from pipelines.compare.questions import QuestionDifference
from pipelines.errors import WorkbenchError
from pipelines.records import Question
from pipelines.runs.record import Run
from pipelines.runs.table import rows_to_csv
from workbench import charts, grids, handover, question_charts, reading
from workbench.parts import comparison
from workbench.parts.choice import Chosen
from workbench.text import plain, shortened

_WORDS = {"win": "▲ better", "tie": "● equal", "loss": "▼ worse", None: "unscored"}
_FILTERS = ("All", "Worse", "Better", "Equal", "Unscored")
_OF = {"Worse": "loss", "Better": "win", "Equal": "tie", "Unscored": None}


@st.cache_data(max_entries=128, show_spinner="Comparing question by question …")
def _differences(baseline: str, other: str, metric: str) -> tuple[QuestionDifference, ...]:
    return api.question_differences(baseline, other, metric)


def show(chosen: Chosen) -> None:
    """Draw the charts and the table of questions for one metric and one other run."""
    baseline, others = chosen.runs[0], {run.id: run for run in chosen.runs[1:]}
    metrics, names = {metric.name: metric for metric in chosen.metrics}, comparison.lettered(chosen)
    comparison.key(chosen)
    first, second = st.columns([1, 1.8])
    with first:
        name = str(handover.choose("On the metric", list(metrics), "on"))
    with second:
        other = others[str(handover.choose("Run", list(others), "against", shown=lambda r: names[r]))]
    rows = _differences(baseline.id, other.id, name)
    questions = _questions(baseline)
    texts = {key: question.text for key, question in questions.items()}
    figures = (
        question_charts.scatter(rows, names[baseline.id], names[other.id], texts),
        question_charts.histogram(rows, metrics[name]),
    )
    if any(row.outcome in ("win", "loss") for row in rows):
        for place, figure, key in zip(st.columns(2), figures, ("wins.scatter", "wins.histogram"), strict=True):
            place.plotly_chart(figure, theme=None, config=charts.CONFIG, key=key)
    else:
        st.info("No question that is scored in both runs differs on this metric.")
    _table(rows, questions, (baseline, other), name, grids.number_format(metrics[name]))


def _questions(run: Run) -> Mapping[str, Question]:
    """Return the texts of the questions; without its dataset a run still has its figures."""
    try:
        return reading.run_questions(run)
    except WorkbenchError as error:
        st.warning(plain(error))
        return {}


def _table(
    rows: tuple[QuestionDifference, ...],
    questions: Mapping[str, Question],
    runs: tuple[Run, Run],
    metric: str,
    form: str,
) -> None:
    counts = Counter(row.outcome for row in rows)
    told = ", ".join(f"{n:,} {(_WORDS[outcome]).split()[-1]}" for outcome, n in counts.items())
    with st.container(horizontal=True, vertical_alignment="center"):
        wanted = handover.choose_view(_FILTERS, "outcome")
        shown = [_row(r, questions.get(r.question_id)) for r in rows if wanted == "All" or r.outcome == _OF[wanted]]
        fields = _fields(form)
        names = [*(field.key for field in fields), "baseline_run", "run", "metric"]
        full = [{**row, "baseline_run": runs[0].id, "run": runs[1].id, "metric": metric} for row in shown]
        st.download_button(
            "Download CSV",
            rows_to_csv(names, full),
            "questions.csv",
            "text/csv",
            icon=":material/download:",
            on_click="ignore",
        )
        st.caption(f"{told}. Tick a row to look into the question.")
    if not shown:
        st.info("No question is among these.")
        return
    ids = [row["question"] for row in shown]
    ticked = grids.show(fields, shown, "wins.grid", most_rows=12, select="single-row", ids=ids)
    for i in ticked:
        handover.go("question", question=shown[i]["question"], run=[run.id for run in runs])


def _fields(form: str) -> list[grids.Field]:
    return [
        grids.Field("outcome", "Outcome", width=95),
        grids.Field("baseline", "Baseline", form, 85),
        grids.Field("value", "Run", form, 85),
        grids.Field("difference", "Difference", form.replace("%", "%+"), 90),
        grids.Field("question", "Id", width=110),
        grids.Field("text", "Question", width=560),
        grids.Field("tags", "Tags", width=150),
        grids.Field("reason", "Why unscored", width=180),
    ]


def _row(row: QuestionDifference, question: Question | None) -> dict[str, Any]:
    return {
        "outcome": _WORDS[row.outcome],
        "baseline": row.baseline,
        "value": row.value,
        "difference": row.difference,
        "question": row.question_id,
        "text": shortened(question.text, 400) if question else None,
        "tags": ", ".join(question.tags) if question else None,
        "reason": row.reason,
    }
