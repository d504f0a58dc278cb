"""Where a run lost evidence: the waterfall, which knob to turn, and the questions behind each bar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from pipelines import api
from pipelines.runs.record import Run
from workbench import charts, grids, handover, loss_charts, reading
from workbench.text import counted, own, plain, shortened

USUAL_CUT = "recall@5"
_ALL = "any stage"
_PICKED = "losses.picked"
_FIELDS = (
    grids.Field("question", "Id", width=110),
    grids.Field("text", "Question", width=330),
    grids.Field("share", "Lost here", "%.3f", 80, help="Share of the question's evidence that was lost at this stage"),
    grids.Field("what", "What happened", width=330),
    grids.Field("document", "Document", width=150),
    grids.Field("quote", "Evidence", width=380),
)


def show(run: Run) -> None:
    """Draw the losses of a run at the cut that is asked for."""
    if run.losses is None:
        st.info(
            "This run was made before losses were measured. Evaluate its pipeline again: what it computed is looked up."
        )
        handover.link("build", "Build from it", icon=":material/tune:", run=run.id)
        return
    if not run.losses:
        st.info("This run was measured at no cut-off of recall, so there is nothing to attribute.")
        return
    left, right = st.columns([1.35, 1], gap="medium")
    with right:
        cut = str(handover.choose("Losses at", list(run.losses), "cut", default=USUAL_CUT, quiet=True))
    found = reading.losses(run, cut)
    if found.recall is None:
        st.info("No question of this run has evidence, so none can be lost.")
        return
    bars = found.waterfall()
    with left:
        st.text(_sentence(found, bars))
        _chart(found, bars)
    with right:
        stage = _stage(bars)
    if found.note:
        st.warning(plain(found.note))
    if stage is not None:
        _questions(run, found, None if stage == _ALL else stage)


def _sentence(found: api.Losses, bars: Sequence[api.Bar]) -> str:
    whole = f"Of the evidence of {counted(found.n, 'question')}, {found.recall:.3f} is handed on at {found.cut}"
    worst = max(bars, key=lambda bar: bar.mean or 0.0)
    if not worst.mean:
        return f"{whole}: nothing is lost."
    return f"{whole}, and {1 - (found.recall or 0.0):.3f} is lost. Most of it is {worst.label}: {worst.mean:.3f}."


def steps(bars: Sequence[api.Bar]) -> list[loss_charts.Step]:
    """Return the bars as the charts take them."""
    return [loss_charts.Step(b.stage, b.label, b.mean or 0.0, b.low, b.high, b.questions) for b in bars]


def _chart(found: api.Losses, bars: Sequence[api.Bar]) -> None:
    figure = loss_charts.waterfall(steps(bars), found.recall or 0.0, found.cut)
    event = st.plotly_chart(
        figure, theme=None, config=charts.CONFIG, key=f"losses.{found.cut}", on_select="rerun",
        selection_mode="points", alt=_sentence(found, bars),
    )  # fmt: skip
    points = event["selection"]["points"] if event else []
    picked = str(next((point.get("customdata") for point in points), "") or "").strip("[]'\" ")
    if picked != st.session_state.get(_PICKED, ""):
        st.session_state[_PICKED] = picked
        if picked in _lossy(bars):
            st.session_state[handover.key("stage")] = picked


def _lossy(bars: Sequence[api.Bar]) -> dict[str, api.Bar]:
    return {bar.stage: bar for bar in bars if bar.questions}


def _stage(bars: Sequence[api.Bar]) -> str | None:
    """Ask whose losses to look into, the greatest at first, and say which knob to turn there."""
    lossy = _lossy(bars)
    if not lossy:
        st.success("No evidence is lost at this cut.")
        return None
    worst = max(lossy.values(), key=lambda bar: bar.mean or 0.0)
    stage = str(
        handover.choose(
            "Questions whose evidence was", [*lossy, _ALL], "stage", default=worst.stage, quiet=True,
            shown=lambda one: _option(one, lossy),
        )
    )  # fmt: skip
    bar = lossy.get(stage, worst)
    with st.container(border=True, gap="xxsmall"):
        interval = "" if bar.low is None or bar.high is None else f" ({bar.low:.3f} to {bar.high:.3f})"
        greatest = " The greatest loss." if bar == worst else ""
        st.markdown(f"**{plain(f'{bar.label}: {bar.mean:.3f}{interval}')}**")
        st.caption(plain(f"{counted(bar.questions, 'question')} of {bar.n:,}.{greatest}"))
        st.markdown(plain(str(bar.advice)))
    return stage


def _questions(run: Run, found: api.Losses, stage: str | None) -> None:
    st.caption("Tick a row to look into the question. A click on a bar of the chart lists its questions.")
    rows = [_row(question) for question in found.questions(stage)]
    ids = [row["question"] for row in rows]
    for i in grids.show(_FIELDS, rows, f"losses.{stage}", 10, select="single-row", ids=ids):
        handover.go("question", question=ids[i], run=run.id, cut=found.cut)


def _option(stage: str, lossy: Mapping[str, api.Bar]) -> str:
    if stage == _ALL:
        return _ALL
    return f"{lossy[stage].label} ({counted(lossy[stage].questions, 'question')})"


def _row(question: api.LostQuestion) -> dict[str, Any]:
    first = question.evidence[0]
    more = f" (and {len(question.evidence) - 1:,} more)" if len(question.evidence) > 1 else ""
    return {
        "question": question.question_id,
        "text": shortened(question.text, 300) if question.text else None,
        "share": question.share,
        "what": first.sentence() + more,
        "document": first.document_id,
        "quote": shortened(own(first.quote), 300) if first.quote else None,
    }
