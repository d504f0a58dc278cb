"""Random documents, evidence, chunkings, filters, rankings and rerankers, small enough to count by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

from pipelines.records import Candidates, Chunks, Document, Documents, Evidence, Gold, Question, Rankings

from .brute_force import Case


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """One configuration over one to three questions."""
    lengths = draw(st.lists(st.integers(0, 24), min_size=1, max_size=3))
    documents = Documents.of([Document(f"d{i}", "x" * n) for i, n in enumerate(lengths)])
    questions = [Question(f"q{i}", "?", evidence=tuple(draw(_evidence(lengths)))) for i in range(draw(_few()))]
    chunks = draw(_chunks(lengths))
    n, c = len(questions), len(chunks)
    masks = np.asarray(draw(st.lists(st.lists(st.booleans(), min_size=c, max_size=c), max_size=2)), dtype=np.bool_)
    mask = draw(st.lists(st.integers(-1, len(masks) - 1), min_size=n, max_size=n))
    candidates = Candidates(np.asarray(mask, dtype=np.int32), masks.reshape(len(masks), c))
    before = [draw(_some([i for i in range(c) if m < 0 or candidates.allowed[m, i]])) for m in mask]
    after = [draw(_some(row)) for row in before] if draw(st.booleans()) else before
    lists = _rankings(before), _rankings(after)
    cutoffs = sorted(draw(st.sets(st.integers(1, 6), min_size=1, max_size=3)))
    budgets = sorted(draw(st.sets(st.integers(1, 40), max_size=3)))
    same = (lists[0], lists[0]) if after is before else lists
    return Case(Gold.of(questions, documents), chunks, candidates, *same, cutoffs, budgets)


def _few() -> st.SearchStrategy[int]:
    return st.integers(1, 3)


@st.composite
def _evidence(draw: st.DrawFn, lengths: list[int]) -> list[Evidence]:
    """Spans that may overlap, alternatives, whole documents, judged irrelevant, and quotes that a parsing lost."""
    found = []
    for _ in range(draw(st.integers(0, 4))):
        which = draw(st.integers(0, len(lengths) - 1))
        name, length = f"d{which}", lengths[which]
        kind = draw(st.sampled_from(["span", "span", "span", "whole", "lost", "gone"]))
        one = Evidence(name)
        if kind == "span" and length:
            start = draw(st.integers(0, length - 1))
            one = Evidence(name, start, draw(st.integers(start + 1, length)))
        elif kind == "lost":
            one = Evidence(name, quote="?" * draw(st.integers(1, 5)))
        elif kind == "gone":
            one = Evidence("no such document", quote="?" * draw(st.integers(1, 5)))
        group, grade = draw(st.sampled_from([None, None, "a"])), draw(st.sampled_from([1.0, 1.0, 1.0, 0.0]))
        found.append(replace(one, group=group, grade=grade))
    return found


@st.composite
def _chunks(draw: st.DrawFn, lengths: list[int]) -> Chunks:
    """Chunks in order of document and start that may overlap and leave gaps; a context holds its chunk at least."""
    rows = []
    for document, length in enumerate(lengths):
        starts = sorted(draw(st.lists(st.integers(0, max(0, length - 1)), max_size=5))) if length else []
        for start in starts:
            end = draw(st.integers(start + 1, length))
            wide = draw(st.booleans())
            first = draw(st.integers(0, start)) if wide else start
            rows.append((document, start, end, first, draw(st.integers(end, length)) if wide else end))
    table = np.asarray(rows, dtype=np.int32).reshape(-1, 5).T
    tokens = np.asarray(draw(st.lists(st.integers(0, 20), min_size=len(rows), max_size=len(rows))), dtype=np.int32)
    return Chunks(*table, tokens)


@st.composite
def _some(draw: st.DrawFn, chunks: list[int]) -> list[int]:
    order = draw(st.permutations(chunks))
    return order[: draw(st.integers(0, len(order)))]


def _rankings(rows: list[list[int]]) -> Rankings:
    table = np.full((len(rows), max(map(len, rows))), -1, dtype=np.int32)
    for i, row in enumerate(rows):
        table[i, : len(row)] = row
    return Rankings(table, np.zeros(table.shape, dtype=np.float32))
