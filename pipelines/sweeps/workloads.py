"""How much work each stage execution is, in units whose pace can be measured: characters, comparisons, places."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines import codecs
from pipelines.cache import Cache
from pipelines.component import Component
from pipelines.execution import Node
from pipelines.planning.by_text import work_name
from pipelines.planning.chatting import chat_work
from pipelines.planning.effort import training_units, training_work
from pipelines.planning.plan import Plan
from pipelines.planning.rerank import train_questions
from pipelines.runs.measure import Evaluation
from pipelines.stages.embed import Embedder
from pipelines.stages.rerank import FittedReranker
from pipelines.stages.rerank.judged import ChatReranker
from pipelines.stages.retrieve import Retriever
from pipelines.stages.transform import ChatTransformer

_CHARS_A_TOKEN = 4.2
RUN = "run"
"""Intervals, details and rows of one run."""


@dataclass(frozen=True)
class Workload:
    """So many `units` of a kind of work; `what` names the kind, under which its pace on this machine is kept."""

    what: str
    units: float


@dataclass
class Sizes:
    """What is known of a corpus: its characters, and the number of chunks of each chunking, by the chunks' key."""

    n_chars: int
    n_chunks: dict[str, int]

    def chunks(self, plan: Plan, cache: Cache) -> int:
        """Return the number of chunks: as stored, or what the size of a chunk lets expect."""
        cut, key = plan.cut, plan.cut.key
        if key not in self.n_chunks:
            stored = None
            if cut.codec is not None and cache.has(cut.stage, key):
                stored = cache.load(cut.stage, key, cut.codec)
            self.n_chunks[key] = self._guessed(plan) if stored is None else len(stored)
        return self.n_chunks[key]

    def _guessed(self, plan: Plan) -> int:
        return max(1, round(self.n_chars / (plan.pipeline.chunk.usual_tokens() * _CHARS_A_TOKEN)))


def workloads(evaluation: Evaluation, sizes: Sizes, cache: Cache) -> Iterator[tuple[Node[Any], Workload]]:
    """Yield the stored stage executions of an evaluation with the work that each is, when it has to be done."""
    plan, pipeline = evaluation.plan, evaluation.plan.pipeline
    n_chunks, n_questions = sizes.chunks(plan, cache), len(plan.questions)
    vectors = pipeline.retrieve.needs_vectors or pipeline.rerank.needs_vectors
    yield plan.documents, Workload(f"load {pipeline.load.name}", sizes.n_chars)
    yield plan.cut, _cutting(plan, sizes.n_chars)
    if not pipeline.extract.identity:
        yield plan.chunks, Workload(f"extract {pipeline.extract.name}", sizes.n_chars)
    if vectors:
        if plan.trained is not None:
            yield from _training(plan, pipeline.embed, plan.trained, n_chunks)
        elif plan.fitted is not None:
            yield plan.fitted, Workload(f"fit {work_name(pipeline.embed)}"[:200], 1)
        embedding = work_name(pipeline.embed.beneath())
        yield plan.vectors, Workload(embedding, sizes.n_chars)
        n_chars = sum(len(text) for text in plan.asking.texts)
        yield plan.query_vectors, Workload(embedding, n_chars)
        if pipeline.index.persistent:
            yield plan.built_index, Workload(f"index {pipeline.index.name}", n_chunks)
    transform, rewritten = pipeline.transform, plan.rewritten
    if rewritten is not None and isinstance(transform, ChatTransformer):
        yield rewritten, Workload(chat_work(transform), sum(len(transform.prompts(one)) for one in plan.asking.texts))
    if not pipeline.filter.identity:
        yield plan.candidates, Workload(f"filter {pipeline.filter.name}", n_chunks)
    yield from _retrievals(plan, pipeline.retrieve, n_questions * n_chunks)
    depth = getattr(pipeline.rerank, "depth", pipeline.retrieve.depth)
    yield from _learning(plan, n_chunks)
    if plan.trained_reranker is not None:
        yield from _training(plan, pipeline.rerank, plan.trained_reranker, n_chunks)
    if plan.judged is not None and isinstance(pipeline.rerank, ChatReranker):
        calls = n_questions * pipeline.rerank.calls(min(depth, pipeline.retrieve.depth))
        yield plan.judged, Workload(chat_work(pipeline.rerank), calls)
    if not pipeline.rerank.identity:
        yield plan.rankings, Workload(f"rerank {pipeline.rerank.name}", n_questions * depth)
    yield plan.scores, Workload("score", n_questions * min(depth, pipeline.retrieve.depth))
    for timed in evaluation.stopwatch.parts:
        yield timed, Workload("latency", 1)


def _learning(plan: Plan, n_chunks: int) -> Iterator[tuple[Node[Any], Workload]]:
    """Yield what is retrieved for the train questions, and the table made of it, where a reranker learns from them."""
    rerank, train = plan.pipeline.rerank, plan.on_train
    if not isinstance(rerank, FittedReranker):
        return
    n_train = len(train.questions)
    if not train.pipeline.filter.identity:
        yield train.candidates, Workload(f"filter {train.pipeline.filter.name}", n_chunks)
    if train.pipeline.retrieve.needs_vectors:
        n_chars = sum(len(text) for text in train.asking.texts)
        yield train.query_vectors, Workload(work_name(train.pipeline.embed), n_chars)
    yield from _retrievals(train, train.pipeline.retrieve, n_train * n_chunks)
    yield plan.training(rerank), Workload(f"learn {rerank.name}", n_train * rerank.depth)


def _training(
    plan: Plan, component: Component, trained: Node[Path], n_chunks: int
) -> Iterator[tuple[Node[Any], Workload]]:
    """Yield the pairs that a component learns from, and its training; a question is taken for a pair."""
    n_train = len(train_questions(plan.dataset))
    for pairs in trained.inputs:
        if pairs.codec is codecs.PAIRS:
            yield pairs, Workload("pairs", n_train * n_chunks)
    n_pairs = round(n_train * float(getattr(component, "share", 1.0)))
    yield trained, Workload(training_work(component), training_units(component, n_pairs))


def _cutting(plan: Plan, n_chars: int) -> Workload:
    """Return the work of cutting; where a model reads the text for it, that is nearly all of it."""
    chunker = plan.pipeline.chunk
    encoder = chunker.encoder()
    if not isinstance(encoder, Embedder):
        return Workload(f"chunk {chunker.name}", n_chars)
    return Workload(work_name(encoder), n_chars * chunker.encoded_share())


def _retrievals(plan: Plan, retriever: Retriever, comparisons: int) -> Iterator[tuple[Node[Any], Workload]]:
    parts = retriever.parts()
    for part in parts.values():
        yield from _retrievals(plan, part, comparisons)
    units = len(plan.questions) * retriever.depth if parts else comparisons
    yield plan.retrieved(retriever), Workload(f"retrieve {retriever.name}", units)
