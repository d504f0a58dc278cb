"""Which stage executions a pipeline needs on a dataset, and on what each of them depends: nothing is computed here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from pipelines import codecs
from pipelines.asking import Asking
from pipelines.by_text import reranked_by_pairs
from pipelines.component import digest
from pipelines.corpus_plan import CorpusPlan
from pipelines.execution import Execution, Node, node_key
from pipelines.golden.dataset import Dataset
from pipelines.golden.resolve import resolve
from pipelines.pipeline import Pipeline
from pipelines.places import columns_of_place
from pipelines.records import (
    PADDING,
    Candidates,
    FloatArray,
    Gold,
    Queries,
    Question,
    Rankings,
    Scores,
)
from pipelines.searching import Search
from pipelines.stages.filter import Filtered, Sieve
from pipelines.stages.rerank import PairReranker, Retrieved
from pipelines.stages.retrieve import Corpus, Retriever, Searcher
from pipelines.stages.score import Evaluation


@dataclass(frozen=True)
class Plan(CorpusPlan):
    """The stage executions of one pipeline over some questions of one dataset, as nodes of a graph.

    Each node's key holds what its output depends on and nothing else: adding a question embeds no document again,
    correcting an evidence span retrieves nothing again. `deepest` is for many pipelines at once: the greatest depth at
    which any of them asks a searcher (by its key), of which smaller depths are then cut.
    """

    asking: Asking
    deepest: Mapping[str, int] = field(default_factory=dict)

    @property
    def questions(self) -> tuple[Question, ...]:
        """The questions under evaluation."""
        return self.asking.questions

    @cached_property
    def queries(self) -> Node[Queries]:
        """What is searched for."""
        transform, texts = self.pipeline.transform, list(self.asking.texts)
        key = digest({"what": "queries", "by": transform.fingerprint(), "to": self.asking.texts_key})
        return Node("transform", key, (), lambda _: transform.transform(texts))

    @cached_property
    def query_vectors(self) -> Node[FloatArray]:
        """One vector a query."""

        def work(run: Execution) -> FloatArray:
            return self._encoding(run, queries=True).vectors(run, run.get(self.queries).texts)

        return self._embedding("query vectors", self.queries, work)

    @cached_property
    def question_vectors(self) -> Node[FloatArray]:
        """One vector a question: that of its first query."""
        inputs = (self.queries, self.query_vectors)

        def work(run: Execution) -> FloatArray:
            queries = run.get(self.queries)
            return run.get(self.query_vectors)[np.searchsorted(queries.question, np.arange(queries.n_questions))]

        return Node("embed", node_key("question vectors", "", inputs), inputs, work)

    @cached_property
    def sieve(self) -> Node[Sieve]:
        """A filter that has read the metadata."""
        inputs: tuple[Node[Any], ...] = (
            (self.chunks, self.texts) if self.pipeline.filter.needs_texts else (self.chunks,)
        )

        def work(run: Execution) -> Sieve:
            chunks, texts = run.get(self.chunks), run.get(self.texts) if self.pipeline.filter.needs_texts else ()
            return self.pipeline.filter.open(Filtered(chunks.columns, len(chunks), texts))

        return Node("filter", self._key("sieve", "filter", inputs), inputs, work)

    @cached_property
    def candidates(self) -> Node[Candidates]:
        """Which chunks may be returned for each question."""
        inputs = (self.sieve,)
        identity = {"filter": self.pipeline.filter.fingerprint(), "asked": self.asking.asked_key}

        def work(run: Execution) -> Candidates:
            found = run.get(self.sieve).candidates(self.asking.asked)
            for told in found.notes:
                run.note(told)
            return found

        codec = None if self.pipeline.filter.identity else codecs.CANDIDATES
        return Node("filter", node_key("candidates", identity, inputs), inputs, work, codec)

    def searcher(self, retriever: Retriever) -> Node[Searcher]:
        """A retriever that has read the corpus; what it read is shared by all that search it under other rules."""
        inputs: tuple[Node[Any], ...] = (self.texts, self.index) if retriever.needs_vectors else (self.texts,)
        inputs += (self.documents, self.chunks) if retriever.reads_columns() else ()
        ruled = retriever.has_rules() and not retriever.parts()
        bare = self.searcher(retriever.bare()) if ruled else None

        def work(run: Execution) -> Searcher:
            corpus = self._corpus(run, retriever)
            return retriever.open(corpus) if bare is None else retriever.ruled(run.get(bare), corpus)

        inputs += () if bare is None else (bare,)
        return Node("retrieve", node_key("searcher", retriever.searches(), inputs), inputs, work)

    def _corpus(self, run: Execution, retriever: Retriever) -> Corpus:
        texts, index = run.get(self.texts), run.get(self.index) if retriever.needs_vectors else None
        if not retriever.reads_columns():
            return Corpus(texts, index)
        chunks = run.get(self.chunks)
        return Corpus(texts, index, chunks.document, columns_of_place(run.get(self.documents), chunks))

    def retrieved(self, retriever: Retriever) -> Node[Rankings]:
        """The ranking of every question by one retriever, at its depth and above its score cut-off."""
        found = self._fused(retriever) if retriever.parts() else self._found(retriever, retriever.depth)
        if retriever.min_score is None:
            return found
        key = node_key("above", retriever.min_score, (found,))
        return Node("retrieve", key, (found,), lambda run: retriever.above(run.get(found)), codecs.RANKINGS)

    def _fused(self, retriever: Retriever) -> Node[Rankings]:
        """The fusion of several retrievers' rankings, which are executions of their own."""
        parts = {name: self.retrieved(part) for name, part in retriever.parts().items()}
        inputs: tuple[Node[Any], ...] = tuple(parts.values())
        inputs += () if retriever.per_document is None else (self.chunks,)
        key = node_key("fused", [retriever.searches(), retriever.depth], inputs)

        def work(run: Execution) -> Rankings:
            document = None if retriever.per_document is None else run.get(self.chunks).document
            return retriever.fuse({name: run.get(part) for name, part in parts.items()}, document)

        return Node("retrieve", key, inputs, work, codecs.RANKINGS)

    def _found(self, retriever: Retriever, depth: int) -> Node[Rankings]:
        """What a searcher finds. Where other pipelines ask it for more, theirs is computed, and this one cut of it."""
        searcher = self.searcher(retriever)
        direct: tuple[Node[Any], ...] = (searcher, self.queries, self.candidates)
        if retriever.needs_vectors:
            direct += (self.query_vectors,)
        key = node_key("retrieved", [retriever.searches(), depth], direct)
        deepest = self.deepest.get(searcher.key, depth)
        if deepest > depth and self.cuts_exactly(retriever):
            deeper = self._found(retriever, deepest)
            return Node("retrieve", key, (deeper,), lambda run: run.get(deeper).cut(depth), codecs.RANKINGS)
        return Node("retrieve", key, direct, lambda run: self._searched(run, retriever, depth), codecs.RANKINGS)

    def cuts_exactly(self, retriever: Retriever) -> bool:
        """Return whether a smaller depth finds just the first of a greater one.

        A graph is searched the wider, the more is asked of it; several queries a question are fused at their depth.
        """
        return self.pipeline.transform.identity and (self.pipeline.index.exact or not retriever.needs_vectors)

    def search(self, run: Execution, *, vectors: bool) -> Search:
        """Return what is looked for, with the queries' vectors where they are needed."""
        return Search(run.get(self.queries), run.get(self.candidates), run.get(self.query_vectors) if vectors else None)

    def _searched(self, run: Execution, retriever: Retriever, depth: int) -> Rankings:
        search = self.search(run, vectors=retriever.needs_vectors)
        found = search.by(run.get(self.searcher(retriever)), depth)
        nothing = int((found.chunk[:, :1] == PADDING).sum())
        if nothing:
            run.note(f"{retriever.name} retrieved nothing at all for {nothing} of {found.n_questions} questions.")
        return found

    @cached_property
    def before_rerank(self) -> Node[Rankings]:
        """The ranking of every question as retrieval hands it to the reranker: what is not in it, retrieval lost."""
        return self.retrieved(self.pipeline.retrieve)

    @cached_property
    def rankings(self) -> Node[Rankings]:
        """The final ranking of every question."""
        retrieved = self.before_rerank
        rerank = self.pipeline.rerank
        if rerank.identity:
            return retrieved
        inputs: tuple[Node[Any], ...] = (retrieved,)
        if rerank.needs_texts:
            inputs += (self.texts,)
        if rerank.needs_vectors:
            inputs += (self.vectors, self.question_vectors)

        def work(run: Execution) -> Rankings:
            texts: Sequence[str] = run.get(self.texts) if rerank.needs_texts else ()
            vectors = (run.get(self.vectors), run.get(self.question_vectors)) if rerank.needs_vectors else (None, None)
            found = Retrieved(run.get(retrieved), self.asking.texts, texts, *vectors)
            if isinstance(rerank, PairReranker):
                return reranked_by_pairs(run, rerank, found)
            return rerank.rerank(found, run.progress("rerank"))

        key = node_key("reranked", [rerank.fingerprint(), self.asking.texts_key], inputs)
        return Node("rerank", key, inputs, work, codecs.RANKINGS)

    @cached_property
    def gold(self) -> Node[Gold]:
        """The evidence of the questions as spans of the parsed documents."""
        inputs = (self.documents,)

        def work(run: Execution) -> Gold:
            documents = run.get(self.documents)
            return Gold.of(resolve(self.questions, documents), documents)

        return Node("score", node_key("gold", self.asking.evidence_key, inputs), inputs, work)

    @cached_property
    def scores(self) -> Node[Scores]:
        """Every metric of every question."""
        inputs = (self.gold, self.documents, self.chunks, self.candidates, self.rankings)

        def work(run: Execution) -> Scores:
            n_documents = len(run.get(self.documents))
            found = Evaluation(
                run.get(self.gold), run.get(self.chunks), n_documents, run.get(self.rankings), run.get(self.candidates)
            )
            return self.pipeline.score.score(found)

        return Node("score", self._key("scores", "score", inputs), inputs, work, codecs.SCORES)


def plan(pipeline: Pipeline, dataset: Dataset, questions: Sequence[Question]) -> Plan:
    """Return the stage executions of `pipeline` over `questions` of `dataset`."""
    return Plan(pipeline, dataset, Asking(tuple(questions)))


def plans(pipelines: Sequence[Pipeline], dataset: Dataset, questions: Sequence[Question]) -> list[Plan]:
    """Return the stage executions of several pipelines; equal ones have equal keys, and each searcher is asked once."""
    asking = Asking(tuple(questions))
    alone = [Plan(pipeline, dataset, asking) for pipeline in pipelines]
    deepest: dict[str, int] = {}
    for one in alone:
        for leaf in one.pipeline.retrieve.leaves():
            key = one.searcher(leaf).key
            deepest[key] = max(leaf.depth, deepest.get(key, 0))
    return [replace(one, deepest=deepest) for one in alone]
