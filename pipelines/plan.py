"""Which stage executions a pipeline needs on a dataset, and on what each of them depends: nothing is computed here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from pipelines import codecs
from pipelines.by_text import Encoding, reranked_by_pairs
from pipelines.cache import DamagedArtefact
from pipelines.component import digest
from pipelines.execution import Execution, Node, node_key
from pipelines.folders import FOLDER, LIVING_FOLDER, GuardedIndex, made_aside
from pipelines.golden.dataset import Dataset
from pipelines.golden.resolve import resolve
from pipelines.models.tokens import count_contexts
from pipelines.pipeline import Pipeline
from pipelines.records import (
    PADDING,
    Candidates,
    Chunks,
    Documents,
    FloatArray,
    Gold,
    Queries,
    Question,
    Rankings,
    Scores,
    Searchable,
)
from pipelines.stages.filter import Asked
from pipelines.stages.rerank import PairReranker, Retrieved
from pipelines.stages.retrieve import Corpus, Lookup, Retriever, Searcher
from pipelines.stages.score import Evaluation
from pipelines.topk import fuse

_RRF_K = 60


@dataclass(frozen=True)
class Asking:
    """The questions under evaluation, with the digests that keys are made of: worked out once for many pipelines."""

    questions: tuple[Question, ...]

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """The text of every question."""
        return tuple(question.text for question in self.questions)

    @cached_property
    def asked(self) -> tuple[Asked, ...]:
        """What a filter may know of every question."""
        return tuple(Asked(question.text, question.filter) for question in self.questions)

    @cached_property
    def texts_key(self) -> str:
        """A digest of the texts."""
        return digest(list(self.texts))

    @cached_property
    def asked_key(self) -> str:
        """A digest of what a filter may know."""
        return digest([asdict(one) for one in self.asked])

    @cached_property
    def evidence_key(self) -> str:
        """A digest of the gold."""
        return digest([[asdict(e) for e in q.evidence] for q in self.questions])


@dataclass(frozen=True)
class Plan:
    """The stage executions of one pipeline over some questions of one dataset, as nodes of a graph.

    Each node's key holds what its output depends on and nothing else: adding a question embeds no document again,
    correcting an evidence span retrieves nothing again. `deepest` is for many pipelines at once: the greatest depth at
    which any of them asks a searcher (by its key), of which smaller depths are then cut.
    """

    pipeline: Pipeline
    dataset: Dataset
    asking: Asking
    deepest: Mapping[str, int] = field(default_factory=dict)

    @property
    def questions(self) -> tuple[Question, ...]:
        """The questions under evaluation."""
        return self.asking.questions

    def _key(self, what: str, stage: str, inputs: tuple[Node[Any], ...]) -> str:
        return node_key(what, self.pipeline.components[stage].fingerprint(), inputs)

    @cached_property
    def documents(self) -> Node[Documents]:
        """The parsed documents."""
        load = self.pipeline.load
        key = digest({"what": "documents", "by": load.fingerprint(), "to": self.dataset.documents_version})
        return Node("load", key, (), lambda _: self.dataset.documents(load), codecs.DOCUMENTS)

    @cached_property
    def chunks(self) -> Node[Chunks]:
        """The chunks with their tokens counted and the documents' metadata, and what `extract` adds."""
        inputs = (self.documents,)
        cut = Node("chunk", self._key("chunks", "chunk", inputs), inputs, self._chunk, codecs.CHUNKS)
        extract = self.pipeline.extract
        if extract.identity:
            return cut
        both = (self.documents, cut)

        def work(run: Execution) -> Chunks:
            chunks = run.get(cut)
            return replace(chunks, columns={**chunks.columns, **extract.extract(run.get(self.documents), chunks)})

        return Node("extract", self._key("extracted", "extract", both), both, work, codecs.CHUNKS)

    def _chunk(self, run: Execution) -> Chunks:
        documents = run.get(self.documents)
        chunks = self.pipeline.chunk.chunk(documents)
        inherited = {name: column.take(chunks.document) for name, column in documents.columns.items()}
        columns = {**inherited, **chunks.columns}
        return replace(chunks, tokens=count_contexts(chunks, documents), columns=columns)

    @cached_property
    def texts(self) -> Node[Sequence[str]]:
        """The text of every chunk."""
        inputs = (self.documents, self.chunks)
        return Node(
            "chunk",
            node_key("texts", "", inputs),
            inputs,
            lambda run: run.get(self.chunks).texts(run.get(self.documents)),
        )

    @cached_property
    def fitted(self) -> Node[Path] | None:
        """What the embedder makes of the corpus before it embeds, such as a calibrated model; None for most."""
        embed = self.pipeline.embed
        if not embed.fits():
            return None
        inputs = (self.documents,)

        def work(run: Execution) -> Path:
            documents = run.get(self.documents)
            return made_aside(run, "model", lambda folder: embed.fit(documents, folder, run.progress("embed")))

        return Node("embed", node_key("fitted", dict(embed.fit_identity()), inputs), inputs, work, FOLDER)

    def _encoding(self, run: Execution, *, queries: bool) -> Encoding:
        fitted = self.fitted
        folder, key = (None, "") if fitted is None else (run.get(fitted), fitted.key)
        return Encoding(self.pipeline.embed, folder, key, queries)

    def _embedding(self, what: str, texts: Node[Any], work: Callable[[Execution], FloatArray]) -> Node[FloatArray]:
        inputs: tuple[Node[Any], ...] = (texts,) if self.fitted is None else (texts, self.fitted)
        return Node("embed", self._key(what, "embed", inputs), inputs, work, codecs.VECTORS)

    @cached_property
    def vectors(self) -> Node[FloatArray]:
        """One vector a chunk; a text that any chunking embedded before is looked up."""
        return self._embedding(
            "vectors", self.texts, lambda run: self._encoding(run, queries=False).vectors(run, run.get(self.texts))
        )

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
    def built_index(self) -> Node[Path]:
        """The folder of a persistent index."""
        inputs = (self.vectors,)

        def work(run: Execution) -> Path:
            vectors = run.get(self.vectors)
            return made_aside(run, "index", lambda folder: self.pipeline.index.build(vectors, folder))

        return Node("index", self._key("index", "index", inputs), inputs, work, LIVING_FOLDER)

    @cached_property
    def index(self) -> Node[Searchable]:
        """The opened index."""
        index = self.pipeline.index
        if not index.persistent:
            inputs: tuple[Node[Any], ...] = (self.vectors,)
            return Node(
                "index",
                self._key("opened", "index", inputs),
                inputs,
                lambda run: index.open(run.get(self.vectors), None),
            )
        inputs = (self.vectors, self.built_index)

        def work(run: Execution) -> Searchable:
            try:
                return GuardedIndex(index.open(run.get(self.vectors), run.get(self.built_index)), self.built_index)
            except RuntimeError as error:
                raise DamagedArtefact("index", self.built_index.key, str(error)) from error

        return Node("index", self._key("opened", "index", inputs), inputs, work)

    @cached_property
    def candidates(self) -> Node[Candidates]:
        """Which chunks may be returned for each question."""
        inputs = (self.chunks,)
        identity = {"filter": self.pipeline.filter.fingerprint(), "asked": self.asking.asked_key}

        def work(run: Execution) -> Candidates:
            chunks = run.get(self.chunks)
            return self.pipeline.filter.candidates(self.asking.asked, chunks.columns, len(chunks))

        codec = None if self.pipeline.filter.identity else codecs.CANDIDATES
        return Node("filter", node_key("candidates", identity, inputs), inputs, work, codec)

    def searcher(self, retriever: Retriever) -> Node[Searcher]:
        """A retriever that has read the corpus."""
        inputs: tuple[Node[Any], ...] = (self.texts, self.index) if retriever.needs_vectors else (self.texts,)

        def work(run: Execution) -> Searcher:
            index = run.get(self.index) if retriever.needs_vectors else None
            return retriever.open(Corpus(run.get(self.texts), index))

        return Node("retrieve", node_key("searcher", retriever.searches(), inputs), inputs, work)

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
        inputs = tuple(parts.values())
        key = node_key("fused", [retriever.searches(), retriever.depth], inputs)
        return Node(
            "retrieve",
            key,
            inputs,
            lambda run: retriever.fuse({n: run.get(p) for n, p in parts.items()}),
            codecs.RANKINGS,
        )

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

    def _searched(self, run: Execution, retriever: Retriever, depth: int) -> Rankings:
        queries, candidates = run.get(self.queries), run.get(self.candidates)
        vectors = run.get(self.query_vectors) if retriever.needs_vectors else None
        asked = Candidates(candidates.mask[queries.question], candidates.allowed)
        lookup = Lookup(queries.texts, asked, vectors, depth)
        found = self.per_question(run.get(self.searcher(retriever)).search(lookup), queries)
        nothing = int((found.chunk[:, :1] == PADDING).sum())
        if nothing:
            run.note(f"{retriever.name} retrieved nothing at all for {nothing} of {found.n_questions} questions.")
        return found

    @staticmethod
    def per_question(rankings: Rankings, queries: Queries) -> Rankings:
        """Fuse the rankings of a question's several queries by reciprocal rank; a single one stays as it is."""
        if len(queries.texts) == queries.n_questions:
            return rankings
        gain = np.broadcast_to(1.0 / (_RRF_K + np.arange(1, rankings.depth + 1)), rankings.chunk.shape)
        nth = np.arange(len(queries.question)) - np.searchsorted(queries.question, queries.question)
        parts = []
        for n in range(int(nth.max()) + 1):
            chunk = np.full((queries.n_questions, rankings.depth), PADDING, dtype=np.int32)
            earned = np.zeros(chunk.shape)
            rows = queries.question[nth == n]
            chunk[rows], earned[rows] = rankings.chunk[nth == n], gain[nth == n]
            parts.append((chunk, earned))
        return fuse(parts, rankings.depth)

    @cached_property
    def rankings(self) -> Node[Rankings]:
        """The final ranking of every question."""
        retrieved = self.retrieved(self.pipeline.retrieve)
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
    def scores(self) -> Node[Scores]:
        """Every metric of every question."""
        inputs = (self.documents, self.chunks, self.candidates, self.rankings)
        identity = [self.pipeline.score.fingerprint(), self.asking.evidence_key]

        def work(run: Execution) -> Scores:
            documents = run.get(self.documents)
            gold = Gold.of(resolve(self.questions, documents), documents)
            chunks, rankings = run.get(self.chunks), run.get(self.rankings)
            return self.pipeline.score.score(
                Evaluation(gold, chunks, len(documents), rankings, run.get(self.candidates))
            )

        return Node("score", node_key("scores", identity, inputs), inputs, work, codecs.SCORES)


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
