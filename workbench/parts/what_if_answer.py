"""What a change does: the headline metrics as they were and as they are now, and the questions that changed most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from pipelines.compare.questions import QuestionDifference
from pipelines.compare.table import ComparisonRow
from pipelines.pipeline import Pipeline
from pipelines.records import Metric, Question
from pipelines.runs.record import Run
from pipelines.whatif import Answer, WhatIf
from workbench import charts, grids, handover
from workbench.text import counted, plain, shortened

_AT_K = ("recall", "precision", "iou", "hit", "mrr", "ndcg", "doc_recall", "context_tokens")
_BUDGET = "recall@2000tok"
_MOST_QUESTIONS = 50
_OUTCOMES = {"Worse": "loss", "Better": "win"}
_FIELDS = (
    grids.Field("metric", "Metric", width=140),
    grids.Field("was", "As it was", width=80),
    grids.Field("now", "Now", width=75),
    grids.Field("difference", "Difference", width=85),
    grids.Field("interval", "95 % interval", width=140, help="Bootstrap interval of the difference"),
    grids.Field("outcomes", "Win/tie/loss", width=105, help="Questions on which it is better now, equal, worse"),
    grids.Field("n", "n", "%d", 50, help="Questions scored both ways"),
)


def headline(pipeline: Pipeline, k: int) -> tuple[Metric, ...]:
    """Return the metrics that are shown at the cut-off `k`."""
    wanted = [*(f"{family}@{k}" for family in _AT_K), _BUDGET]
    wanted += [] if pipeline.filter.identity else ["gold_survival"]
    declared = {metric.name: metric for metric in pipeline.score.metrics()}
    return tuple(declared[name] for name in wanted if name in declared)


def show(session: WhatIf, answer: Answer, metrics: Sequence[Metric]) -> None:
    """Draw the table and the chart."""
    declared = {metric.name: metric for metric in metrics}
    rows = answer.comparison.rows
    for note in answer.notes:
        st.warning(plain(note))
    grids.show(_FIELDS, [_row(row, declared[row.metric]) for row in rows], "what_if.grid", most_rows=len(rows))
    st.caption(plain(_told(session, answer)))
    shares = [row for row in rows if row.unit is None and row.mean is not None]
    if shares:
        st.plotly_chart(charts.what_if(shares, declared), theme=None, config=charts.CONFIG, key="what_if.chart")


def _row(row: ComparisonRow, metric: Metric) -> dict[str, Any]:
    low, high = (grids.written(end, metric, sign=True) for end in (row.low, row.high))
    return {
        "metric": row.metric,
        "was": grids.written(row.baseline_mean, metric),
        "now": grids.written(row.mean, metric),
        "difference": grids.written(row.difference, metric, sign=True),
        "interval": f"{low} to {high}" if row.low is not None else None,
        "outcomes": f"{row.wins:,} / {row.ties:,} / {row.losses:,}",
        "n": row.n,
    }


def _told(session: WhatIf, answer: Answer) -> str:
    found = answer.comparison
    took = f"{counted(found.n_questions, 'question')} in {1000 * answer.seconds:,.0f} ms; nothing is logged"
    drawn = f"intervals of {found.resamples:,} resamples, of 10,000 once it is kept and compared"
    chance = "The more settings are tried, the likelier one of them looks better by chance"
    split = "report the one you keep on test" if session.origin.split != "test" else "choose on dev, not on test"
    return f"{took}; {drawn}. {chance}: {split}."


def questions(run: Run, answer: Answer, metrics: Sequence[Metric], asked: Mapping[str, Question]) -> None:
    """Draw the questions that changed most on one metric; each leads to the question in depth."""
    declared = {metric.name: metric for metric in metrics}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        metric = declared[str(handover.choose("Questions that changed on", list(declared), "on", width=240))]
        changed = answer.changed(metric.name)
        counts = {view: sum(row.outcome == outcome for row in changed) for view, outcome in _OUTCOMES.items()}
        default = max(counts, key=lambda view: counts[view])
        view = handover.choose_view(tuple(_OUTCOMES), "outcome", default=default)
        st.caption(plain(f"{counts['Better']:,} better, {counts['Worse']:,} worse. Tick one to look into it."))
    rows = [row for row in changed if row.outcome == _OUTCOMES[view]]
    rows = (rows if view == "Worse" else rows[::-1])[:_MOST_QUESTIONS]
    if not rows:
        st.info(f"No question is {view.lower()} than it was on this metric.")
        return
    shown = [_question_row(row, asked) for row in rows]
    ids = [row.question_id for row in rows]
    fields = _question_fields(grids.number_format(metric))
    for i in grids.show(fields, shown, "what_if.questions", most_rows=10, select="single-row", ids=ids):
        handover.go("question", run=run.id, question=ids[i])


def _question_fields(form: str) -> list[grids.Field]:
    return [
        grids.Field("was", "As it was", form, 80),
        grids.Field("now", "Now", form, 70),
        grids.Field("difference", "Difference", form.replace("%", "%+"), 85),
        grids.Field("question", "Id", width=100),
        grids.Field("text", "Question", width=420),
        grids.Field("tags", "Tags", width=140),
    ]


def _question_row(row: QuestionDifference, asked: Mapping[str, Question]) -> dict[str, Any]:
    question = asked.get(row.question_id)
    return {
        "was": row.baseline,
        "now": row.value,
        "difference": row.difference,
        "question": row.question_id,
        "text": shortened(question.text, 400) if question else None,
        "tags": ", ".join(question.tags) if question else None,
    }
