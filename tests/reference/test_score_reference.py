"""Span, chunking, filter and cost metrics equal a plain implementation on sets of characters."""

from __future__ import annotations

import csv
import json
from fractions import Fraction
from math import log2
from pathlib import Path

import numpy as np
import pytest

from pipelines.records import Candidates, Chunks, Document, Documents, Evidence, Gold, Question, Rankings
from pipelines.stages.score import Evaluation
from pipelines.stages.score.standard import StandardScorer

REAL = Path(__file__).parents[2].parent / "shared" / "data" / "chunking_evaluation"


def characters(document: int, start: int, end: int) -> set[int]:
    """Every character of a span, numbered through all documents."""
    return set(range(int(document) * 10**9 + int(start), int(document) * 10**9 + int(end)))


def chunking_reference(e: Evaluation, q: int) -> dict[str, float]:
    """The metrics of question `q` that no cut-off changes, from sets."""
    g, c = e.gold, e.chunks
    rows = [i for i in np.flatnonzero(g.question == q) if g.start[i] < g.end[i]]
    wanted = set().union(*(characters(g.document[i], g.start[i], g.end[i]) for i in rows))
    mask = e.candidates.mask[q]
    left = {i for i in range(len(c)) if mask < 0 or e.candidates.allowed[mask, i]}
    near = np.flatnonzero(np.isin(c.document, g.document[rows]))
    own = {i: characters(c.document[i], c.start[i], c.end[i]) for i in near}
    touched = set().union(*(chunk for chunk in own.values() if chunk & wanted))
    survivors = set().union(*(chunk for i, chunk in own.items() if i in left))
    return {
        "precision_omega": len(wanted & touched) / len(wanted | touched),
        "gold_survival": len(wanted & survivors) / len(wanted),
        "candidates_removed": 1 - len(left) / len(c),
    }


def reference(e: Evaluation, q: int, cut: int, coverage: str) -> dict[str, float | None]:
    """The metrics of question `q` at its first `cut` chunks, from sets; ideal cut at `cut`, at least 1."""
    g, c = e.gold, e.chunks
    rows = [i for i in np.flatnonzero(g.question == q) if g.start[i] < g.end[i]]
    alternatives = {i: characters(g.document[i], g.start[i], g.end[i]) for i in rows}
    wanted = set().union(*alternatives.values())
    ranked = [int(i) for i in e.rankings.chunk[q] if i >= 0]
    contexts = [characters(c.document[i], c.context_start[i], c.context_end[i]) for i in ranked]
    seen = [set().union(*contexts[:r]) for r in range(len(contexts) + 1)]
    got, lengths = len(wanted & seen[min(cut, len(ranked))]), sum(len(s) for s in contexts[:cut])
    items = []
    for group in {int(g.group[i]) for i in rows}:
        members = [i for i in rows if g.group[i] == group]
        enough = [
            r
            for r in range(1, len(seen))
            if any(len(alternatives[i] & seen[r]) >= Fraction(coverage) * len(alternatives[i]) for i in members)
        ]
        items.append((enough[0] if enough else 10**9, -max(g.grade[i] for i in members)))
    items.sort()
    places = [0]
    for rank, _ in items:
        places.append(max(rank, places[-1] + 1))
    kept = [(n, p, -grade) for n, (p, (_, grade)) in enumerate(zip(places[1:], items, strict=True), 1) if p <= cut]
    best = sorted((-grade for _, grade in items), reverse=True)[: max(cut, 1)]
    return {
        "recall": got / len(wanted),
        "precision": got / lengths if lengths else None,
        "iou": got / (lengths + len(wanted) - got),
        "hit": float(all(rank <= cut for rank, _ in items)),
        "mrr": 1 / places[1] if places[1] <= cut else 0.0,
        "map": sum(n / p for n, p, _ in kept) / len(items),
        "ndcg": sum(x / log2(p + 1) for _, p, x in kept) / sum(x / log2(i + 2) for i, x in enumerate(best)),
        "context_tokens": sum(handed_on_tokens(c, ranked)[:cut]),
    }


def handed_on_tokens(c: Chunks, ranked: list[int]) -> list[int]:
    """The tokens of every rank; a context span that was handed on before costs nothing."""
    spans = [(int(c.document[i]), int(c.context_start[i]), int(c.context_end[i])) for i in ranked]
    return [0 if spans[r] in spans[:r] else int(c.tokens[i]) for r, i in enumerate(ranked)]


def fitting(e: Evaluation, q: int, budget: int) -> int:
    """How many first chunks fit a budget of tokens."""
    spent = n = 0
    for tokens in handed_on_tokens(e.chunks, [int(i) for i in e.rankings.chunk[q] if i >= 0]):
        spent += tokens
        if spent > budget:
            break
        n += 1
    return n


def assert_equal(e: Evaluation, scorer: StandardScorer, coverage: str) -> None:
    """Compare every question, at every cut-off and budget, in value and in what has none."""
    scores = scorer.score(e)
    columns = {metric.name: scores.values[:, i] for i, metric in enumerate(scores.metrics)}
    for q in range(e.gold.n_questions):
        if not np.any((e.gold.question == q) & (e.gold.start < e.gold.end)):
            assert np.isnan(columns["recall@1"][q])
            continue
        expected = chunking_reference(e, q)
        cuts = {f"@{k}": k for k in scorer.cutoffs} | {f"@{b}tok": fitting(e, q, b) for b in scorer.budgets_tokens}
        for suffix, cut in cuts.items():
            expected |= {name + suffix: value for name, value in reference(e, q, cut, coverage).items()}
        for name, value in expected.items():
            got = columns[name][q]
            assert np.isnan(got) if value is None else got == pytest.approx(value, abs=1e-12), name


