"""How fast scoring is: 500 questions x 200 configurations, and ir_measures on the document metrics alone.

The rankings are random, over 2,000 chunks of 20 documents, 50 deep. Scored are all metrics at six cut-offs, and at four
token budgets besides. ir_measures (trec_eval in C) gets the same rankings, already folded to documents, as nested dicts
built outside its time, and only its five metrics at the same six cut-offs; it is timed on the first 10 configurations,
and that is multiplied by 20.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from time import perf_counter

import ir_measures
import numpy as np

from pipelines.records import Candidates, Chunks, Gold, Rankings
from pipelines.stages.score import Evaluation
from pipelines.stages.score.standard import StandardScorer

N_QUESTIONS, N_CONFIGURATIONS, N_CHUNKS, N_DOCUMENTS, DEPTH = 500, 200, 2_000, 20, 50
CUTOFFS = (1, 3, 5, 10, 20, 50)
CHUNK_CHARS, CHUNK_TOKENS = 800, 200
TIMED_CONFIGURATIONS = 10
Run = dict[str, dict[str, float]]


def random_gold(rng: np.random.Generator) -> Gold:
    """One to three spans of evidence a question, of 50 to 400 characters, grade 1 or 2."""
    question = np.repeat(np.arange(N_QUESTIONS), rng.integers(1, 4, N_QUESTIONS)).astype(np.int32)
    n = len(question)
    document = rng.integers(0, N_DOCUMENTS, n, dtype=np.int32)
    start = rng.integers(0, CHUNK_CHARS * (N_CHUNKS // N_DOCUMENTS) - 400, n, dtype=np.int32)
    end = start + rng.integers(50, 400, n, dtype=np.int32)
    return Gold(
        N_QUESTIONS, question, document, start, end, rng.integers(1, 3, n).astype(float), np.arange(n, dtype=np.int32)
    )


def corpus() -> Chunks:
    """Chunks of 800 characters, each document cut without overlap."""
    document, place = np.divmod(np.arange(N_CHUNKS), N_CHUNKS // N_DOCUMENTS)
    chunks = Chunks.of(document, place * CHUNK_CHARS, (place + 1) * CHUNK_CHARS)
    chunks.tokens[:] = CHUNK_TOKENS
    return chunks


def random_rankings(rng: np.random.Generator) -> Iterator[Rankings]:
    """For every configuration, 50 different chunks a question."""
    score = np.tile(np.linspace(1, 0, DEPTH, dtype=np.float32), (N_QUESTIONS, 1))
    for _ in range(N_CONFIGURATIONS):
        chunk = np.argpartition(rng.random((N_QUESTIONS, N_CHUNKS), dtype=np.float32), DEPTH)[:, :DEPTH]
        yield Rankings(chunk.astype(np.int32), score)


def time_scoring(gold: Gold, chunks: Chunks, rankings: list[Rankings]) -> float:
    """Seconds for every metric of every configuration."""
    scorer = StandardScorer(cutoffs=CUTOFFS)
    everything = Candidates.everything(N_QUESTIONS, len(chunks))
    began = perf_counter()
    for ranking in rankings:
        scorer.score(Evaluation(gold, chunks, N_DOCUMENTS, ranking, everything))
    return perf_counter() - began


def folded(ranking: Rankings, chunks: Chunks) -> Run:
    """Documents by best rank, as ir_measures reads a run."""
    runs: Run = {}
    for q, row in enumerate(chunks.document[ranking.chunk].tolist()):
        runs[str(q)] = {str(d): float(DEPTH - i) for i, d in enumerate(dict.fromkeys(row))}
    return runs


def time_ir_measures(gold: Gold, runs: list[Run]) -> float:
    """Seconds for the document metrics of the runs."""
    qrels: dict[str, dict[str, int]] = {}
    for q, d, grade in zip(gold.question.tolist(), gold.document.tolist(), gold.grade.tolist(), strict=True):
        grades = qrels.setdefault(str(q), {})
        grades[str(d)] = max(grades.get(str(d), 0), int(grade))
    kinds = (ir_measures.R, ir_measures.nDCG, ir_measures.AP, ir_measures.RR, ir_measures.Success)
    evaluator = ir_measures.evaluator([kind @ k for kind in kinds for k in CUTOFFS], qrels)
    began = perf_counter()
    for run in runs:
        list(evaluator.iter_calc(run))
    return perf_counter() - began


def main() -> dict[str, float]:
    """Time both, print and return the seconds for 200 configurations and their ratio."""
    rng = np.random.default_rng(7)
    gold, chunks, rankings = random_gold(rng), corpus(), list(random_rankings(rng))
    scoring_s = time_scoring(gold, chunks, rankings)
    part = time_ir_measures(gold, [folded(ranking, chunks) for ranking in rankings[:TIMED_CONFIGURATIONS]])
    ir_measures_s = part * N_CONFIGURATIONS / TIMED_CONFIGURATIONS
    figures = {
        "scoring_s": round(scoring_s, 3),
        "ir_measures_s": round(ir_measures_s, 3),
        "ir_measures_over_scoring": round(ir_measures_s / scoring_s, 2),
    }
    print(json.dumps(figures))
    return figures


if __name__ == "__main__":
    main()
