"""A pipeline opened for single questions: its latency is measured so, and a person asks so."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipelines import codecs
from pipelines.execution import Execution, Node, node_key
from pipelines.models.devices import machine
from pipelines.plan import Plan
from pipelines.records import Candidates, Chunks, FloatArray, MetadataValue, Rankings
from pipelines.stages.filter import Asked
from pipelines.stages.rerank import Retrieved
from pipelines.stages.retrieve import Lookup, Searcher

SAMPLE = 50
_WARM_UP = 3


@dataclass(frozen=True)
class Live:
    """Everything that a question needs, opened: answers one question at a time, looking nothing up."""

    plan: Plan
    chunks: Chunks
    searcher: Searcher
    texts: Sequence[str]
    vectors: FloatArray | None

    @classmethod
    def open(cls, plan: Plan, run: Execution) -> Live:
        """Open a pipeline; what was computed before is looked up."""
        pipeline = plan.pipeline
        searcher = run.get(plan.searcher(pipeline.retrieve))
        vectors = run.get(plan.vectors) if pipeline.rerank.needs_vectors else None
        return cls(plan, run.get(plan.chunks), searcher, run.get(plan.texts), vectors)

    def answer(self, text: str, known: Mapping[str, MetadataValue]) -> Rankings:
        """Return the ranking of one question: a batch of one."""
        pipeline = self.plan.pipeline
        queries = pipeline.transform.transform([text])
        wants = pipeline.retrieve.needs_vectors or pipeline.rerank.needs_vectors
        vectors = pipeline.embed.embed_queries(queries.texts).vectors if wants else None
        allowed = pipeline.filter.candidates([Asked(text, known)], self.chunks.columns, len(self.chunks))
        asked = Candidates(allowed.mask[queries.question], allowed.allowed)
        found = self.plan.per_question(self.searcher.search(Lookup(queries.texts, asked, vectors)), queries)
        if pipeline.rerank.identity:
            return found
        first = vectors[:1] if vectors is not None else None
        return pipeline.rerank.rerank(Retrieved(found, [text], self.texts, self.vectors, first))


def latencies(plan: Plan, seed: int) -> Node[list[float]]:
    """Return the measurement of single questions: milliseconds of each of a random sample, one at a time.

    Kept like any output, under the machine's name: measured once a pipeline and machine, so a repeated run repeats it.
    """
    sample = random.Random(seed).sample(plan.questions, min(SAMPLE, len(plan.questions)))  # noqa: S311
    pipeline = plan.pipeline
    inputs = (plan.rankings,)
    parts = (pipeline.transform, pipeline.embed, pipeline.filter, pipeline.retrieve, pipeline.rerank)
    identity = [[part.fingerprint() for part in parts], [question.id for question in sample], machine()]

    def work(run: Execution) -> list[float]:
        live = Live.open(plan, run)
        for question in sample[:_WARM_UP]:
            live.answer(question.text, question.filter)
        return [_timed(live, question.text, question.filter) for question in sample]

    return Node("latency", node_key("latencies", identity, inputs), inputs, work, codecs.NUMBERS)


def _timed(live: Live, text: str, known: Mapping[str, MetadataValue]) -> float:
    started = time.perf_counter()
    live.answer(text, known)
    return 1000 * (time.perf_counter() - started)


def index_loss(plan: Plan, depth: int, k: int) -> Node[list[float]]:
    """Return, for every question, the share of the truly nearest `k` chunks that an approximate index finds first.

    It is asked for `depth` chunks, as the retriever asks it: a graph is searched the wider, the more is asked of it.
    The truth is exact search over the same vectors, in the same space, under the same filter.
    """
    twin = plan.pipeline.index.exact_twin()
    inputs = (plan.index, plan.vectors, plan.query_vectors, plan.queries, plan.candidates)

    def work(run: Execution) -> list[float]:
        queries, candidates = run.get(plan.queries), run.get(plan.candidates)
        exact, index, vectors = twin.open(run.get(plan.vectors), None), run.get(plan.index), run.get(plan.query_vectors)
        first = np.searchsorted(queries.question, np.arange(queries.n_questions))
        shares = np.zeros(queries.n_questions)
        for rows, allowed in candidates.groups():
            asked = vectors[first[rows]]
            shares[rows] = _shared(exact.search(asked, k, allowed), index.search(asked, depth, allowed).cut(k))
        return [float(share) for share in shares]

    return Node("score", node_key("loss", [twin.fingerprint(), depth, k], inputs), inputs, work, codecs.NUMBERS)


def _shared(truth: Rankings, found: Rankings) -> list[float]:
    pairs = zip(truth.chunk, found.chunk, strict=True)
    return [_share({int(c) for c in t if c >= 0}, {int(c) for c in f}) for t, f in pairs]


def _share(truth: set[int], found: set[int]) -> float:
    return len(truth & found) / len(truth) if truth else 1.0