def random_evaluation(seed: int) -> Evaluation:
    """Small documents, so that everything overlaps: evidence, groups, chunks, wide contexts, empty spans, padding."""
    rng = np.random.default_rng(seed)
    n_documents, length, n_questions, depth = 3, 60, 8, 12
    document, start = np.sort(rng.integers(0, n_documents * length, 30)).astype(np.int32).__divmod__(length)
    end = np.minimum(start + rng.integers(0, 25, 30), length)
    wide = rng.integers(0, 10, (2, 30)) * rng.integers(0, 2)
    context = np.maximum(start - wide[0], 0), np.minimum(end + wide[1], length)
    ints = [np.asarray(a, dtype=np.int32) for a in (document, start, end, *context, rng.integers(1, 9, 30))]
    question = np.sort(rng.integers(0, n_questions, 20))
    first = rng.integers(0, length, 20)
    last = np.minimum(first + rng.integers(0, 30, 20), length)
    groups = question * 3 + rng.integers(0, 3, 20)
    columns = [question, rng.integers(0, n_documents, 20), first, last]
    gold = Gold(
        n_questions,
        *(np.asarray(a, dtype=np.int32) for a in columns),
        grade=rng.choice([0.5, 1.0, 2.0], 20),
        group=np.unique(groups, return_inverse=True)[1].astype(np.int32),
    )
    chunk = np.stack([rng.permutation(30)[:depth] for _ in range(n_questions)]).astype(np.int32)
    chunk[np.arange(depth) >= rng.integers(0, depth + 1, n_questions)[:, None]] = -1
    candidates = Candidates(rng.integers(-1, 2, n_questions).astype(np.int32), rng.random((2, 30)) < 0.5)
    rankings = Rankings(chunk, np.zeros(chunk.shape, dtype=np.float32))
    return Evaluation(gold, Chunks(*ints), n_documents, rankings, candidates)


@pytest.mark.parametrize("coverage", ["0.3", "0.5", "0.7", "1.0"])
@pytest.mark.parametrize("seed", range(25))
def test_random(seed: int, coverage: str) -> None:
    scorer = StandardScorer(cutoffs=(1, 2, 3, 5, 12, 40), budgets_tokens=(3, 10, 25, 500), coverage=float(coverage))
    assert_equal(random_evaluation(seed), scorer, coverage)


def test_every_value_is_a_share_and_recall_never_falls() -> None:
    scorer = StandardScorer(cutoffs=tuple(range(1, 16)), budgets_tokens=(3, 10, 25, 500))
    for seed in range(200):
        scores = scorer.score(random_evaluation(1000 + seed))
        shares = scores.values[:, [metric.unit is None for metric in scores.metrics]]
        scored = shares[~np.isnan(shares)]
        assert scored.min() >= 0 and scored.max() <= 1
        assert np.array_equal(np.isnan(scores.values), scores.reason != 0)
        for family in ("recall", "hit", "mrr", "map", "doc_recall", "doc_hit", "doc_mrr", "doc_map", "context_tokens"):
            by_k = np.stack([scores.column(f"{family}@{k}") for k in scorer.cutoffs], axis=1)
            assert np.all(np.diff(by_k[~np.isnan(by_k[:, 0])], axis=1) >= 0), family


def real_questions() -> tuple[Documents, list[Question]]:
    texts = [Document(p.stem, p.read_bytes().decode()) for p in sorted(REAL.glob("*.md"))]
    with (REAL / "questions_df.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    return Documents.of(texts), [
        Question(
            id=str(i),
            text=row["question"],
            evidence=tuple(
                Evidence(row["corpus_id"], span["start_index"], span["end_index"])
                for span in json.loads(row["references"])
            ),
        )
        for i, row in enumerate(rows)
    ]


@pytest.mark.skipif(not REAL.exists(), reason="the data of the chunking report is not beside the checkout")
def test_real_evidence_with_windows() -> None:
    """Chunks of 800 characters every 600, handed on with 300 characters on both sides; gold chunks among others."""
    documents, questions = real_questions()
    questions = questions[::4]  # Sets of half a million characters take their time.
    rows = [(d, s, min(s + 800, len(t))) for d, t in enumerate(documents.texts) for s in range(0, len(t), 600)]
    document, start, end = np.asarray(rows, dtype=np.int32).T
    lengths = np.asarray([len(documents.texts[d]) for d in document], dtype=np.int32)
    before, after = np.maximum(start - 300, 0), np.minimum(end + 300, lengths)
    chunks = Chunks(document, start, end, before, after, (after - before) // 4)
    gold = Gold.of(questions, documents)
    rng = np.random.default_rng(3)
    chunk = np.empty((len(questions), 10), dtype=np.int32)
    for q in range(len(questions)):
        one = rng.choice(np.flatnonzero(gold.question == q))
        near = np.flatnonzero((document == gold.document[one]) & (abs(start - gold.start[one]) < 2500))
        picks = rng.permutation(np.concatenate((near, rng.integers(0, len(chunks), 20))))
        chunk[q] = list(dict.fromkeys(picks.tolist()))[:10]
    rankings = Rankings(chunk, np.zeros(chunk.shape, dtype=np.float32))
    everything = Candidates.everything(len(questions), len(chunks))
    evaluation = Evaluation(gold, chunks, len(documents), rankings, everything)
    assert_equal(evaluation, StandardScorer(cutoffs=(1, 5, 10), budgets_tokens=(1000, 2000)), "0.5")
