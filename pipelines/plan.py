"""Which stage executions a pipeline needs on a dataset, and on what each of them depends: nothing is computed here."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from pipelines import codecs
from pipelines.cache import Codec, DamagedArtefact
from pipelines.component import digest
from pipelines.errors import storage_errors
from pipelines.execution import Execution, Node, node_key
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
from pipelines.stages.rerank import Retrieved
from pipelines.stages.retrieve import Corpus, Lookup, Retriever, Searcher
from pipelines.stages.score import Evaluation
from pipelines.topk import fuse

_RRF_K = 60


def _move_in(built: Path, folder: Path) -> None:
    for path in built.iterdir():
        shutil.move(str(path), folder / path.name)
    built.rmdir()


_FOLDER: Codec[Path] = Codec(_move_in, lambda folder: folder, mutable=True)


@dataclass(frozen=True)
class Plan:
    """The stage executions of one pipeline over some questions of one dataset, as nodes of a graph.

    Each node's key holds what its output depends on and nothing else: adding a question embeds no document again,
    correcting an evidence span retrieves nothing again.
    """

    pipeline: Pipeline
    dataset: Dataset
    questions: tuple[Question, ...]

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
    def vectors(self) -> Node[FloatArray]:
        """One vector a chunk."""
        inputs = (self.texts,)
        return Node("embed", self._key("vectors", "embed", inputs), inputs, self._embed_chunks, codecs.VECTORS)

    def _embed_chunks(self, run: Execution) -> FloatArray:
        texts = run.get(self.texts)
        embedded = self.pipeline.embed.embed_documents(texts, run.progress("embed"))
        if embedded.n_truncated:
            run.note(
                f"{embedded.n_truncated} of {len(texts)} chunks are longer than the {embedded.max_tokens} tokens that "
                f"{self.pipeline.embed.name} reads: what lies beyond was not embedded."
            )
        return embedded.vectors

    @cached_property
    def queries(self) -> Node[Queries]:
        """What is searched for."""
        texts = [question.text for question in self.questions]
        key = digest({"what": "queries", "by": self.pipeline.transform.fingerprint(), "to": texts})
        return Node("transform", key, (), lambda _: self.pipeline.transform.transform(texts))

    @cached_property
    def query_vectors(self) -> Node[FloatArray]:
        """One vector a query."""
        inputs = (self.queries,)

        def work(run: Execution) -> FloatArray:
            return self.pipeline.embed.embed_queries(run.get(self.queries).texts, run.progress("embed")).vectors

        return Node("embed", self._key("query vectors", "embed", inputs), inputs, work, codecs.VECTORS)

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
            folder = run.cache.root / "incoming" / f"index-{uuid.uuid4().hex[:8]}"
            with storage_errors(folder, "make room for an index"):
                folder.mkdir(parents=True)
            try:
                self.pipeline.index.build(run.get(self.vectors), folder)
            except BaseException:
                shutil.rmtree(folder, ignore_errors=True)
                raise
            return folder

        return Node("index", self._key("index", "index", inputs), inputs, work, _FOLDER)

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
                return _Guarded(index.open(run.get(self.vectors), run.get(self.built_index)), self.built_index)
            except RuntimeError as error:
                raise DamagedArtefact("index", self.built_index.key, str(error)) from error

        return Node("index", self._key("opened", "index", inputs), inputs, work)

    @cached_property
    def candidates(self) -> Node[Candidates]:
        """Which chunks may be returned for each question."""
        asked = [Asked(question.text, question.filter) for question in self.questions]
        inputs = (self.chunks,)
        identity = {"filter": self.pipeline.filter.fingerprint(), "asked": [asdict(a) for a in asked]}

        def work(run: Execution) -> Candidates:
            chunks = run.get(self.chunks)
            return self.pipeline.filter.candidates(asked, chunks.columns, len(chunks))

        codec = None if self.pipeline.filter.identity else codecs.CANDIDATES
        return Node("filter", node_key("candidates", identity, inputs), inputs, work, codec)

    def searcher(self, retriever: Retriever) -> Node[Searcher]:
        """A retriever that has read the corpus."""
        inputs: tuple[Node[Any], ...] = (self.texts, self.index) if retriever.needs_vectors else (self.texts,)

        def work(run: Execution) -> Searcher:
            index = run.get(self.index) if retriever.needs_vectors else None
            return retriever.open(Corpus(run.get(self.texts), index))

        return Node("retrieve", node_key("searcher", retriever.fingerprint(), inputs), inputs, work)

    def retrieved(self, retriever: Retriever) -> Node[Rankings]:
        """The ranking of every question by one retriever; the parts of a fusion are executions of their own."""
        parts = {name: self.retrieved(part) for name, part in retriever.parts().items()}
        if parts:
            inputs: tuple[Node[Any], ...] = tuple(parts.values())
            key = node_key("fused", retriever.fingerprint(), inputs)
            return Node(
                "retrieve",
                key,
                inputs,
                lambda run: retriever.fuse({n: run.get(p) for n, p in parts.items()}),
                codecs.RANKINGS,
            )
        searcher = self.searcher(retriever)
        inputs = (searcher, self.queries, self.candidates)
        if retriever.needs_vectors:
            inputs += (self.query_vectors,)

        def work(run: Execution) -> Rankings:
            queries, candidates = run.get(self.queries), run.get(self.candidates)
            vectors = run.get(self.query_vectors) if retriever.needs_vectors else None
            asked = Candidates(candidates.mask[queries.question], candidates.allowed)
            found = self.per_question(run.get(searcher).search(Lookup(queries.texts, asked, vectors)), queries)
            nothing = int((found.chunk[:, :1] == PADDING).sum())
            if nothing:
                run.note(f"{retriever.name} retrieved nothing at all for {nothing} of {found.n_questions} questions.")
            return found

        return Node("retrieve", node_key("retrieved", retriever.fingerprint(), inputs), inputs, work, codecs.RANKINGS)

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
            asked = [question.text for question in self.questions]
            return rerank.rerank(Retrieved(run.get(retrieved), asked, texts, *vectors), run.progress("rerank"))

        asked_key = digest([question.text for question in self.questions])
        return Node(
            "rerank", node_key("reranked", [rerank.fingerprint(), asked_key], inputs), inputs, work, codecs.RANKINGS
        )

    @cached_property
    def scores(self) -> Node[Scores]:
        """Every metric of every question."""
        inputs = (self.documents, self.chunks, self.candidates, self.rankings)
        identity = [self.pipeline.score.fingerprint(), [[asdict(e) for e in q.evidence] for q in self.questions]]

        def work(run: Execution) -> Scores:
            documents = run.get(self.documents)
            gold = Gold.of(resolve(self.questions, documents), documents)
            chunks, rankings = run.get(self.chunks), run.get(self.rankings)
            return self.pipeline.score.score(
                Evaluation(gold, chunks, len(documents), rankings, run.get(self.candidates))
            )

        return Node("score", node_key("scores", identity, inputs), inputs, work, codecs.SCORES)


@dataclass(frozen=True)
class _Guarded:
    """An index on disk: whatever goes wrong while it is searched condemns the folder, which is then built again."""

    searchable: Searchable
    built: Node[Path]

    def search(self, queries: FloatArray, depth: int, allowed: Any) -> Rankings:
        try:
            return self.searchable.search(queries, depth, allowed)
        except RuntimeError as error:
            raise DamagedArtefact("index", self.built.key, str(error)) from error


def plan(pipeline: Pipeline, dataset: Dataset, questions: Sequence[Question]) -> Plan:
    """Return the stage executions of `pipeline` over `questions` of `dataset`."""
    return Plan(pipeline, dataset, tuple(questions))
