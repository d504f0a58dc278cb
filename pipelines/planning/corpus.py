"""The offline half of a pipeline as stage executions: from the dataset's bytes to an opened index."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from pipelines import codecs
from pipelines.cache import DamagedArtefact
from pipelines.component import Component, digest
from pipelines.execution import Execution, Node, node_key
from pipelines.golden.dataset import Dataset
from pipelines.golden.loading import notes_on_files
from pipelines.models.tokens import count_contexts
from pipelines.pipeline import Pipeline
from pipelines.planning.by_text import Encoding
from pipelines.planning.folders import FOLDER, LIVING_FOLDER, GuardedIndex, made_aside
from pipelines.records import Chunks, Documents, FloatArray, Searchable
from pipelines.stages.chunk import Encode
from pipelines.stages.embed import Embedder, TrainedEmbedder
from pipelines.stages.embed.headers import HEADERS_VERSION, Header, headed_texts
from pipelines.stages.extract.found import extraction_notes


@dataclass(frozen=True)
class CorpusPlan:
    """The stage executions of one pipeline that depend on the documents alone, as nodes of a graph."""

    pipeline: Pipeline
    dataset: Dataset

    def _key(self, what: str, stage: str, inputs: tuple[Node[Any], ...]) -> str:
        return node_key(what, self.pipeline.components[stage].fingerprint(), inputs)

    @cached_property
    def documents(self) -> Node[Documents]:
        """The parsed documents."""
        load = self.pipeline.load
        key = digest({"what": "documents", "by": load.fingerprint(), "to": self.dataset.documents_version})

        def work(run: Execution) -> Documents:
            documents, loaded = self.dataset.load(load, run.progress("load"), run.cache if run.keep else None)
            for note in notes_on_files(loaded):
                run.note(note)
            return documents

        return Node("load", key, (), work, codecs.DOCUMENTS)

    @cached_property
    def cut(self) -> Node[Chunks]:
        """The chunks with their tokens counted, the documents' metadata, and page, section and table where marked."""
        inputs = (self.documents,)
        return Node("chunk", self._key("chunks", "chunk", inputs), inputs, self._chunk, codecs.CHUNKS)

    @cached_property
    def chunks(self) -> Node[Chunks]:
        """The chunks with what `extract` adds to them."""
        extract = self.pipeline.extract
        if extract.identity:
            return self.cut
        both = (self.documents, self.cut)

        def work(run: Execution) -> Chunks:
            documents, chunks = run.get(self.documents), run.get(self.cut)
            extracted = extract.extract(documents, chunks)
            for told in extraction_notes(extracted, documents, chunks):
                run.note(told)
            return replace(chunks, columns=extract.added(chunks, extracted))

        return Node("extract", self._key("extracted", "extract", both), both, work, codecs.CHUNKS)

    def _chunk(self, run: Execution) -> Chunks:
        """Cut; what the documents' metadata say stands above what their marks say of the place where a chunk begins."""
        documents = run.get(self.documents)
        chunks = self.pipeline.chunk.chunk(documents, self._reader(run))
        marked = {kind: marks.at(chunks.document, chunks.start) for kind, marks in documents.marks.items()}
        inherited = {name: column.take(chunks.document) for name, column in documents.columns.items()}
        columns = {**marked, **inherited, **chunks.columns}
        return replace(chunks, tokens=count_contexts(chunks, documents), columns=columns)

    def _reader(self, run: Execution) -> Encode | None:
        """Return what encodes texts for a chunker that cuts by meaning: each text once, whatever chunker asks."""
        encoder = self.pipeline.chunk.encoder()
        if not isinstance(encoder, Embedder):
            return None
        encoding = Encoding(encoder, None, "", queries=False, stage="chunk")
        return lambda texts: encoding.vectors(run, texts)

    @cached_property
    def texts(self) -> Node[Sequence[str]]:
        """The text of every chunk: whatever is extracted of them, they are cut alike."""
        inputs = (self.documents, self.cut)
        return Node(
            "chunk",
            node_key("texts", "", inputs),
            inputs,
            lambda run: run.get(self.cut).texts(run.get(self.documents)),
        )

    @cached_property
    def trained(self) -> Node[Path] | None:
        """What an embedder learns from the train split; None for most, and where no questions are known."""
        return None

    @cached_property
    def fitted(self) -> Node[Path] | None:
        """What the embedder makes before it embeds, such as a calibrated or a finetuned model; None for most."""
        embed = self.pipeline.embed
        if not embed.fits():
            return None
        if isinstance(embed, TrainedEmbedder):
            return self.trained
        inputs: tuple[Node[Any], ...] = (self.documents,) if embed.fits_documents else ()

        def work(run: Execution) -> Path:
            documents = run.get(self.documents) if embed.fits_documents else Documents.of([])
            return made_aside(run, "model", lambda folder: embed.fit(documents, folder, run.progress("embed")))

        return Node("embed", node_key("fitted", dict(embed.fit_identity()), inputs), inputs, work, FOLDER)

    @cached_property
    def embedded_texts(self) -> Node[Sequence[str]]:
        """The text that is embedded for every chunk: its own, with a header before it where the embedder wants one."""
        return self.texts_under(self.pipeline.embed.header)

    def texts_under(self, header: Header) -> Node[Sequence[str]]:
        """The text of every chunk with a header before it."""
        if header == "none":
            return self.texts
        inputs = (self.documents, self.cut)
        key = node_key("headed texts", [header, HEADERS_VERSION], inputs)
        return Node("embed", key, inputs, lambda run: headed_texts(run.get(self.documents), run.get(self.cut), header))

    def _encoding(self, run: Execution, *, queries: bool) -> Encoding:
        fitted = self.fitted
        folder, key = (None, "") if fitted is None else (run.get(fitted), fitted.key)
        return Encoding(self.pipeline.embed, folder, key, queries)

    def _embedding(self, what: str, texts: Node[Any], work: Callable[[Execution], FloatArray]) -> Node[FloatArray]:
        inputs: tuple[Node[Any], ...] = (texts,) if self.fitted is None else (texts, self.fitted)
        return Node("embed", self._key(what, "embed", inputs), inputs, work, codecs.VECTORS)

    def with_components(self, **components: Component) -> Self:
        """Return the same plan with other components at some stages."""
        return replace(self, pipeline=Pipeline({**self.pipeline.components, **components}))

    @cached_property
    def vectors(self) -> Node[FloatArray]:
        """One vector a chunk; a text that any chunking embedded before is looked up."""
        texts, of_documents = self.embedded_texts, self.pipeline.embed.of_documents()
        if of_documents is not self.pipeline.embed:
            return self.with_components(embed=of_documents).vectors
        return self._embedding(
            "vectors", texts, lambda run: self._encoding(run, queries=False).vectors(run, run.get(texts))
        )

    @cached_property
    def built_index(self) -> Node[Path]:
        """The folder of a persistent index."""
        inputs = (self.vectors,)

        def work(run: Execution) -> Path:
            vectors = run.get(self.vectors)
            return made_aside(run, "index", lambda folder: self.pipeline.index.build(vectors, folder))

        return Node("index", node_key("index", self.pipeline.index.builds(), inputs), inputs, work, LIVING_FOLDER)

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
