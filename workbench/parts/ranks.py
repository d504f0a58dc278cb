"""What each run found for a question, rank by rank, and where it stands in the document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from pipelines import api
from pipelines.records import Evidence, Question
from pipelines.runs.record import Run
from workbench import grids, handover, reading
from workbench.parts.choice import PREFERRED
from workbench.text import Mark, legend, own, plain, shortened, show_marked

_SHOWN = 20
_EVIDENCE_CHARS = 600
_FIELDS = (
    grids.Field("rank", "Rank", "%d", 50),
    grids.Field("score", "Score", "%.3f", 70),
    grids.Field(
        "evidence", "Evidence", width=140, help="How many characters of the question's evidence the chunk holds"
    ),
    grids.Field("document", "Document", width=145),
    grids.Field("text", "Chunk", width=480),
    grids.Field("place", "Characters", width=135),
)


def show(first: Run, run_ids: list[str], question_id: str) -> None:
    """Draw the question, then what each run found."""
    depth = reading.in_depth(tuple(run_ids), question_id, reading.run_stamp(first))
    runs = {run_id: api.run(run_id) for run_id in run_ids}
    _question(depth.question)
    _evidence(depth, runs)
    total = _evidence_chars(depth)
    columns = st.columns(len(runs), gap="medium") if len(runs) <= 2 else [st.container() for _ in runs]
    for place, run in zip(columns, runs.values(), strict=True):
        with place:
            _run(run, depth, total)


def _question(question: Question) -> None:
    with st.container(border=True, gap="xsmall"):
        st.text(question.text)
        if question.answer:
            st.caption(plain(f"Answer: {own(question.answer)}"))
        told = [f"Tags: {', '.join(own(tag) for tag in question.tags)}"] if question.tags else []
        told += (
            [f"Filter: {', '.join(f'{own(k)} = {own(v)}' for k, v in question.filter.items())}"]
            if question.filter
            else []
        )
        if not question.evidence:
            told.append("No evidence: it counts as unanswerable, and what depends on evidence is not scored.")
        st.caption(plain(" · ".join(told)))


def _evidence(depth: api.QuestionInDepth, runs: Mapping[str, Run]) -> None:
    """Draw each piece of evidence with its text, and what became of it in each run."""
    if not depth.question.evidence:
        return
    cut = _cut(runs)
    lost = {run_id: _lost_pieces(run, cut, depth.question.id) for run_id, run in runs.items()}
    numbers = iter(range(1, len(depth.question.evidence) + 1))
    for item in depth.question.evidence:
        number = next(numbers) if item.grade > 0 else None
        with st.container(border=True, gap="xsmall"):
            st.caption(plain(_place(item)))
            st.text(shortened(_text_of(item, depth), _EVIDENCE_CHARS))
            for run_id, run in runs.items():
                _fate(run, item, depth, lost[run_id].get(number) if number else None, cut)


def _cut(runs: Mapping[str, Run]) -> str | None:
    """Ask at which cut it is told which stage lost the evidence; None where no run was measured so."""
    cuts = [
        cut for cut in next(iter(runs.values())).losses or () if all(cut in (r.losses or ()) for r in runs.values())
    ]
    if not cuts:
        return None
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.subheader("What became of the evidence")
        return handover.choose(
            "At", cuts, "cut", default="recall@5", quiet=True, width=150, label_visibility="collapsed"
        )


def _lost_pieces(run: Run, cut: str | None, question_id: str) -> dict[int, list[api.LostEvidence]]:
    """Return what a run lost of a question, by the number of the piece of evidence."""
    found: dict[int, list[api.LostEvidence]] = {}
    question = reading.lost_by_question(run, cut).get(question_id) if cut else None
    for piece in question.evidence if question else ():
        found.setdefault(piece.number, []).append(piece)
    return found


def _place(item: Evidence) -> str:
    page = f", page {item.page}" if item.page is not None else ""
    grade = ", judged not relevant" if item.grade <= 0 else ""
    return f"Evidence in {own(item.document_id)}{page}, characters {_span(item.start, item.end)}{grade}"


def _lost(item: Evidence) -> bool:
    """Whether the quote of a piece of evidence is not in the text that was read."""
    return item.start is None and item.quote is not None


def _text_of(item: Evidence, depth: api.QuestionInDepth) -> str:
    if _lost(item):
        return item.quote or ""
    return depth.texts.get(item.document_id, "")[item.start : item.end]


def _fate(
    run: Run, item: Evidence, depth: api.QuestionInDepth, lost: list[api.LostEvidence] | None, cut: str | None
) -> None:
    """Say at which rank a run found the evidence, and at which stage it was lost."""
    at = _at(depth.rankings[run.id], item)
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        if cut is not None and run.losses is not None and item.grade > 0:
            for piece in lost or ():
                part = "" if piece.chars >= _length(item, depth) else f" ({piece.chars:,} of its characters)"
                st.badge(plain(f"{piece.sentence()}{part}"), icon=":material/close:", color="red")
            if not lost:
                st.badge("handed on", icon=":material/check:", color="green")
        st.caption(plain(f"{own(run.name)}: {at}"), width="content")


def _length(item: Evidence, depth: api.QuestionInDepth) -> int:
    return len(_text_of(item, depth)) or 1


def _at(ranked: Sequence[api.RankedChunk], item: Evidence) -> str:
    if _lost(item):
        return "its quote is not in the text that was read"
    rank = api.first_rank(ranked, item)
    return f"not among its {len(ranked)} chunks" if rank is None else f"first at rank {rank}"


def _span(start: int | None, end: int | None) -> str:
    return "(whole document)" if start is None or end is None else f"{start:,}–{end:,}"


def _evidence_chars(depth: api.QuestionInDepth) -> int:
    covered: set[tuple[str, int]] = set()
    for item in depth.question.evidence:
        if item.grade > 0 and not _lost(item):
            end = len(depth.texts.get(item.document_id, "")) if item.end is None else item.end
            covered.update((item.document_id, i) for i in range(item.start or 0, end))
    return len(covered)


def _run(run: Run, depth: api.QuestionInDepth, total: int) -> None:
    st.subheader("Found by")
    st.text(run.name)
    values = depth.scores[run.id]
    shown = [name for name in PREFERRED if name in values]
    declared = {one.metric.name: one.metric for one in run.metrics}
    st.caption(plain(" · ".join(f"{name} {grids.written(values[name], declared.get(name))}" for name in shown)))
    chunks = depth.rankings[run.id]
    if not chunks:
        st.info("This run found nothing for the question.")
        return
    rows = [_row(chunk, depth, total) for chunk in chunks[:_SHOWN]]
    ticked = grids.show(_FIELDS, rows, f"ranks.{run.id}", most_rows=10, select="single-row-required")
    _in_place(chunks[ticked[0] if ticked else 0], depth)


def _row(chunk: api.RankedChunk, depth: api.QuestionInDepth, total: int) -> dict[str, Any]:
    text = depth.texts.get(chunk.document_id, "")[chunk.start : chunk.end]
    return {
        "rank": chunk.rank,
        "score": chunk.score,
        "evidence": f"✔ {chunk.found:,} of {total:,} chars" if chunk.found else None,
        "document": chunk.document_id,
        "text": shortened(text, 300),
        "place": f"{chunk.start:,}–{chunk.end:,}",
    }


def _in_place(chunk: api.RankedChunk, depth: api.QuestionInDepth) -> None:
    text = depth.texts.get(chunk.document_id, "")
    evidence = [
        Mark(item.start or 0, len(text) if item.end is None else item.end, "evidence")
        for item in depth.question.evidence
        if item.document_id == chunk.document_id and item.grade > 0 and not _lost(item)
    ]
    st.caption(plain(f"Rank {chunk.rank} in {own(chunk.document_id)}"))
    legend("evidence", "chunk", "both")
    show_marked(text, [*evidence, Mark(chunk.start, chunk.end, "chunk")], height_px=420, margin=200)
