"""How long a pipeline takes for one question: each stage timed alone, one question at a time, and kept.

A stage that several pipelines share is timed once for all of them, so that a sweep does not pay for a stopwatch.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from pipelines import codecs
from pipelines.component import digest
from pipelines.execution import Execution, Node, node_key
from pipelines.models.devices import machine
from pipelines.planning.plan import Plan
from pipelines.planning.queries import query_vectors
from pipelines.records import FloatArray, Rankings, Spent
from pipelines.stages.rerank import PairReranker
from pipelines.stages.retrieve import Retriever

SAMPLE = 50
_PAIRS_SAMPLE = 10
_WARM_UP = 2
_SAME_DEPTH = 100
Timed = Node[list[float]]


@dataclass(frozen=True)
class Stopwatch:
    """The measurement of one pipeline on a random sample of its questions, `rows`; milliseconds throughout."""

    plan: Plan
    rows: tuple[int, ...]

    @classmethod
    def of(cls, plan: Plan, seed: int) -> Stopwatch:
        """Draw the sample."""
        n = len(plan.questions)
        return cls(plan, tuple(random.Random(seed).sample(range(n), min(SAMPLE, n))))  # noqa: S311

    @cached_property
    def parts(self) -> tuple[Timed, ...]:
        """The measurement of each stage that does something, as nodes; equal ones of many pipelines are one."""
        pipeline = self.plan.pipeline
        found: list[Timed] = []
        if pipeline.retrieve.needs_vectors or pipeline.rerank.needs_vectors or not pipeline.transform.identity:
            found.append(self._encoding())
        found += [self._asked(spent) for _, spent in self.plan.spendings]
        if not pipeline.filter.identity:
            found.append(self._filter())
        found += self._retrieval(pipeline.retrieve)
        if not pipeline.rerank.identity and self.plan.judged is None:
            found.append(self._rerank())
        return tuple(found)

    def milliseconds(self, run: Execution) -> list[float]:
        """Return what each sampled question takes in all stages together."""
        return [float(sum(stages)) for stages in zip(*(run.get(part) for part in self.parts), strict=True)]

    @cached_property
    def _sample_key(self) -> str:
        return digest([self.plan.asking.asked_key, self.rows, machine()])

    def _node(self, what: str, identity: object, inputs: tuple[Node[Any], ...], start: Start) -> Timed:
        key = node_key(f"latency {what}", [identity, self._sample_key], inputs)
        return Node("latency", key, inputs, lambda run: _timed(start(run), self.rows), codecs.NUMBERS)

    def _encoding(self) -> Timed:
        plan, pipeline = self.plan, self.plan.pipeline
        vectors = pipeline.retrieve.needs_vectors or pipeline.rerank.needs_vectors
        rewritten = plan.rewritten is not None

        def start(run: Execution) -> Once:
            fitted = run.get(plan.fitted) if vectors and plan.fitted is not None else None

            asked = run.get(plan.queries) if rewritten else None

            def once(row: int) -> None:
                text = plan.questions[row].text
                queries = pipeline.transform.transform([text]) if asked is None else asked.of_question(row)[0]
                if vectors:
                    query_vectors(
                        queries,
                        lambda texts: pipeline.embed.embed_queries(texts, fitted=fitted).vectors,
                        lambda texts: pipeline.embed.embed_documents(texts, fitted=fitted).vectors,
                    )

            return once

        embed = pipeline.embed.fingerprint() if vectors else ""
        inputs: tuple[Node[Any], ...] = (plan.fitted,) if vectors and plan.fitted is not None else ()
        inputs += (plan.queries,) if rewritten else ()
        return self._node("encoding", [pipeline.transform.rewriting(), embed], inputs, start)

    def _asked(self, spent: Node[Spent]) -> Timed:
        """Return what a language model took when it answered: it is not asked again for the sake of a stopwatch."""
        key = node_key("latency asked", self.rows, (spent,))
        work = lambda run: [1000 * float(run.get(spent).seconds[row]) for row in self.rows]  # noqa: E731
        return Node("latency", key, (spent,), work, codecs.NUMBERS)

    def _filter(self) -> Timed:
        plan = self.plan

        def start(run: Execution) -> Once:
            sieve = run.get(plan.sieve)
            return lambda row: sieve.candidates([plan.asking.asked[row]])

        return self._node("filter", plan.pipeline.filter.fingerprint(), (plan.sieve,), start)

    def _retrieval(self, retriever: Retriever) -> list[Timed]:
        parts = retriever.parts()
        if not parts:
            return [self._search(retriever)]
        leaves = [timed for part in parts.values() for timed in self._retrieval(part)]
        return [*leaves, self._fusion(retriever)]

    def _search(self, retriever: Retriever) -> Timed:
        """Time a searcher. Where a smaller depth is but cut off a greater one, up to 100 take the same time."""
        plan, searcher = self.plan, self.plan.searcher(retriever)
        depth = max(retriever.depth, _SAME_DEPTH) if plan.cuts_exactly(retriever) else retriever.depth
        inputs: tuple[Node[Any], ...] = (searcher, plan.queries, plan.candidates)
        inputs += (plan.query_vectors,) if retriever.needs_vectors else ()

        def start(run: Execution) -> Once:
            opened, search = run.get(searcher), plan.search(run, vectors=retriever.needs_vectors)
            feed = plan.feed(run, retriever)
            if feed is None:
                return lambda row: search.only(row).by(opened, depth)
            return lambda row: feed.found(search.only(row), opened, depth)

        fed = plan.fed_by(retriever)
        return self._node("search", [retriever.searches(), depth, *plan.feeding(retriever)], inputs + fed, start)

    def _fusion(self, retriever: Retriever) -> Timed:
        parts = {name: self.plan.retrieved(part) for name, part in retriever.parts().items()}

        def start(run: Execution) -> Once:
            whole = {name: run.get(part) for name, part in parts.items()}
            document = None if retriever.per_document is None else run.get(self.plan.chunks).document
            return lambda row: retriever.fuse({name: _row(found, row) for name, found in whole.items()}, document)

        return self._node("fusion", retriever.fingerprint(), tuple(parts.values()), start)

    def _rerank(self) -> Timed:
        """Time the reranker on chunks drawn at random: what it takes depends on how many they are and how long."""
        plan, rerank = self.plan, self.plan.pipeline.rerank
        depth = plan.pipeline.retrieve.depth

        def start(run: Execution) -> Once:
            ready = run.get(plan.reranker)
            whole = plan.seen(run, _drawn(len(plan.questions), len(run.get(plan.chunks)), depth))
            return lambda row: ready.rerank(whole.only(row))

        # What was retrieved is not looked at, so that many pipelines share the measurement.
        looked_at = plan.looked_at if rerank.needs_circumstances else plan.looked_at[1:]
        inputs = (plan.reranker, *looked_at, plan.chunks)
        node = self._node("rerank", [rerank.fingerprint(), depth], inputs, start)
        if not isinstance(rerank, PairReranker):
            return node
        few = self.rows[:_PAIRS_SAMPLE]
        work = lambda run: _repeated(_timed(start(run), few), len(self.rows))  # noqa: E731
        return Node("latency", node.key, inputs, work, codecs.NUMBERS)


Once = Callable[[int], object]
Start = Callable[[Execution], Once]


def _timed(once: Once, rows: Sequence[int]) -> list[float]:
    for row in rows[:_WARM_UP]:
        once(row)
    return [_milliseconds(once, row) for row in rows]


def _milliseconds(once: Once, row: int) -> float:
    started = time.perf_counter()
    once(row)
    return 1000 * (time.perf_counter() - started)


def _repeated(values: list[float], n: int) -> list[float]:
    """Return `n` values, those measured in turn: a model over pairs is timed on fewer questions, for it is slow."""
    return [values[i % len(values)] for i in range(n)]


def _row(rankings: Rankings, row: int) -> Rankings:
    return Rankings(rankings.chunk[row : row + 1], rankings.score[row : row + 1])


def _drawn(n_questions: int, n_chunks: int, depth: int) -> Rankings:
    rng = np.random.default_rng(0)
    width = min(depth, n_chunks)
    first = rng.integers(0, max(1, n_chunks), size=(n_questions, 1))
    chunk = ((first + np.arange(width)) % max(1, n_chunks)).astype(np.int32)
    score: FloatArray = np.broadcast_to(np.linspace(1, 0, width, dtype=np.float32), chunk.shape)
    return Rankings(chunk, score)
