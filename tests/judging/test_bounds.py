"""Bounds: by brute force over all ways of judging what nobody judged."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain, combinations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.judging.bounds import Retrieval, bounded
from pipelines.judging.judged import all_judged, judged
from pipelines.records import Candidates, Chunks, Document, Documents, Evidence, Gold, Question, Rankings
from pipelines.stages.score import Evaluation
from pipelines.stages.score.relevant import Relevant
from pipelines.stages.score.retrieved import Retrieved
from pipelines.stages.score.standard import StandardScorer

CUTS = (1, 2, 3, 5)
SCORER = StandardScorer(cutoffs=CUTS, budgets_tokens=(30,))
DOCUMENTS = Documents.of([Document(name, name * 40) for name in "abc"])
# Four chunks of ten characters a document, ten tokens each.
CHUNKS = replace(
    Chunks.of(np.repeat([0, 1, 2], 4), np.tile([0, 10, 20, 30], 3), np.tile([10, 20, 30, 40], 3)),
    tokens=np.full(12, 10, dtype=np.int32),
)


def scored(question: Question, chunks: list[int]) -> dict[str, float]:
    """Return every metric of one question."""
    rankings = Rankings(np.array([chunks], dtype=np.int32), np.ones((1, len(chunks)), dtype=np.float32))
    gold = Gold.of([question], DOCUMENTS)
    found = SCORER.score(Evaluation(gold, CHUNKS, 3, rankings, Candidates.everything(1, 12)))
    return dict(zip((metric.name for metric in found.metrics), found.values[0].tolist(), strict=True))


def retrieval_of(question: Question, chunks: list[int]) -> Retrieval:
    rankings = Rankings(np.array([chunks], dtype=np.int32), np.ones((1, len(chunks)), dtype=np.float32))
    retrieved, gold = Retrieved.of(rankings, CHUNKS), Gold.of([question], DOCUMENTS)
    everything = all_judged([question], DOCUMENTS)
    known = judged(gold, everything, retrieved)
    return Retrieval(Relevant.of(gold), retrieved, known, everything, CUTS, (30,), 0.5)


def evidence_of(chunk: int, grade: float) -> Evidence:
    name, start = "abc"[chunk // 4], chunk % 4 * 10
    return Evidence(name, start, start + 10, grade=grade)


chunk_lists = st.lists(st.integers(0, 11), min_size=1, max_size=6, unique=True)
spans = st.lists(
    st.tuples(st.integers(0, 11), st.sampled_from([1.0, 1.0, 2.0])), min_size=1, max_size=3, unique_by=lambda p: p[0]
)


@settings(max_examples=80, deadline=None)
@given(chunk_lists, spans, st.sets(st.integers(0, 11), max_size=3))
def test_no_way_of_judging_leaves_the_bounds_and_some_reach_them(
    chunks: list[int], gold: list[tuple[int, float]], irrelevant: set[int]
):
    known = {chunk for chunk, _ in gold}
    evidence = (*(evidence_of(*one) for one in gold), *(evidence_of(c, 0.0) for c in irrelevant - known))
    question = Question("q", "Why?", evidence=evidence)
    measured = scored(question, chunks)
    found = bounded(retrieval_of(question, chunks), {name: np.array([v]) for name, v in measured.items()})
    best = max(grade for _, grade in gold)
    unjudged = [chunk for chunk in chunks if chunk not in known | irrelevant]
    for k in (2, 5):
        within = [chunk for chunk in unjudged if chunk in chunks[:k]]
        ways = [
            scored(replace(question, evidence=(*evidence, *(evidence_of(c, best) for c in some))), chunks)
            for some in chain.from_iterable(combinations(within, n) for n in range(len(within) + 1))
        ]
        for family in ("precision", "mrr", "ndcg"):
            values = [way[f"{family}@{k}"] for way in ways]
            low, high = (float(side[0]) for side in found[f"{family}@{k}"])
            assert abs(min(values) - low) < 1e-9, family
            assert abs(max(values) - high) < 1e-9, family
        low, high = (float(side[0]) for side in found[f"hit@{k}"])
        assert low == measured[f"hit@{k}"]
        assert high == (1.0 if within else low)


def test_documents_without_judged_text_bound_the_metrics_on_documents():
    question = Question("q", "Why?", evidence=(evidence_of(8, 1.0), evidence_of(4, 0.0)))
    chunks = [5, 0, 8]  # of b, which is judged irrelevant; of a, which nobody judged; of c, which is relevant
    measured = scored(question, chunks)
    found = bounded(retrieval_of(question, chunks), {name: np.array([v]) for name, v in measured.items()})
    assert [side.tolist() for side in found["doc_mrr@5"]] == [[1 / 3], [1 / 2]]
    assert [side.tolist() for side in found["doc_hit@2"]] == [[0.0], [1.0]]
    assert [side.tolist() for side in found["doc_hit@1"]] == [[0.0], [0.0]]


def test_a_chunk_is_judged_by_any_relevant_character_or_by_half():
    question = Question("q", "Why?", evidence=(Evidence("a", 9, 10), Evidence("a", 14, 30, grade=0)))
    found = retrieval_of(question, [0, 1, 2, 3]).judged
    # 1 relevant character; 6 of 10 irrelevant; 10 of 10; none of 10
    assert found.tolist() == [[True, True, True, False]]
    less = Question("q", "Why?", evidence=(Evidence("a", 9, 10), Evidence("a", 16, 30, grade=0)))
    assert retrieval_of(less, [1]).judged.tolist() == [[False]]  # 4 of 10


def test_a_whole_document_judges_all_its_chunks():
    assert retrieval_of(Question("q", "Why?", evidence=(Evidence("a", grade=0),)), [0, 3, 4]).judged.tolist() == [
        [True, True, False]
    ]


def test_metrics_that_divide_by_all_evidence_have_no_bounds():
    question = Question("q", "Why?", evidence=(evidence_of(8, 1.0),))
    measured = scored(question, [0, 8])
    found = bounded(retrieval_of(question, [0, 8]), {name: np.array([v]) for name, v in measured.items()})
    assert {name.partition("@")[0] for name in found} == {
        "precision", "hit", "mrr", "ndcg", "doc_hit", "doc_mrr", "doc_ndcg",
    }  # fmt: skip
