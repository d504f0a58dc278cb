"""The same evaluations as a user of llama-index and Chroma would write them: one configuration after the other.

Each configuration splits and embeds anew, fills a Chroma collection and asks it question by question. The embedding is
that of `SentenceTransformer.encode` with its defaults; BM25 is bm25s; the fusion is llama-index's own, without a
language model. MMR is Chroma's, over dense retrieval; with bm25 and hybrid the script leaves it out, which makes it
faster than it would be. `recall@5` is counted from the nodes' start_char_idx.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import bm25s
import chromadb
import numpy as np
import Stemmer
from langchain_text_splitters import RecursiveCharacterTextSplitter
from llama_index.core import Document, StorageContext, VectorStoreIndex
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.llms import MockLLM
from llama_index.core.node_parser import LangchainNodeParser, SentenceSplitter, TokenTextSplitter
from llama_index.core.retrievers import BaseRetriever, QueryFusionRetriever
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode
from llama_index.core.vector_stores import FilterOperator, MetadataFilter, MetadataFilters
from llama_index.vector_stores.chroma import ChromaVectorStore
from pydantic import PrivateAttr

from benchmarks.grids import CHUNKERS, DEPTHS, OBJECTIVE, SIZES, Data, Field
from pipelines.cache import Cache
from pipelines.models.tokens import encoding
from pipelines.models.weights import minilm_folder
from pipelines.pipeline import Pipeline
from pipelines.records import Question
from pipelines.runs.evaluate import evaluate

K = 5
SAME = {"chunk": {"use": "fixed", "size": 256}, "retrieve": {"use": "dense", "depth": K}}
FLOAT32 = {"use": "minilm", "backend": "torch", "precision": "float32", "device": "cpu"}
Configuration = tuple[str, str, str, int, int, bool]  # retriever, reranker, chunker, size, depth, filtered
PART: tuple[Configuration, ...] = (
    ("dense", "none", "sentence", 128, 20, False),
    ("dense", "none", "fixed", 256, 5, True),
    ("dense", "mmr", "recursive", 128, 10, True),
    ("bm25", "none", "fixed", 128, 5, False),
    ("bm25", "none", "sentence", 256, 20, True),
    ("hybrid", "none", "recursive", 256, 10, False),
)


class PlainEmbedding(BaseEmbedding):
    """The model through `encode`, as `HuggingFaceEmbedding` calls it, from the folder that is installed."""

    _model: Any = PrivateAttr()

    def __init__(self) -> None:
        super().__init__(embed_batch_size=32)
        from sentence_transformers import SentenceTransformer

        self._model = SentenceTransformer(str(minilm_folder()), device="cpu")

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._get_text_embeddings([text])[0]

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        vectors: list[list[float]] = self._model.encode(texts).tolist()
        return vectors

    def _get_query_embedding(self, query: str) -> list[float]:
        return self._get_text_embedding(query)

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self._get_text_embedding(query)


class BM25(BaseRetriever):
    """bm25s over the nodes, asked for one question at a time."""

    def __init__(self, nodes: Sequence[TextNode], k: int, allowed: np.ndarray[Any, Any] | None) -> None:
        self._nodes, self._k, self._allowed = nodes, min(k, len(nodes)), allowed
        self._stemmer = Stemmer.Stemmer("english")
        self._index = bm25s.BM25()
        self._index.index(self._tokens([node.text for node in nodes]), show_progress=False)
        super().__init__()

    def _tokens(self, texts: list[str]) -> Any:
        return bm25s.tokenize(texts, stopwords="en", stemmer=self._stemmer, show_progress=False)

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        tokens = self._tokens([query_bundle.query_str])
        found, scores = self._index.retrieve(tokens, k=self._k, weight_mask=self._allowed, show_progress=False)
        return [NodeWithScore(node=self._nodes[i], score=float(s)) for i, s in zip(found[0], scores[0], strict=True)]


def splitter(chunker: str, size: int) -> Any:
    """Return the splitter that comes nearest to ours of that name."""
    if chunker == "fixed":
        return TokenTextSplitter(chunk_size=size, chunk_overlap=0)
    if chunker == "recursive":
        cut = RecursiveCharacterTextSplitter.from_tiktoken_encoder("cl100k_base", chunk_size=size, chunk_overlap=0)
        return LangchainNodeParser(cut)
    return SentenceSplitter(chunk_size=size, chunk_overlap=0)


def documents_of(of: Data) -> list[Document]:
    """Return the documents with their metadata, of which nothing is embedded."""
    found = of.dataset.documents()
    return [
        Document(
            text=one.text, doc_id=one.id, metadata=dict(one.metadata), excluded_embed_metadata_keys=[*one.metadata]
        )
        for one in (found[i] for i in range(len(found)))
    ]


def index_of(nodes: Sequence[TextNode], embedding: BaseEmbedding, **hnsw: Any) -> VectorStoreIndex:
    """Embed the nodes and put them into a Chroma collection."""
    configuration = {"hnsw": {"space": "cosine", **hnsw}}
    collection = chromadb.EphemeralClient().create_collection(uuid.uuid4().hex, configuration=configuration)
    context = StorageContext.from_defaults(vector_store=ChromaVectorStore(chroma_collection=collection))
    return VectorStoreIndex(list(nodes), storage_context=context, embed_model=embedding)


def filters_of(field: Field) -> MetadataFilters:
    """Return a condition as llama-index writes it."""
    operator = {"$in": FilterOperator.IN, "$gte": FilterOperator.GTE}[field.operator]
    return MetadataFilters(filters=[MetadataFilter(key=field.name, value=field.value, operator=operator)])


def retriever_of(
    nodes: Sequence[TextNode], one: Configuration, field: Field, embedding: BaseEmbedding
) -> BaseRetriever:
    """Return what is asked for each question."""
    kind, rerank, _, _, depth, filtered = one
    if kind == "bm25":
        return BM25(nodes, depth, _allowed(nodes, field) if filtered else None)
    mode = {"vector_store_query_mode": "mmr"} if rerank == "mmr" else {}
    more = {"filters": filters_of(field)} if filtered else {}
    dense = index_of(nodes, embedding).as_retriever(similarity_top_k=depth, **mode, **more)
    if kind == "dense":
        return dense
    both = [dense, BM25(nodes, depth, _allowed(nodes, field) if filtered else None)]
    return QueryFusionRetriever(
        both, llm=MockLLM(), mode="reciprocal_rerank", similarity_top_k=depth, num_queries=1, use_async=False
    )


def _allowed(nodes: Sequence[TextNode], field: Field) -> np.ndarray[Any, Any]:
    values = [node.metadata.get(field.name) for node in nodes]
    met = [v in field.value if field.operator == "$in" else v is not None and v >= field.value for v in values]
    return np.asarray(met, dtype=np.float32)


def recall(retriever: BaseRetriever, questions: Sequence[Question]) -> list[float]:
    """Return the share of each question's evidence that the first five nodes cover; those without evidence left out."""
    found = []
    for question in questions:
        nodes = [one.node for one in retriever.retrieve(question.text)[:K]]
        gold = {(e.document_id, i) for e in question.evidence for i in range(e.start or 0, e.end or 0)}
        got = {
            (node.ref_doc_id or node.metadata["document"], i)
            for node in nodes
            for i in range(node.start_char_idx or 0, node.end_char_idx or 0)
        }
        found += [len(gold & got) / len(gold)] if gold else []
    return found


