"""A trained encoder as a folder: plain sentence-transformers gives the same vectors from it as the workbench."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipelines.errors import ConfigurationError, StorageError
from pipelines.stages.embed.finetuned import FinetunedEmbedder
from pipelines.stages.embed.sentence_transformer import SentenceTransformerEmbedder
from pipelines.training.adapter_maps import Maps
from pipelines.training.card import Measured, write_record
from pipelines.training.export import write_model
from tests.training.lessons import lesson_of, pairs_of, tiny_encoder

TEXTS = ["where one finds ships", "the bank", "a harbour, " * 30, ""]
RECORD = {"about": {"dataset": "tiny [set](http://x)"}, "pairs": {"n": 24}, "knobs": {"seed": 0}, "dev": {"n": 3}}


def embedder(method: str, **knobs: Any) -> FinetunedEmbedder:
    settings: dict[str, Any] = {"device": "cpu", "precision": "float32", "backend": "torch", **knobs}
    return FinetunedEmbedder(model=str(tiny_encoder()), method=method, **settings)


@pytest.fixture
def fitted(tmp_path: Path) -> Callable[[str], Path]:
    """What each method learns, with numbers that are drawn."""

    def make(method: str, sides: str = "both") -> Path:
        folder = tmp_path / "fitted"
        folder.mkdir()
        random = np.random.default_rng(0)
        if method == "adapter":
            query, document = (random.standard_normal((32, 32)).astype(np.float32) for _ in range(2))
            Maps(query, document if sides == "both" else None).save(folder)
        else:
            moved(folder)
        write_record(folder, RECORD)
        return folder

    return make


def moved(folder: Path) -> None:
    """Save the tiny encoder with other weights."""
    import torch

    from pipelines.models.loading import load_model

    model = load_model(str(tiny_encoder()), "cpu")
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        for weight in model.parameters():
            weight += 0.05 * torch.randn_like(weight)
    model.save_pretrained(str(folder), create_model_card=False)


WAYS = [
    ("adapter", "both", {}),
    ("adapter", "query", {}),
    ("adapter", "both", {"blend": 0.4, "dimensions": 12}),
    ("adapter", "query", {"dimensions": 12, "query_prompt": "find: ", "document_prompt": "text: "}),
    ("adapter", "query", {"blend": 0.0}),
    ("full", "both", {}),
    ("full", "both", {"blend": 0.5, "dimensions": 8, "query_prompt": "find: "}),
    ("full", "both", {"blend": 0.0}),
]


@pytest.mark.parametrize(("method", "sides", "knobs"), WAYS)
def test_vectors_are_the_same_without_this_project(
    method: str, sides: str, knobs: dict[str, Any], fitted: Callable[..., Path], tmp_path: Path
) -> None:
    from sentence_transformers import SentenceTransformer

    one, learnt, to = embedder(method, adapter_side=sides, **knobs), fitted(method, sides), tmp_path / "made" / "model"
    write_model(one, learnt, to)
    plain = SentenceTransformer(str(to), device="cpu")
    documents, queries = (
        one.embed_documents(TEXTS, fitted=learnt).vectors,
        one.embed_queries(TEXTS, fitted=learnt).vectors,
    )
    assert documents.shape[1] == (knobs.get("dimensions") or 32)
    assert np.allclose(plain.encode_document(TEXTS, normalize_embeddings=True), documents, atol=1e-5)
    assert np.allclose(plain.encode_query(TEXTS, normalize_embeddings=True), queries, atol=1e-5)
    assert not list(to.rglob("*.bin")), "safetensors alone"
    again = SentenceTransformerEmbedder(model=str(to), device="cpu", precision="float32")
    assert np.allclose(again.embed_documents(TEXTS).vectors, documents, atol=1e-5)
    assert np.allclose(again.embed_queries(TEXTS).vectors, queries, atol=1e-5)


def test_the_card_says_what_it_is_and_what_was_measured(fitted: Callable[..., Path], tmp_path: Path) -> None:
    measured = [
        Measured("ndcg@10", "test", 61, 0.5, 0.625, 0.01, 0.2),
        Measured("mrr@10", "test | unseen", 3, 0.5, 0.4),
    ]
    write_model(embedder("adapter", blend=0.5), fitted("adapter"), tmp_path / "model", measured)
    card = (tmp_path / "model" / "README.md").read_text(encoding="utf-8")
    assert card.startswith("---\nlibrary_name: sentence-transformers\n")
    assert "| ndcg@10 | test | 61 | 0.5000 | 0.6250 | +0.1250 | +0.0100 to +0.2000 |" in card
    assert "| mrr@10 | test \\| unseen | 3 | 0.5000 | 0.4000 | -0.1000 | not known |" in card
    assert "http://x" not in card
    assert "| base model | model |" in card
    assert "| share of what was learnt | 0.5 |" in card
    assert (tmp_path / "model" / "training.json").is_file()


def test_nothing_is_written_over(
    fitted: Callable[..., Path], tmp_path: Path, sentence: Callable[[object], str]
) -> None:
    learnt, to = fitted("adapter"), tmp_path / "there"
    to.mkdir()
    (to / "notes.txt").write_text("mine", encoding="utf-8")
    for place in (to, to / "notes.txt"):
        with pytest.raises(ConfigurationError, match="nothing is written over") as refused:
            write_model(embedder("adapter"), learnt, place)
        sentence(refused.value)
    assert (to / "notes.txt").read_text(encoding="utf-8") == "mine"
    (to / "notes.txt").unlink()
    write_model(embedder("adapter"), learnt, to)
    assert (to / "modules.json").is_file(), "an empty folder is filled"


def test_a_full_disk_leaves_nothing_half_written(
    fitted: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sentence: Callable[[object], str]
) -> None:
    def no_space(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    learnt = fitted("adapter")
    monkeypatch.setattr("pipelines.training.export.card_text", no_space)
    with pytest.raises(StorageError, match="is full, so the workbench could not export the model") as refused:
        write_model(embedder("adapter"), learnt, tmp_path / "place" / "model")
    sentence(refused.value)
    assert list((tmp_path / "place").iterdir()) == []


def test_any_other_component_is_copied_with_what_was_measured(tmp_path: Path) -> None:
    learnt = tmp_path / "reranker"
    learnt.mkdir()
    (learnt / "README.md").write_text("# A reranker\n", encoding="utf-8")
    (learnt / "model.safetensors").write_bytes(b"weights")
    write_model(object(), learnt, tmp_path / "to", [Measured("ndcg@10", "test", 61, 0.5, 0.625)])
    card = (tmp_path / "to" / "README.md").read_text(encoding="utf-8")
    assert card.startswith("# A reranker\n")
    assert "| ndcg@10 | test | 61 | 0.5000 | 0.6250 | +0.1250 | not known |" in card
    assert (tmp_path / "to" / "model.safetensors").read_bytes() == b"weights"


def test_a_trained_adapter_goes_all_the_way(tmp_path: Path) -> None:
    from sentence_transformers import SentenceTransformer

    from tests.training.lessons import Bench

    lesson, learnt = lesson_of(pairs_of()), tmp_path / "learnt"
    learnt.mkdir()
    one = embedder("adapter", adapter_fit="closed")
    one.train(lesson, learnt, Bench(tmp_path / "c").workshop())
    write_model(one, learnt, tmp_path / "model")
    plain = SentenceTransformer(str(tmp_path / "model"), device="cpu")
    asked = [pair.question for pair in lesson.pairs.pairs]
    assert np.allclose(plain.encode_query(asked), one.embed_queries(asked, fitted=learnt).vectors, atol=1e-5)
    assert "pairs" in (tmp_path / "model" / "README.md").read_text(encoding="utf-8").lower()
