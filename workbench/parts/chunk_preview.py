"""The preview: what loading, chunking and extraction make of one document, before anything is run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import streamlit as st

from pipelines import api
from pipelines.pipeline import Pipeline
from pipelines.records import Document
from workbench import faults, grids, handover, reading
from workbench.parts import stages
from workbench.parts.bar import Bar
from workbench.text import Mark, counted, legend, own, plain, shortened, show_marked, signs_of

STAGES = ("chunk", "extract", "load")
_MARGIN = 700


def show() -> None:
    """Draw the forms of what concerns documents, and beside them what these make of the chosen one."""
    left, right = st.columns([1, 2.1], gap="medium")
    with left:
        st.caption("These are the settings of the pipeline: what you change here is changed there.")
        pipeline = stages.narrow_forms(STAGES)
    with right, faults.told():
        places = {place.name: place.path for place in api.datasets()}
        if not places:
            st.info("A preview is made of a document, and there is no dataset yet.")
            handover.link("data", "Upload a dataset", icon=":material/upload:")
            return
        _of_dataset(places, pipeline)


def _of_dataset(places: dict[str, Path], pipeline: Pipeline | None) -> None:
    first, second = st.columns([1, 1.6])
    with first:
        name = str(handover.choose("Dataset", list(places), "dataset"))
    if pipeline is None:
        st.info("The preview stands here once the settings marked in red are mended.")
        return
    state, written = reading.stamp(places[name]), json.dumps({part: pipeline.settings()[part] for part in STAGES})
    ids = _ids(str(places[name]), state, json.dumps({"load": pipeline.settings()["load"]}))
    with second:
        document = handover.choose("Document", ids, "document") if ids else None
    if document is None:
        st.info("This dataset has no document.")
        return
    _previewed(_preview(str(places[name]), state, written, document), pipeline)


@st.cache_resource(max_entries=8, show_spinner=False)
def _ids(place: str, state: reading.Stamp, written: str) -> tuple[str, ...]:
    with Bar("Loading the documents …") as bar:
        return api.document_ids(_pipeline(written), reading.dataset(Path(place)), bar.of_stage)


@st.cache_resource(max_entries=32, show_spinner=False)
def _preview(place: str, state: reading.Stamp, written: str, document_id: str) -> api.Preview:
    with Bar("Cutting the document …") as bar:
        return api.preview(_pipeline(written), reading.dataset(Path(place)), document_id, bar.of_stage)


def _pipeline(written: str) -> Pipeline:
    return Pipeline.parse(json.loads(written), "the form")


def _previewed(found: api.Preview, pipeline: Pipeline) -> None:
    text, chunks = found.document.text, found.chunks
    if not chunks:
        st.info("This document has no text, and so no chunk.")
        return
    tokens = [chunk.tokens for chunk in chunks]
    widened = any((c.context_start, c.context_end) != (c.start, c.end) for c in chunks)
    told = f"{counted(len(chunks), 'chunk')} of {len(text):,} characters"
    handed = " · a wider context is handed on, of" if widened else " · each of"
    st.caption(plain(f"{told}{handed} {_spread(tokens)} tokens"))
    fields, rows = _grid(chunks, text)
    ids = [f"{c.start}-{c.end}" for c in chunks]
    ticked = grids.show(fields, rows, "preview.grid", 7, select="single-row-required", ids=ids)
    _in_place(found.document, chunks, ticked[0] if ticked else 0, widened)


def _spread(tokens: Sequence[int]) -> str:
    if min(tokens) == max(tokens):
        return f"{tokens[0]:,}"
    return f"{min(tokens):,} to {max(tokens):,} (median {median(tokens):,.0f})"


def _grid(chunks: Sequence[api.PreviewedChunk], text: str) -> tuple[list[grids.Field], list[dict[str, Any]]]:
    kinds = list(dict.fromkeys(kind for c in chunks for kind in c.marks))
    names = list(dict.fromkeys(name for c in chunks for name in c.metadata if name not in kinds))
    rows = [_row(i, chunk, text) for i, chunk in enumerate(chunks, 1)]
    fields = [
        grids.Field("number", "No", "%d", 45, pinned=True),
        grids.Field("tokens", "Tokens", "%d", 65, help="Length of what is handed on, in tokens of cl100k_base"),
        *(grids.Field(f"mark {kind}", kind.capitalize(), width=70 if kind == "page" else 150) for kind in kinds),
        grids.Field("text", "Begins with", width=330),
        grids.Field("place", "Characters", width=110),
        *([grids.Field("context", "Handed on", width=110)] if any(row["context"] for row in rows) else []),
        *(grids.Field(f"metadata {name}", shortened(name, 40), width=120) for name in names),
    ]
    return fields, rows


def _row(number: int, chunk: api.PreviewedChunk, text: str) -> dict[str, Any]:
    widened = (chunk.context_start, chunk.context_end) != (chunk.start, chunk.end)
    return {
        "number": number,
        "tokens": chunk.tokens,
        "text": shortened(text[chunk.start : chunk.end], 120),
        "place": f"{chunk.start:,}–{chunk.end:,}",
        "context": f"{chunk.context_start:,}–{chunk.context_end:,}" if widened else None,
        **{f"mark {kind}": str(value) for kind, value in chunk.marks.items()},
        **{f"metadata {name}": str(value) for name, value in chunk.metadata.items()},
    }


def _in_place(document: Document, chunks: Sequence[api.PreviewedChunk], at: int, widened: bool) -> None:
    chunk = chunks[at]
    near = [
        Mark(c.start, c.end, "other" if (i - at) % 2 else "one")
        for i, c in enumerate(chunks)
        if c.end > chunk.context_start - _MARGIN and c.start < chunk.context_end + _MARGIN and i != at
    ]
    context = [Mark(chunk.context_start, chunk.context_end, "context")] if widened else []
    st.caption(plain(f"Chunk {at + 1} in {own(document.id)}, with its neighbours"))
    legend("chunk", *(("context",) if widened else ()), "other", "one")
    first, last = max(0, chunk.context_start - _MARGIN), chunk.context_end + _MARGIN
    marks = [Mark(max(first, m.start), min(last, m.end), m.kind) for m in near]
    show_marked(
        document.text, [*marks, *context, Mark(chunk.start, chunk.end, "chunk")], 420, 0, signs_of(document.marks)
    )
