"""Document metrics equal `ir_measures` (trec_eval) on the folded run."""

from __future__ import annotations

import ir_measures
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.records import Candidates, Chunks, Gold, Rankings
from pipelines.stages.score import Evaluation
from pipelines.stages.score.standard import StandardScorer

CUTOFFS = (1, 2, 3, 5, 10, 1000)
SAME = {
    "doc_recall": ir_measures.R,
    "doc_ndcg": ir_measures.nDCG,
    "doc_map": ir_measures.AP,
    "doc_mrr": ir_measures.RR,
    "doc_hit": ir_measures.Success,
}


def random_evaluation(seed: int) -> Evaluation:
    """Twelve documents of four chunks, up to six graded pieces of evidence a question, rankings with padding."""
    rng = np.random.default_rng(seed)
    n_questions, n_evidence, depth = 6, int(rng.integers(1, 30)), int(rng.integers(1, 30))
    document, place = np.divmod(np.arange(48), 4)
    question = np.sort(rng.integers(0, n_questions, n_evidence)).astype(np.int32)
    start = rng.integers(0, 35, n_evidence, dtype=np.int32)
    gold = Gold(
        n_questions,
        question,
        rng.integers(0, 12, n_evidence, dtype=np.int32),
        start,
        start + np.int32(5),
        rng.integers(1, 4, n_evidence).astype(np.float64),
        np.arange(n_evidence, dtype=np.int32),
    )
    chunk = np.stack([rng.permutation(48)[:depth] for _ in range(n_questions)]).astype(np.int32)
    chunk[np.arange(depth) >= rng.integers(0, depth + 1, n_questions)[:, None]] = -1
    rankings = Rankings(chunk, np.zeros(chunk.shape, dtype=np.float32))
    chunks = Chunks.of(document, place * 10, place * 10 + 10)
    return Evaluation(gold, chunks, 12, rankings, Candidates.everything(n_questions, 48))


def trec(e: Evaluation) -> tuple[dict[str, dict[str, int]], dict[str, dict[str, float]]]:
    """Qrels with a document's greatest grade, and the run folded by best rank, as falling scores."""
    qrels: dict[str, dict[str, int]] = {}
    for q, d, grade in zip(e.gold.question.tolist(), e.gold.document.tolist(), e.gold.grade.tolist(), strict=True):
        grades = qrels.setdefault(str(q), {})
        grades[str(d)] = max(grades.get(str(d), 0), int(grade))
    run: dict[str, dict[str, float]] = {}
    for q, row in enumerate(e.rankings.chunk.tolist()):
        folded = dict.fromkeys(e.chunks.document[c] for c in row if c >= 0)
        run[str(q)] = {str(d): 100.0 - i for i, d in enumerate(folded)}
    return qrels, run


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_equal_to_ir_measures(seed: int) -> None:
    evaluation = random_evaluation(seed)
    scores = StandardScorer(cutoffs=CUTOFFS).score(evaluation)
    qrels, run = trec(evaluation)
    measures = {kind @ k: f"{name}@{k}" for name, kind in SAME.items() for k in CUTOFFS}
    n = 0
    for found in ir_measures.iter_calc(list(measures), qrels, run):
        value = scores.column(measures[found.measure])[int(found.query_id)]
        assert value == pytest.approx(found.value, abs=1e-6), (found.measure, found.query_id)
        n += 1
    assert n == len(qrels) * len(measures)
    unanswerable = [q for q in range(6) if str(q) not in qrels]
    assert np.isnan(scores.column("doc_ndcg@5")[unanswerable]).all()
