"""Which stage executions a pipeline needs on a dataset, and on what each of them depends: nothing is computed here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from pipelines import codecs
from pipelines.component import digest
from pipelines.execution import Execution, Node, node_key
from pipelines.golden.dataset import Dataset
from pipelines.golden.resolve import Resolution
from pipelines.pipeline import Pipeline
from pipelines.planning.asking import Asking
from pipelines.planning.feedback import Feed, feeds
from pipelines.planning.learning import LearningPlan
from pipelines.planning.optimism import flattering
from pipelines.planning.places import columns_of_place
from pipelines.planning.searching import Search
from pipelines.records import (
    PADDING,
    Candidates,
    Gold,
    Question,
    Rankings,
    Scores,
)
from pipelines.stages.filter import Filtered, Sieve
from pipelines.stages.retrieve import Corpus, Retriever, Searcher
from pipelines.stages.score import Evaluation
from pipelines.stages.transform import FeedbackTransformer
from pipelines.stages.transform.none import NoTransformer


@dataclass(frozen=True)
class Plan(LearningPlan):
    """The stage executions of one pipeline over some questions of one dataset, as nodes of a graph.

    Each node's key holds what its output depends on and nothing else: adding a question embeds no document again,
    correcting an evidence span retrieves nothing again. `deepest` is for many pipelines at once: the greatest depth at
    which any of them asks a searcher (by its key), of which smaller depths are then cut.
    """

    deepest: Mapping[str, int] = field(default_factory=dict)

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

    def asked_key(self, retriever: Retriever) -> str:
        """Return what a searcher is asked for: of equal ones, a smaller depth may be cut of a greater one."""
        return node_key("asked", self.feeding(retriever), (self.searcher(retriever), self.queries))

    def feeding(self, retriever: Retriever) -> list[dict[str, object]]:
        """Return all that decides what a retriever is fed, as plain values; nothing for one that is not fed."""
        transform = self.pipeline.transform
        if not isinstance(transform, FeedbackTransformer) or not feeds(transform, retriever):
            return []
        return [dict(transform.feeding(words=not retriever.needs_vectors))]

    @cached_property
    def unfed(self) -> Plan:
        """The same pipeline without a transformation: the first search of a feedback is its."""
        return replace(self, pipeline=Pipeline({**self.pipeline.components, "transform": NoTransformer()}))

    def feed(self, run: Execution, retriever: Retriever) -> Feed | None:
        """Return what feeds the second search of a retriever; None where there is one search only."""
        transform = self.pipeline.transform
        if not isinstance(transform, FeedbackTransformer) or not feeds(transform, retriever):
            return None
        if retriever.needs_vectors:
            return Feed(transform, retriever, vectors=run.get(self.vectors))
        return Feed(transform, retriever, run.get(self.texts))

    def fed_by(self, retriever: Retriever) -> tuple[Node[Any], ...]:
        """Return the first search of a retriever that is fed, and what it is fed by; nothing for any other."""
        transform = self.pipeline.transform
        if not isinstance(transform, FeedbackTransformer) or not feeds(transform, retriever):
            return ()
        first = self.unfed._found(retriever, transform.looks_at(words=not retriever.needs_vectors))
        return first, self.vectors if retriever.needs_vectors else self.texts

    def _found(self, retriever: Retriever, depth: int) -> Node[Rankings]:
        """What a searcher finds. Where other pipelines ask it for more, theirs is computed, and this one cut of it."""
        searcher = self.searcher(retriever)
        direct: tuple[Node[Any], ...] = (searcher, self.queries, self.candidates)
        if retriever.needs_vectors:
            direct += (self.query_vectors,)
        direct += self.fed_by(retriever)
        key = node_key("retrieved", [retriever.searches(), depth, *self.feeding(retriever)], direct)
        deepest = self.deepest.get(self.asked_key(retriever), depth)
        if deepest > depth and self.cuts_exactly(retriever):
            deeper = self._found(retriever, deepest)
            return Node("retrieve", key, (deeper,), lambda run: run.get(deeper).cut(depth), codecs.RANKINGS)
        return Node("retrieve", key, direct, lambda run: self._searched(run, retriever, depth), codecs.RANKINGS)

    def depths(self, retriever: Retriever) -> list[tuple[str, int]]:
        """Return what a searcher is asked for, by `asked_key`, with how deep: twice where feedback searches first."""
        transform, fed = self.pipeline.transform, bool(self.fed_by(retriever))
        asked = [(self.asked_key(retriever), retriever.depth)]
        if not fed or not isinstance(transform, FeedbackTransformer):
            return asked
        first = transform.looks_at(words=not retriever.needs_vectors)
        return [*asked, (self.unfed.asked_key(retriever), first)]

    def cuts_exactly(self, retriever: Retriever) -> bool:
        """Return whether a smaller depth finds just the first of a greater one.

        A graph is searched the wider, the more is asked of it; several queries a question are fused at their depth.
        """
        return self.pipeline.transform.one_query and (self.pipeline.index.exact or not retriever.needs_vectors)

    def search(self, run: Execution, *, vectors: bool) -> Search:
        """Return what is looked for first, with the queries' vectors where they are needed."""
        return Search(run.get(self.queries), run.get(self.candidates), run.get(self.query_vectors) if vectors else None)

    def aimed(self, run: Execution, retriever: Retriever) -> Search:
        """Return what a retriever looks for at last: after its first search, where it is fed by one."""
        search, feed = self.search(run, vectors=retriever.needs_vectors), self.feed(run, retriever)
        return search if feed is None else feed.aimed(search, run.get(self.fed_by(retriever)[0]))

    def _searched(self, run: Execution, retriever: Retriever, depth: int) -> Rankings:
        found = self.aimed(run, retriever).by(run.get(self.searcher(retriever)), depth)
        nothing = int((found.chunk[:, :1] == PADDING).sum())
        if nothing:
            run.note(f"{retriever.name} retrieved nothing at all for {nothing} of {found.n_questions} questions.")
        if retriever.recency_field is not None:
            self._tell_of_undated(run, retriever.recency_field)
        return found

    def _tell_of_undated(self, run: Execution, name: str) -> None:
        codes = run.get(self.chunks).columns[name].codes
        undated = int((codes == PADDING).sum())
        if undated:
            run.note(f"{undated} of {len(codes)} chunks have no date in '{name}': they keep their scores.")

    @cached_property
    def before_rerank(self) -> Node[Rankings]:
        """The ranking of every question as retrieval hands it to the reranker: what is not in it, retrieval lost."""
        found, transform = self.retrieved(self.pipeline.retrieve), self.pipeline.transform
        if not isinstance(transform, FeedbackTransformer) or any(map(self.fed_by, self.pipeline.retrieve.leaves())):
            return found
        kind = "words" if transform.feeds_words else "vectors"
        told = f"{transform.name} changes nothing here: it feeds retrievers by {kind}, and this one has none."

        def work(run: Execution) -> Rankings:
            run.note(told)
            return run.get(found)

        return Node("retrieve", node_key("not fed", transform.name, (found,)), (found,), work, codecs.RANKINGS)

    @cached_property
    def resolution(self) -> Node[Resolution]:
        """The questions with their evidence located in the parsed documents, and what of it is lost there."""
        inputs = (self.documents,)

        def work(run: Execution) -> Resolution:
            return self.dataset.resolution(self.questions, run.get(self.documents), self.pipeline.load)

        return Node("score", node_key("resolution", self.asking.evidence_key, inputs), inputs, work)

    @cached_property
    def gold(self) -> Node[Gold]:
        """The evidence of the questions as spans of the parsed documents."""
        inputs = (self.documents, self.resolution)

        def work(run: Execution) -> Gold:
            return Gold.of(run.get(self.resolution).questions, run.get(self.documents))

        return Node("score", node_key("gold", self.asking.evidence_key, (self.documents,)), inputs, work)

    @cached_property
    def scores(self) -> Node[Scores]:
        """Every metric of every question."""
        inputs = (self.gold, self.documents, self.chunks, self.candidates, self.rankings)
        flattered = flattering(self.pipeline, self.dataset, self.questions)

        def work(run: Execution) -> Scores:
            for note in (*flattered, *run.get(self.resolution).notes()):
                run.note(note)
            n_documents = len(run.get(self.documents))
            found = Evaluation(
                run.get(self.gold), run.get(self.chunks), n_documents, run.get(self.rankings), run.get(self.candidates)
            )
            return self.pipeline.score.score(found)

        told = f" {digest(flattered)}" if flattered else ""
        return Node("score", self._key(f"scores{told}", "score", inputs), inputs, work, codecs.SCORES)


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
            for asked, depth in one.depths(leaf):
                deepest[asked] = max(depth, deepest.get(asked, 0))
    return [replace(one, deepest=deepest) for one in alone]
