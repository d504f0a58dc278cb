"""A pipeline opened for single questions, as a person asks them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipelines.execution import Execution
from pipelines.planning.chatting import asker
from pipelines.planning.feedback import Feed
from pipelines.planning.plan import Plan
from pipelines.planning.queries import query_vectors
from pipelines.planning.searching import Search
from pipelines.records import Chunks, FloatArray, IntArray, MetadataValue, Queries, Rankings
from pipelines.stages.filter import Asked, Sieve
from pipelines.stages.rerank import Circumstances, Reranker, Retrieved
from pipelines.stages.rerank.judged import ChatReranker
from pipelines.stages.retrieve import Retriever, Searcher
from pipelines.stages.transform import ChatTransformer


@dataclass(frozen=True)
class Part:
    """A retriever, opened: with its searcher and what feeds it, or with the parts that it fuses.

    `document` is the document of each chunk, int32 [n_chunks], where a fusion must know it.
    """

    retriever: Retriever
    searcher: Searcher | None
    feed: Feed | None
    parts: Mapping[str, Part]
    document: IntArray | None = None

    @classmethod
    def open(cls, retriever: Retriever, plan: Plan, run: Execution) -> Part:
        """Open a retriever with all its parts."""
        parts = {name: cls.open(part, plan, run) for name, part in retriever.parts().items()}
        if not parts:
            return cls(retriever, run.get(plan.searcher(retriever)), plan.feed(run, retriever), {})
        document = None if retriever.per_document is None else run.get(plan.chunks).document
        return cls(retriever, None, None, parts, document)

    def found(self, search: Search) -> Rankings:
        """Return what is found, as deep as the retriever goes and above its least score."""
        return self.retriever.above(self._found(search))

    def _found(self, search: Search) -> Rankings:
        if self.searcher is None:
            return self.retriever.fuse({name: part.found(search) for name, part in self.parts.items()}, self.document)
        if self.feed is None:
            return search.by(self.searcher, self.retriever.depth)
        return self.feed.found(search, self.searcher, self.retriever.depth)

    def leaves(self, search: Search) -> dict[str, Rankings]:
        """Return the ranking of each searcher of a fusion by its name; none where nothing is fused."""
        found: dict[str, Rankings] = {}
        for own, part in self.parts.items():
            found |= part.leaves(search) if part.parts else {own: part.found(search)}
        return found


@dataclass(frozen=True)
class Live:
    """Everything that a question needs, opened: answers one question at a time, looking nothing up.

    Only what a language model was asked before is looked up: an answer is paid once.
    """

    plan: Plan
    run: Execution
    chunks: Chunks
    sieve: Sieve
    retriever: Part
    reranker: Reranker
    texts: Sequence[str]
    vectors: FloatArray | None
    fitted: Path | None = None

    @classmethod
    def open(cls, plan: Plan, run: Execution) -> Live:
        """Open a pipeline; what was computed before is looked up."""
        part = Part.open(plan.pipeline.retrieve, plan, run)
        vectors = run.get(plan.vectors) if plan.pipeline.rerank.needs_vectors else None
        fitted = None if plan.fitted is None else run.get(plan.fitted)
        opened = (run.get(plan.chunks), run.get(plan.sieve), part, run.get(plan.reranker), run.get(plan.reranked_texts))
        return cls(plan, run, *opened, vectors, fitted)

    def answer(self, text: str, known: Mapping[str, MetadataValue]) -> Rankings:
        """Return the ranking of one question: a batch of one."""
        pipeline = self.plan.pipeline
        queries = self._queries(text)
        wants = pipeline.retrieve.needs_vectors or pipeline.rerank.needs_vectors
        vectors = query_vectors(queries, self._as_queries, self._as_documents) if wants else None
        search = Search(queries, self.sieve.candidates([Asked(text, known)]), vectors)
        found = self.retriever.found(search)
        if pipeline.rerank.identity:
            return found
        own = self._as_queries([text]) if pipeline.rerank.needs_vectors else None
        circumstances = None
        if pipeline.rerank.needs_circumstances:
            circumstances = Circumstances(self.run.get(self.plan.placed), self.retriever.leaves(search), [known])
        retrieved = Retrieved(found, [text], self.texts, self.vectors, own, circumstances)
        if isinstance(self.reranker, ChatReranker):
            return self.reranker.asking(retrieved, asker(self.run, self.reranker, "rerank"))
        return self.reranker.rerank(retrieved)

    def _queries(self, text: str) -> Queries:
        transform = self.plan.pipeline.transform
        if isinstance(transform, ChatTransformer):
            return transform.asking([text], asker(self.run, transform, "transform"))
        return transform.transform([text])

    def _as_queries(self, texts: Sequence[str]) -> FloatArray:
        return self.plan.pipeline.embed.embed_queries(texts, fitted=self.fitted).vectors

    def _as_documents(self, texts: Sequence[str]) -> FloatArray:
        return self.plan.pipeline.embed.embed_documents(texts, fitted=self.fitted).vectors
