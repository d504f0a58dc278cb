"""Static embeddings: what they are distilled from, what comes of it, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from pipelines.cache import Cache
from pipelines.errors import ConfigurationError
from pipelines.golden.dataset import Dataset
from pipelines.models.static import distil_static
from pipelines.pipeline import Pipeline
from pipelines.planning.plan import plan
from pipelines.progress import silent
from pipelines.runs.evaluate import evaluate
from pipelines.stages.embed.static import StaticEmbedder
from tests.training.lessons import tiny_encoder

TEXTS = ["a ship at sea", "the bank lent money", "rain", "sea at ship a"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("static")
    distil_static(str(tiny_encoder()), 16, made, silent)
    return made


def embedder(**knobs: object) -> StaticEmbedder:
    return StaticEmbedder(**{"model": str(tiny_encoder()), "dimensions": 16, **knobs})


def test_a_text_has_the_mean_of_its_tokens(folder: Path) -> None:
    plain = embedder(normalize=False)
    found = plain.embed_documents(TEXTS, fitted=folder).vectors
    words = plain.embed_documents(TEXTS[0].split(), fitted=folder).vectors
    assert found.shape == (4, 16)
    assert np.allclose(found[0], words.mean(axis=0), atol=1e-6)
    assert np.allclose(found[0], found[3], atol=1e-6), "order is not read"


def test_any_length_is_read(folder: Path) -> None:
    found = embedder().embed_documents(["word " * 5000, "word " * 4999 + "ship"], fitted=folder)
    assert (found.n_truncated, found.max_tokens) == (0, None)
    assert not np.array_equal(found.vectors[0], found.vectors[1])


def test_it_loads_without_this_project_and_the_same_model_gives_the_same_vectors(folder: Path, tmp_path: Path) -> None:
    from sentence_transformers import SentenceTransformer

    distil_static(str(tiny_encoder()), 16, tmp_path, silent)
    assert (tmp_path / "model.safetensors").read_bytes() == (folder / "model.safetensors").read_bytes()
    plain = SentenceTransformer(str(folder), device="cpu").encode(TEXTS, normalize_embeddings=True)
    assert np.allclose(plain, embedder().embed_documents(TEXTS, fitted=folder).vectors, atol=1e-6)


def test_frequent_tokens_count_less(folder: Path) -> None:
    from safetensors.numpy import load_file

    (weights,) = load_file(folder / "model.safetensors").values()
    lengths = np.linalg.norm(weights, axis=1)  # the vocabulary begins with what is frequent
    assert lengths[1000:3000].mean() < 0.8 * lengths[-2000:].mean()


def test_it_is_distilled_once_for_all_corpora(towns: Path, write_set: Callable[..., Path], tmp_path: Path) -> None:
    other = write_set([{"id": "a", "text": "Another text."}], [{"id": "q", "text": "Which?", "evidence": []}], "other")
    own = {"use": "static", "model": str(tiny_encoder()), "dimensions": 16}
    pipeline = Pipeline.parse({"chunk": {"use": "fixed", "size": 16}, "embed": own, "retrieve": "dense"})
    keys = {plan(pipeline, Dataset.open(one), ()).fitted.key for one in (towns, other)}  # type: ignore[union-attr]
    assert len(keys) == 1
    done = evaluate(pipeline, Dataset.open(towns), Cache(tmp_path / "cache"), split="test").run
    assert (done.measured("recall@5").n, done.stages["embed"].found) == (6, "miss")  # type: ignore[union-attr]


def test_what_is_refused(tmp_path: Path, folder: Path, sentence: Callable[[object], str]) -> None:
    with pytest.raises(ConfigurationError, match="gives vectors of 32 numbers only") as refused:
        distil_static(str(tiny_encoder()), 64, tmp_path, silent)
    sentence(refused.value)
    with pytest.raises(ConfigurationError, match="does not read tokens") as refused:
        distil_static(str(folder), 8, tmp_path, silent)
    sentence(refused.value)
    with pytest.raises(ConfigurationError, match="but got none"):
        embedder().embed_documents(TEXTS)
    with pytest.raises(ConfigurationError, match="no weights") as refused:
        embedder(model=str(tmp_path)).fingerprint()
    sentence(refused.value)
    with pytest.raises(ValidationError):
        embedder(dimensions=4)
