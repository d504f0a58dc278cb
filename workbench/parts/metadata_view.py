"""What a run's extract stage found, and what its filter read out of the questions: how much, and how much is right."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pipelines import api
from pipelines.filter_report import Condition, Mean
from pipelines.pipeline import Pipeline
from pipelines.runs.record import ALL_QUESTIONS, Run
from workbench import faults, grids, handover, reading
from workbench.parts.loss_view import USUAL_CUT
from workbench.text import counted, own, plain, shortened

_EXTRACTED = (
    grids.Field("field", "Field", width=140, pinned=True),
    grids.Field("coverage", "Coverage", "%.3f", 80, help="Share of the chunks with an extracted value"),
    grids.Field("accuracy", "Accuracy", "%.3f", 80, help="Share of equal values, where the dataset has the field too"),
    grids.Field("both", "Compared", "%d", 80, help="Chunks that have both an extracted and a known value"),
    grids.Field("n_values", "Values", "%d", 65),
    grids.Field("commonest", "Commonest, with their chunks", width=330),
    grids.Field("reason", "Why not compared", width=260),
    grids.Field("other", "Where they differ", width=420),
)
_READ = (
    grids.Field("field", "Field", width=150, pinned=True),
    grids.Field("precision", "Precision", "%.3f", 85, help="Share of the values read that are labelled so"),
    grids.Field("recall", "Recall", "%.3f", 75, help="Share of the labels that were read"),
    grids.Field("read", "Read", "%d", 60),
    grids.Field("right", "Right", "%d", 60),
    grids.Field("labelled", "Labelled", "%d", 75),
)
_LOST = (
    grids.Field("question", "Id", width=110),
    grids.Field("text", "Question", width=380),
    grids.Field("survival", "Evidence left", "%.3f", 95),
    grids.Field("conditions", "Read from the question", width=380),
    grids.Field("labels", "Labels", width=260),
)


def show(run: Run) -> None:
    """Draw both reports; the extraction is measured when it is asked for, for it is carried out anew."""
    pipeline = Pipeline.parse(run.settings, f"the pipeline of run '{shortened(run.name, 60)}'")
    with faults.told():
        _filter(run, pipeline)
    with faults.told():
        _extraction(run, pipeline)


def _filter(run: Run, pipeline: Pipeline) -> None:
    st.subheader("Filter")
    if pipeline.filter.identity:
        st.caption("This pipeline has no filter: every chunk may be found.")
        return
    found = _filter_report(run.id, USUAL_CUT, reading.run_stamp(run), run)
    gain = found.gain
    with st.container(horizontal=True, gap="large"):
        for label, mean in _figures(found).items():
            st.metric(label, grids.written(mean.mean), help=mean.reason or f"n {mean.n:,}", width="content")
    low, high = grids.written(gain.low, sign=True), grids.written(gain.high, sign=True)
    st.text(
        f"{gain.metric} with the filter {grids.written(gain.with_filter)}, without {grids.written(gain.without)}: "
        f"difference {grids.written(gain.difference, sign=True)} ({low} to {high}), {gain.wins:,} better and "
        f"{gain.losses:,} worse of {gain.n:,} questions."
    )
    if found.fields:
        left, right = st.columns([1.15, 1.6], gap="medium")
        with left:
            st.caption("What was read of each field, against the questions' labels")
            grids.show(_READ, [_read(one) for one in found.fields], "filter.fields", 10)
    else:
        right = st.container()
    with right:
        _lost(run, found)
    if found.notes:
        with st.expander(counted(len(found.notes), "note")):
            st.markdown("\n".join(f"- {plain(note)}" for note in found.notes))


def _figures(found: api.FilterReport) -> dict[str, Mean]:
    return {
        "Evidence left": found.gold_survival,
        "Chunks removed": found.candidates_removed,
        "Precision of values": found.precision,
        "Recall of values": found.recall,
    }


def _read(one: api.FieldAgreement) -> dict[str, Any]:
    return {**vars(one), "precision": one.precision, "recall": one.recall}


def _lost(run: Run, found: api.FilterReport) -> None:
    if not found.lost:
        missing = found.gold_survival.mean is not None and found.gold_survival.mean < 1
        before = " What is missing was lost before it: see Lost evidence." if missing else ""
        st.success(f"The filter removes no evidence of any question.{before}")
        return
    lose = "loses" if len(found.lost) == 1 else "lose"
    st.caption(f"{counted(len(found.lost), 'question')} {lose} evidence to the filter. Tick one to look into it.")
    rows = [
        {
            "question": one.question_id,
            "text": shortened(one.text, 300),
            "survival": one.gold_survival,
            "conditions": "; ".join(
                f"{dict(c.where)} (from '{own(c.said)}', {c.confidence:.2f})" for c in one.conditions
            ),
            "labels": ", ".join(f"{own(name)} = {own(value)}" for name, value in one.labels.items()),
        }
        for one in found.lost
    ]
    ids = [row["question"] for row in rows]
    for i in grids.show(_LOST, rows, "filter.lost", 10, select="single-row", ids=ids):
        handover.go("question", question=ids[i], run=run.id)


def _condition(one: Condition) -> str:
    return f"{dict(one.where)} (from '{own(one.said)}', {one.confidence:.2f})"


def _extraction(run: Run, pipeline: Pipeline) -> None:
    st.subheader("Extraction")
    if pipeline.extract.identity:
        st.caption("This pipeline extracts nothing: chunks have the documents' own metadata.")
        return
    asked = handover.key("extraction")
    if not st.session_state.get(asked):
        st.button("Measure the extraction", key="extraction.go", on_click=_ask, args=(asked,))
        st.caption("It is carried out anew on all chunks, so that its time can be told.")
        return
    found = _extraction_report(run.id, reading.run_stamp(run), run)
    speed = f", {found.chunks_per_s:,.0f} chunks a second" if found.chunks_per_s else ""
    st.caption(plain(f"{found.component}: {found.n_chunks:,} chunks in {found.seconds:.1f} s{speed}"))
    if not found.fields:
        st.info("The extraction yields no field.")
        return
    grids.show(_EXTRACTED, [_field(one) for one in found.fields], "extraction.fields", 16)


def _ask(name: str) -> None:
    st.session_state[name] = True


def _field(one: api.FieldReport) -> dict[str, Any]:
    other = "; ".join(f"{own(d.document_id)}: {own(d.extracted)} for {own(d.known)}" for d in one.disagreements)
    common = ", ".join(f"{own(value)} ({n:,})" for value, n in one.commonest)
    return {
        "field": one.field,
        "coverage": one.coverage,
        "accuracy": one.accuracy,
        "both": one.both,
        "n_values": one.n_values,
        "commonest": shortened(common, 300),
        "reason": one.reason,
        "other": shortened(other, 400) if other else None,
    }


@st.cache_resource(max_entries=8, show_spinner="Evaluating with the filter and without …")
def _filter_report(run_id: str, metric: str, state: reading.Stamp, _run: Run) -> api.FilterReport:
    split = None if _run.split == ALL_QUESTIONS else _run.split
    pipeline = Pipeline.parse(_run.settings, "the run")
    return api.filter_report(pipeline, api.dataset_of(_run), split=split, metric=metric, seed=_run.seed)


@st.cache_resource(max_entries=8, show_spinner="Extracting …")
def _extraction_report(run_id: str, state: reading.Stamp, _run: Run) -> api.ExtractionReport:
    return api.extraction_report(Pipeline.parse(_run.settings, "the run"), api.dataset_of(_run))
