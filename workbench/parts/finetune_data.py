"""The training data, to be read: each pair with its hard negatives, what was left out and why, what was struck out."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from pipelines import api
from pipelines.golden.dataset import Dataset
from pipelines.records import Documents, Question
from pipelines.records.pairs import LeftOut, Passage, TrainingPair, TrainingPairs
from pipelines.training.knobs import PairKnobs
from workbench import grids, handover, reading
from workbench.parts import finetune_strikes
from workbench.parts.finetune_draft import LEARNING
from workbench.text import Mark, counted, legend, own, plain, shortened, show_marked

VIEWS = ("Pairs", "Left out", "Struck out")
_PAGE, _AROUND = 5, 110
_PASSAGE_PX, _WHOLE_PX = 175, 460
_SOURCES = {
    "evidence": "marked evidence", "title": "a title", "crop": "a part of a text", "synthetic": "a written question",
}  # fmt: skip
_LEFT_OUT = (
    grids.Field("question_id", "Id", width=120),
    grids.Field("text", "Question", width=380),
    grids.Field("why", "Why it is not trained on", width=420),
)


def show(spec: api.FinetuneSpec | None, dataset: Dataset | None) -> None:
    """Draw the pairs of what would be trained; they are made when that is asked for."""
    if spec is None or dataset is None:
        st.info("The training data stand here once the dataset and all settings are in order.")
        return
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        view = handover.choose_view(VIEWS, "data", quiet=True)
        finetune_strikes.undo(dataset)
    if view == "Struck out":
        finetune_strikes.show(dataset)
        return
    found = _made(spec, dataset)
    if found is None:
        return
    if view == "Left out":
        _left_out(found.left_out, dataset)
    else:
        _pairs(found.pairs, dataset)


def _made(spec: api.FinetuneSpec, dataset: Dataset) -> TrainingPairs | None:
    """Return the pairs; at first, and when the base model would embed other texts, only when asked."""
    settings = spec.candidates[0].pipeline.settings()
    mark = f"{dataset.path} {json.dumps(_embedding(settings))}"
    asked: set[str] = st.session_state.setdefault("finetune.made", set())
    if mark not in asked:
        st.caption(
            "Chunks that look like answers are searched with the base model: it embeds what it did not embed before, "
            "which takes seconds for a small set, minutes for a large one."
        )
        st.button("Show the pairs", type="primary", icon=":material/visibility:", key="finetune.pairs",
                  on_click=asked.add, args=(mark,))  # fmt: skip
        return None
    if len(spec.candidates) > 1:
        st.caption(plain(f"The pairs of the first of {len(spec.candidates):,} pipelines, {spec.candidates[0].label}."))
    with st.spinner("Making the pairs …", show_time=True):
        return _cached(str(dataset.path), reading.stamp(dataset.path), json.dumps(settings), _struck(dataset))


def _embedding(settings: dict[str, Any]) -> dict[str, Any]:
    """Return what decides which texts are embedded, searched for or written, and by which model."""
    names = {*PairKnobs.model_fields, "use", "model", "header"} - {"strikes"}
    corpus = {name: settings[name] for name in ("load", "chunk", "extract")}
    return {**corpus, **{name: {k: v for k, v in settings[name].items() if k in names} for name in LEARNING}}


def _struck(dataset: Dataset) -> str:
    return repr(api.read_strikes(dataset))


@st.cache_resource(max_entries=4, show_spinner=False)
def _cached(place: str, state: reading.Stamp, settings: str, struck: str) -> TrainingPairs:
    return api.training_pairs(json.loads(settings), reading.dataset(Path(place)))


def _pairs(pairs: Sequence[TrainingPair], dataset: Dataset) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        needle = handover.search("Search questions and passages", "find", width=280).casefold()
        source = _source(pairs)
        whole = st.toggle("Whole passages", key=handover.key("whole"), width="content",
                          help="All of each text, not only what lies around the evidence")  # fmt: skip
    found = [pair for pair in pairs if source in (None, pair.source) and needle in _haystack(pair)]
    negatives = sum(len(pair.negatives) for pair in pairs)
    told = f"{counted(len(pairs), 'pair')}, {counted(negatives, 'hard negative')}"
    st.caption(f"{told}; {len(found):,} shown here." if len(found) < len(pairs) else f"{told}.")
    if not found:
        st.info("No pair meets this search." if pairs else "There is no pair to learn from; see what was left out.")
        return
    first = _page(len(found))
    legend("evidence")
    for i, pair in enumerate(found[first : first + _PAGE], start=first):
        _pair(pair, i, dataset, whole)


def _haystack(pair: TrainingPair) -> str:
    return " ".join((pair.question_id, pair.question, pair.positive.text, *(n.text for n in pair.negatives))).casefold()


def _source(pairs: Sequence[TrainingPair]) -> str | None:
    """Ask for the source of the pairs, where there are several; None for all."""
    counts: Counter[str] = Counter(pair.source for pair in pairs)
    if len(counts) < 2:
        return None
    names = {"all": f"all ({len(pairs):,})", **{one: f"{_SOURCES[one]} ({n:,})" for one, n in counts.items()}}
    chosen = handover.choose("Made of", list(names), "source", shown=lambda one: names[one], quiet=True, width=220)
    return None if chosen == "all" else chosen


def _page(n: int) -> int:
    """Ask for the page; return the position of its first pair."""
    pages = -(-n // _PAGE)
    own_key = handover.key("page")
    st.session_state[own_key] = min(max(1, int(st.session_state.get(own_key, 1))), pages)
    if pages == 1:
        return 0
    with st.container(horizontal=True, vertical_alignment="center"):
        page = int(st.session_state[own_key])
        for label, target in (("Previous", page - 1), ("Next", page + 1)):
            st.button(label, key=f"finetune.{label}", disabled=not 1 <= target <= pages, on_click=_to, args=(target,))
        st.number_input("Page", 1, pages, key=own_key, label_visibility="collapsed", width=120)
        st.caption(f"of {pages:,}", width="content")
    return (int(st.session_state[own_key]) - 1) * _PAGE


def _to(page: int) -> None:
    st.session_state[handover.key("page")] = page


def _pair(pair: TrainingPair, number: int, dataset: Dataset, whole: bool) -> None:
    key = f"finetune.pair.{number}"
    with st.container(border=True, gap="xsmall"):
        st.text(pair.question)
        grade = f" · grade {pair.grade:g}" if pair.grade != 1 else ""
        st.caption(plain(f"{own(pair.question_id) or 'no question of the set'} · from {_SOURCES[pair.source]}{grade}"))
        left, right = st.columns(2, gap="small")
        with left:
            finetune_strikes.titled(
                "Answers it", pair.question_id, pair.positive, "positive", dataset, f"{key}.positive"
            )
            _passage(pair.positive, _evidence(pair.positive, pair.question_id, dataset), whole)
        with right:
            if not pair.negatives:
                st.caption("No hard negative: the other pairs' texts are its negatives.")
            for i, negative in enumerate(pair.negatives, start=1):
                title = f"Hard negative {i}" if len(pair.negatives) > 1 else "Hard negative"
                finetune_strikes.titled(title, pair.question_id, negative, "negative", dataset, f"{key}.{i}")
                _passage(negative, [], whole)


def _passage(passage: Passage, marks: Sequence[Mark], whole: bool) -> None:
    margin = _AROUND if marks and not whole else None
    show_marked(passage.text, marks, height_px=_WHOLE_PX if whole else _PASSAGE_PX, margin=margin)
    near = f" · similarity {passage.score:.2f}" if passage.score is not None else ""
    place = f"{shortened(passage.document_id, 60)}, characters {passage.start:,}–{passage.end:,}"
    st.caption(plain(f"{place}{near}"))


def _evidence(passage: Passage, question_id: str, dataset: Dataset) -> list[Mark]:
    """Return where the question's evidence stands in a passage; nothing where its text is not the document's own."""
    documents, questions = _contents(dataset)
    question, place = questions.get(question_id), documents.position.get(passage.document_id)
    if question is None or place is None:
        return []
    inside = documents[place].text[passage.start : passage.end]
    if not passage.text.endswith(inside):
        return []
    shift = len(passage.text) - len(inside) - passage.start
    return [
        Mark(max(item.start, passage.start) + shift, min(item.end, passage.end) + shift, "evidence")
        for item in question.evidence
        if item.document_id == passage.document_id and item.start is not None and item.end is not None
        and item.start < passage.end and item.end > passage.start and item.grade > 0
    ]  # fmt: skip


def _contents(dataset: Dataset) -> tuple[Documents, Mapping[str, Question]]:
    return _by_id(str(dataset.path), reading.stamp(dataset.path))


@st.cache_resource(max_entries=2, show_spinner=False)
def _by_id(place: str, state: reading.Stamp) -> tuple[Documents, Mapping[str, Question]]:
    documents, questions = reading.contents(Path(place))
    return documents, {question.id: question for question in questions}


def _left_out(left_out: Sequence[LeftOut], dataset: Dataset) -> None:
    if not left_out:
        st.info("No train question was left out.")
        return
    questions = {question.id: question.text for question in dataset.questions}
    rows = [
        {"question_id": one.question_id, "text": shortened(questions.get(one.question_id, ""), 300), "why": one.why}
        for one in left_out
    ]
    st.caption(f"{counted(len(rows), 'train question')} not trained on.")
    grids.show(_LEFT_OUT, rows, "finetune.left_out", 16)
