"""Models of other make than the small default: several modules, prompts, no transformer at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipelines.errors import ConfigurationError
from pipelines.models.weights import architecture, minilm_folder
from pipelines.stages.embed.sentence_transformer import SentenceTransformerEmbedder

from .packages import need

TEXTS = ["a ship at sea", "the bank lent more money to companies this year than ever before", "rain", "a ship " * 40]


@pytest.fixture(scope="module")
def dense(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny BERT of random weights, mean pooling, a Dense layer to 8 dimensions, and prompts."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Dense, Pooling, Transformer
    from transformers import AutoTokenizer, BertConfig, BertModel

    torch.manual_seed(1)
    tokenizer = AutoTokenizer.from_pretrained(minilm_folder())
    tiny = tmp_path_factory.mktemp("tiny")
    config = BertConfig(
        vocab_size=len(tokenizer), hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64
    )
    BertModel(config).save_pretrained(tiny)
    tokenizer.save_pretrained(tiny)
    modules = [Transformer(str(tiny), max_seq_length=40), Pooling(32), Dense(32, 8)]
    prompts = {"query": "find this: ", "document": "text: "}
    model = SentenceTransformer(modules=modules, prompts=prompts, device="cpu")
    folder = tmp_path_factory.mktemp("dense")
    model.save(str(folder))
    return folder


@pytest.fixture(scope="module")
def static(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table of word vectors: no transformer, no padding."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer

    torch.manual_seed(2)
    tokenizer = Tokenizer.from_file(str(minilm_folder() / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    folder = tmp_path_factory.mktemp("static")
    SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_dim=8)], device="cpu").save(str(folder))
    return folder


def embedder(folder: Path, **knobs: Any) -> SentenceTransformerEmbedder:
    settings = {"device": "cpu", "precision": "float32", **knobs}
    return SentenceTransformerEmbedder(model=str(folder), **settings)


@pytest.mark.parametrize("backend", ["torch", "openvino", "onnx"])
def test_dense_layers_and_prompts_are_as_the_library_has_them(dense: Path, backend: str) -> None:
    need({"onnx": "onnxruntime"}.get(backend, backend))
    from sentence_transformers import SentenceTransformer

    plain = SentenceTransformer(str(dense), device="cpu")
    ours = embedder(dense, backend=backend)
    found, asked = ours.embed_documents(TEXTS), ours.embed_queries(TEXTS)
    assert np.allclose(found.vectors, plain.encode_document(TEXTS, normalize_embeddings=True), atol=1e-5)
    assert np.allclose(asked.vectors, plain.encode_query(TEXTS, normalize_embeddings=True), atol=1e-5)
    assert not np.allclose(found.vectors, asked.vectors, atol=1e-3)
    assert found.n_truncated == 1
    assert found.max_tokens == 40
    assert np.array_equal(ours.embed_documents(TEXTS[1:2]).vectors, found.vectors[1:2])


def test_a_model_without_a_transformer_stays_with_torch(static: Path) -> None:
    assert architecture(str(static)) is None
    assert embedder(static).resolved().backend == "torch"
    from sentence_transformers import SentenceTransformer

    found = embedder(static).embed_documents(TEXTS).vectors
    assert np.allclose(found, SentenceTransformer(str(static)).encode(TEXTS, normalize_embeddings=True), atol=1e-6)
    assert np.array_equal(embedder(static, batch_size=1).embed_documents(TEXTS[::-1]).vectors, found[::-1])
    with pytest.raises(ConfigurationError, match="converts only models that begin with a plain transformer"):
        embedder(static, backend="openvino").embed_documents(TEXTS)


def test_what_a_model_is_built_as(dense: Path, tmp_path: Path) -> None:
    assert architecture(str(dense)) == "bert"
    assert architecture(str(minilm_folder())) == "bert"
    (tmp_path / "model.safetensors").write_bytes(b"x")
    assert architecture(str(tmp_path)) is None