def evaluated(documents: list[Document], of: Data, one: Configuration, embedding: BaseEmbedding) -> float:
    """Evaluate one configuration from nothing, and return its mean recall."""
    nodes = splitter(one[2], one[3]).get_nodes_from_documents(documents)
    return float(np.mean(recall(retriever_of(nodes, one, of.field, embedding), of.dataset.resolved())))


def measured(of: Data, place: Path, quick: bool = False) -> dict[str, Any]:
    """Time a part of the grid, extrapolate, and compare the recall where the components are the same."""
    encoding()  # tells tiktoken where its file lies
    embedding, documents = PlainEmbedding(), documents_of(of)
    embedding.get_text_embedding("Loaded before the clock starts.")
    taken: dict[tuple[str, str], list[float]] = {}
    rows = []
    for one in PART[1::2] if quick else PART:
        started = time.perf_counter()
        mean = evaluated(documents, of, one, embedding)
        seconds = time.perf_counter() - started
        taken.setdefault(one[:2], []).append(seconds)
        rows.append({"configuration": " ".join(map(str, one)), "seconds": seconds, OBJECTIVE: mean})
    return {
        "llama_index_measured": len(rows),
        "llama_index_measured_s": sum(sum(each) for each in taken.values()),
        "llama_index_extrapolated_s": _extrapolated({kind: sum(s) / len(s) for kind, s in taken.items()}, quick),
        "llama_index_rows": rows,
        **same_components(of, place, embedding),
    }


def _extrapolated(means: dict[tuple[str, str], float], quick: bool) -> float:
    """Return the seconds for the grid: each kind counts a sixth of it, and those with no MMR here as those without."""
    dense, bm25 = means[("dense", "none")], means[("bm25", "none")]
    if quick:
        return 16 / 4 * (2 * dense + 2 * bm25)
    a_kind = len(CHUNKERS) * len(SIZES) * len(DEPTHS) * 2
    return a_kind * (dense + means[("dense", "mmr")] + 2 * bm25 + 2 * means[("hybrid", "none")])


def same_components(of: Data, place: Path, embedding: BaseEmbedding) -> dict[str, float]:
    """Give both the same chunks and exact search in float32, and return both recalls and their difference."""
    pipeline = Pipeline.parse({**SAME, "embed": FLOAT32})
    ours = evaluate(pipeline, of.dataset, Cache(place / "same")).run.measured(OBJECTIVE)
    assert ours is not None and ours.mean is not None
    found = of.dataset.documents()
    chunks = pipeline.chunk.chunk(found)
    places = zip(chunks.document.tolist(), chunks.start.tolist(), chunks.end.tolist(), strict=True)
    nodes = [
        TextNode(text=found.texts[d][s:e], start_char_idx=s, end_char_idx=e, metadata={"document": found.ids[d]})
        for d, s, e in places
    ]
    for node in nodes:
        node.excluded_embed_metadata_keys = ["document"]
    wide = {"ef_search": len(nodes), "ef_construction": 400, "max_neighbors": 64}  # as good as exact
    retriever = index_of(nodes, embedding, **wide).as_retriever(similarity_top_k=K)
    theirs = float(np.mean(recall(retriever, of.dataset.resolved())))
    difference = abs(theirs - ours.mean)
    assert difference <= 1e-6, f"the same components, and a recall of {theirs} beside {ours.mean}"
    return {"same_components_ours": ours.mean, "same_components_llama_index": theirs, "same_difference": difference}
