"""What a pipeline makes of one document: its chunks with all that they carry, before anything is run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from pipelines.cache import Cache
from pipelines.codecs import DOCUMENTS
from pipelines.errors import NotFoundError, did_you_mean, shorten
from pipelines.execution import Execution, Node, Watch, node_key, unwatched
from pipelines.golden.dataset import Dataset
from pipelines.pipeline import Pipeline
from pipelines.planning.corpus import CorpusPlan
from pipelines.records import Chunks, Column, Document, Documents, MetadataValue
from pipelines.settings import cache_folder


@dataclass(frozen=True)
class PreviewedChunk:
    """A chunk as half-open spans of its document, with its context span, length and metadata.

    `marks` says on which page, in which section and in which table it begins, by kind.
    """

    start: int
    end: int
    context_start: int
    context_end: int
    tokens: int
    marks: Mapping[str, MetadataValue]
    metadata: Mapping[str, MetadataValue]


@dataclass(frozen=True)
class Preview:
    """A document as the pipeline reads it, and its chunks in order."""

    document: Document
    chunks: tuple[PreviewedChunk, ...]


@dataclass(frozen=True)
class _OfOne(CorpusPlan):
    """The plan of a corpus, cut down to one of its documents: chunkers and extractors see nothing else."""

    document_id: str = ""

    @cached_property
    def documents(self) -> Node[Documents]:
        """The one document, parsed with all the others."""
        everything = CorpusPlan(self.pipeline, self.dataset).documents
        key = node_key("one document", self.document_id, (everything,))

        def work(run: Execution) -> Documents:
            documents = run.get(everything)
            return Documents.of([documents[documents.position[self.document_id]]])

        return Node(everything.stage, key, (everything,), work, DOCUMENTS)


def document_ids(pipeline: Pipeline, dataset: Dataset, watch: Watch = unwatched) -> tuple[str, ...]:
    """Return the ids of the documents as the pipeline's loader reads them, in order."""
    return Execution(Cache(cache_folder()), watch).get(CorpusPlan(pipeline, dataset).documents).ids


def preview(pipeline: Pipeline, dataset: Dataset, document_id: str, watch: Watch = unwatched) -> Preview:
    """Load, cut and extract from one document. What extractors learn from the whole corpus they learn from it alone.

    Raises:
        NotFoundError: when the dataset has no such document.
    """
    known = document_ids(pipeline, dataset, watch)
    if document_id not in known:
        raise NotFoundError(
            f"The dataset '{shorten(dataset.name)}' has no document '{shorten(document_id)}'; choose another."
            f"{did_you_mean(document_id, known)}"
        )
    plan, run = _OfOne(pipeline, dataset, document_id), Execution(Cache(cache_folder()), watch)
    documents, chunks = run.get(plan.documents), run.get(plan.chunks)
    begun = {kind: marks.at(chunks.document, chunks.start) for kind, marks in documents.marks.items()}
    return Preview(documents[0], tuple(_chunk(chunks, begun, i) for i in range(len(chunks))))


def _chunk(chunks: Chunks, begun: Mapping[str, Column], i: int) -> PreviewedChunk:
    marks = {kind: column[i] for kind, column in begun.items()}
    metadata = {name: column[i] for name, column in chunks.columns.items()}
    return PreviewedChunk(
        start=int(chunks.start[i]),
        end=int(chunks.end[i]),
        context_start=int(chunks.context_start[i]),
        context_end=int(chunks.context_end[i]),
        tokens=int(chunks.tokens[i]),
        marks={kind: value for kind, value in marks.items() if value is not None},
        metadata={name: value for name, value in metadata.items() if value is not None},
    )
