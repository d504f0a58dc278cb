"""A pipeline opened for single questions, as a person asks them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipelines.execution import Execution
from pipelines.plan import Plan
from pipelines.records import Chunks, FloatArray, MetadataValue, Rankings
from pipelines.searching import Search
from pipelines.stages.filter import Asked, Sieve
from pipelines.stages.rerank import Retrieved
from pipelines.stages.retrieve import Searcher


@dataclass(frozen=True)
class Live:
    """Everything that a question needs, opened: answers one question at a time, looking nothing up."""

    plan: Plan
    chunks: Chunks
    sieve: Sieve
    searcher: Searcher
    texts: Sequence[str]
    vectors: FloatArray | None
    fitted: Path | None = None

    @classmethod
    def open(cls, plan: Plan, run: Execution) -> Live:
        """Open a pipeline; what was computed before is looked up."""
        pipeline = plan.pipeline
        searcher = run.get(plan.searcher(pipeline.retrieve))
        vectors = run.get(plan.vectors) if pipeline.rerank.needs_vectors else None
        fitted = None if plan.fitted is None else run.get(plan.fitted)
        return cls(plan, run.get(plan.chunks), run.get(plan.sieve), searcher, run.get(plan.texts), vectors, fitted)

    def answer(self, text: str, known: Mapping[str, MetadataValue]) -> Rankings:
        """Return the ranking of one question: a batch of one."""
        pipeline = self.plan.pipeline
        queries = pipeline.transform.transform([text])
        wants = pipeline.retrieve.needs_vectors or pipeline.rerank.needs_vectors
        vectors = pipeline.embed.embed_queries(queries.texts, fitted=self.fitted).vectors if wants else None
        allowed = self.sieve.candidates([Asked(text, known)])
        found = pipeline.retrieve.above(Search(queries, allowed, vectors).by(self.searcher))
        if pipeline.rerank.identity:
            return found
        first = vectors[:1] if vectors is not None else None
        return pipeline.rerank.rerank(Retrieved(found, [text], self.texts, self.vectors, first))
