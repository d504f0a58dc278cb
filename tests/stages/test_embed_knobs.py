"""Vectors that are cut, texts with words before them, and models that take questions another way than texts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipelines.errors import ConfigurationError
from pipelines.pipeline import Pipeline
from pipelines.stages.embed.minilm import MiniLMEmbedder
from pipelines.stages.embed.sentence_transformer import SentenceTransformerEmbedder
from tests.training.lessons import tiny_encoder

TEXTS = ["where one finds ships", "the bank", "a harbour, " * 30, "rain"]
KNOBS = {"device": "cpu", "precision": "float32", "backend": "torch"}


def embedder(folder: Path | None = None, **knobs: Any) -> SentenceTransformerEmbedder:
    return SentenceTransformerEmbedder(model=str(folder or tiny_encoder()), **{**KNOBS, **knobs})


def test_vectors_are_cut_and_scaled_anew() -> None:
    whole, short = embedder().embed_documents(TEXTS).vectors, embedder(dimensions=12).embed_documents(TEXTS).vectors
    expected = whole[:, :12] / np.linalg.norm(whole[:, :12], axis=1, keepdims=True)
    assert np.allclose(short, expected, atol=1e-6)
    plain = embedder(dimensions=12, normalize=False).embed_documents(TEXTS).vectors
    assert np.array_equal(plain, embedder(normalize=False).embed_documents(TEXTS).vectors[:, :12])
    assert embedder(dimensions=12).beneath() == embedder()


def test_finished_work_is_handed_over_cut() -> None:
    kept: list[Any] = []
    found = embedder(dimensions=12).embed_documents(TEXTS[:1], keep=lambda _, rows: kept.append(rows))
    assert np.array_equal(kept[0][:, :-2], found.vectors)
    assert kept[0][0, -1] == found.max_tokens


def test_more_dimensions_than_there_are_is_told(sentence: Callable[[object], str]) -> None:
    with pytest.raises(
        ConfigurationError, match="asks for vectors of length 33, but those of model have 32"
    ) as refused:
        embedder(dimensions=33).embed_documents(TEXTS)
    sentence(refused.value)


def test_words_before_texts_are_those_that_are_asked_for(tmp_path: Path) -> None:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(tiny_encoder()), device="cpu", prompts={"query": "find: ", "document": "text: "})
    model.save_pretrained(str(tmp_path / "model"), create_model_card=False)
    made, own = tmp_path / "model", {"query_prompt": "ask: ", "document_prompt": ""}
    for folder, knobs, query, document in (
        (made, {}, "find: ", "text: "),
        (made, own, "ask: ", ""),
        (tiny_encoder(), own, "ask: ", ""),
        (tiny_encoder(), {}, "", ""),
    ):
        ours = embedder(folder, **knobs)
        asked, held = ours.embed_queries(TEXTS), ours.embed_documents(TEXTS)
        assert np.allclose(asked.vectors, model.encode(TEXTS, prompt=query, normalize_embeddings=True), atol=1e-5)
        assert np.allclose(held.vectors, model.encode(TEXTS, prompt=document, normalize_embeddings=True), atol=1e-5)


def test_words_before_a_text_count_towards_its_length() -> None:
    lengths = []
    for knobs in ({}, {"document_prompt": "a b c "}):
        kept: list[Any] = []
        embedder(**knobs).embed_documents(["rain"], keep=lambda _, rows, kept=kept: kept.append(rows))  # type: ignore[misc]
        lengths.append(kept[0][0, -2])
    assert lengths[1] == lengths[0] + 3


def test_knobs_that_came_later_change_no_key_of_what_was_before() -> None:
    assert not {"dimensions", "query_prompt", "document_prompt"} & set(embedder().settings())
    assert embedder(dimensions=8).settings()["dimensions"] == 8
    assert not {"dimensions", "query_prompt", "document_prompt"} & set(MiniLMEmbedder.model_fields)
    one = Pipeline.parse({"embed": embedder(query_prompt="").settings()})
    assert Pipeline.parse(one.settings()) == one
    assert one.embed.fingerprint() != embedder().fingerprint()


def routed(folder: Path, *, first: bool) -> Path:
    """A model that treats queries apart: at its end by a layer of their own, or from its beginning."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules import Dense, Router
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer

    from pipelines.models.weights import minilm_folder

    whole = SentenceTransformer(str(tiny_encoder()), device="cpu")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(4)
        if first:
            tokenizer = Tokenizer.from_file(str(minilm_folder() / "tokenizer.json"))
            tokenizer.no_padding()
            tokenizer.no_truncation()
            query: list[Any] = [StaticEmbedding(tokenizer, embedding_dim=32)]
            modules: list[Any] = [Router.for_query_document(query, list(whole))]
        else:
            dense = Dense(32, 32, bias=False, activation_function=torch.nn.Identity())
            modules = [*whole, Router.for_query_document([dense], [_same(32)])]
    SentenceTransformer(modules=modules, device="cpu").save_pretrained(str(folder), create_model_card=False)
    return folder


def _same(width: int) -> Any:
    import torch
    from sentence_transformers.base.modules import Dense

    return Dense(width, width, bias=False, activation_function=torch.nn.Identity(), init_weight=torch.eye(width))


@pytest.mark.parametrize("first", [False, True])
def test_questions_take_the_route_of_questions(tmp_path: Path, first: bool) -> None:
    from sentence_transformers import SentenceTransformer

    folder = routed(tmp_path / "model", first=first)
    plain, ours = SentenceTransformer(str(folder), device="cpu"), embedder(folder)
    asked, held = ours.embed_queries(TEXTS).vectors, ours.embed_documents(TEXTS).vectors
    assert np.allclose(asked, plain.encode_query(TEXTS, normalize_embeddings=True), atol=1e-5)
    assert np.allclose(held, plain.encode_document(TEXTS, normalize_embeddings=True), atol=1e-5)
    assert not np.allclose(asked, held, atol=1e-2)
    for i in range(len(TEXTS)):
        assert np.array_equal(ours.embed_queries([TEXTS[i]]).vectors[0], asked[i])


def test_a_model_that_cuts_its_own_vectors_is_cut(tmp_path: Path) -> None:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(tiny_encoder()), device="cpu", truncate_dim=10)
    model.save_pretrained(str(tmp_path / "model"), create_model_card=False)
    found = embedder(tmp_path / "model").embed_documents(TEXTS).vectors
    assert np.allclose(found, model.encode(TEXTS, normalize_embeddings=True), atol=1e-5)
    assert found.shape == (4, 10)
