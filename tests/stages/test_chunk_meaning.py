"""Chunkers that read: llama-index's splitter in its places, and the best groups against all there are."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.node_parser import SemanticSplitterNodeParser
from llama_index.core.schema import Document as LlamaDocument

from pipelines.models.sentences import sentences
from pipelines.records import Document, Documents, FloatArray
from pipelines.stages.chunk.cluster import ClusterChunker, best_breaks, mean_similarity
from pipelines.stages.chunk.semantic import SemanticChunker
from tests.contracts.test_chunkers import drawn

MERIDIAN = Path(__file__).parents[2] / "datasets" / "meridian" / "documents.jsonl"
TEXTS = [json.loads(line)["text"] for line in MERIDIAN.read_text(encoding="utf-8").splitlines()[:6]]


class Drawn(BaseEmbedding):  # type: ignore[misc]
    """The drawn vectors, as a model of llama-index's own kind."""

    def _get_text_embedding(self, text: str) -> list[float]:
        return [float(value) for value in drawn([text])[0]]

    _get_query_embedding = _get_text_embedding

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self._get_text_embedding(query)


@pytest.mark.parametrize(("buffer", "breakpoint"), [(0, 90), (1, 50), (2, 95)])
def test_semantic_chunks_are_the_library_s(buffer: int, breakpoint: int) -> None:
    chunker = SemanticChunker(buffer=buffer, breakpoint=breakpoint, size=8192)
    documents = Documents.of([Document(str(i), text) for i, text in enumerate(TEXTS)])
    ours = chunker.chunk(documents, drawn).texts(documents)
    plain = SemanticSplitterNodeParser(
        embed_model=Drawn(),
        buffer_size=buffer,
        breakpoint_percentile_threshold=breakpoint,
        sentence_splitter=lambda text: [text[start:end] for start, end in sentences(text)],
    )
    theirs = [node.text for text in TEXTS for node in plain.get_nodes_from_documents([LlamaDocument(text=text)])]
    assert ours == theirs
    assert len(ours) > 2 * len(TEXTS)


def test_each_text_is_asked_for_in_one_call_and_just_those_that_are_announced() -> None:
    asked: list[list[str]] = []

    def encode(texts: Sequence[str]) -> FloatArray:
        asked.append(list(texts))
        return drawn(texts)

    documents = Documents.of([Document(str(i), text) for i, text in enumerate([*TEXTS, "", "One sentence."])])
    for chunker in (SemanticChunker(), ClusterChunker()):
        chunker.chunk(documents, encode)
        assert asked.pop() == chunker.texts_read(documents)
        assert not asked


def test_without_an_encoder_given_the_model_is_loaded() -> None:
    documents = Documents.of([Document("a", "The bank lent more. Loans grew. It rained in the hills. The wind blew.")])
    found = SemanticChunker(breakpoint=60, buffer=0).chunk(documents).texts(documents)
    assert found == ["The bank lent more. Loans grew. ", "It rained in the hills. The wind blew."]


def test_the_model_is_part_of_the_key() -> None:
    named = SemanticChunker().encoder()
    assert named is not None
    assert SemanticChunker().extra_identity()["encoder"] == named.fingerprint()


def worth(vectors: np.ndarray, breaks: Sequence[int]) -> float:
    """What a grouping is worth, summed pair by pair."""
    mean = np.mean([a @ b for a, b in itertools.combinations(vectors, 2)])
    groups = [vectors[a:b] for a, b in itertools.pairwise(breaks)]
    return float(sum(a @ b - mean for group in groups for a, b in itertools.combinations(group, 2)))


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 8), st.integers(0, 10_000), st.integers(1, 40))
def test_no_grouping_is_worth_more(n: int, seed: int, size: int) -> None:
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(n, 3))
    tokens = np.append(0, rng.integers(1, 12, n).cumsum())
    every = [
        [0, *inner, n]
        for k in range(n)
        for inner in itertools.combinations(range(1, n), k)
        if all(b - a == 1 or tokens[b] - tokens[a] <= size for a, b in itertools.pairwise([0, *inner, n]))
    ]
    found = best_breaks(vectors, tokens, size)
    assert found in every
    assert worth(vectors, found) == pytest.approx(max(worth(vectors, one) for one in every))


def test_mean_similarity_is_that_of_all_pairs() -> None:
    vectors = np.random.default_rng(0).normal(size=(7, 4))
    assert mean_similarity(vectors) == pytest.approx(
        np.mean([a @ b for a, b in itertools.combinations(vectors, 2)])  # 21 pairs
    )
    assert mean_similarity(vectors[:1]) == 0.0
    assert best_breaks(vectors[:0], np.zeros(1, dtype=np.int64), 10) == [0]


def test_what_is_alike_is_joined_and_another_matter_is_not() -> None:
    money, rain = "The bank lent more money to companies. " * 2, "Rain fell on the hills all day and all night. " * 2
    text = f"{money * 3}\n\n{rain * 3}"
    documents = Documents.of([Document("a", text)])
    found = ClusterChunker(piece=24, size=512).chunk(documents).texts(documents)
    assert [piece.strip() for piece in found] == [(money * 3).strip(), (rain * 3).strip()]
