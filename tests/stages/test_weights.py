"""A model is known by its files as they are now: one trained anew in its folder is another model."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from pipelines.component import build
from pipelines.errors import ConfigurationError
from pipelines.models.weights import minilm_folder
from pipelines.stages.embed import Embedder


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A copy of the small model, to be changed."""
    return Path(shutil.copytree(minilm_folder(), tmp_path / "model"))


def embedder(folder: Path | str) -> Embedder:
    knobs = {"use": "sentence-transformer", "model": str(folder), "device": "cpu", "precision": "float32"}
    found = build("embed", knobs, "minilm", "test")
    assert isinstance(found, Embedder)
    return found


def test_weights_that_change_in_place_are_read_anew(model: Path) -> None:
    before, first = embedder(model).fingerprint(), embedder(model).embed_documents(["a ship at sea"]).vectors
    weights = load_file(model / "model.safetensors")
    name = next(key for key in weights if key.endswith("word_embeddings.weight"))
    weights[name] = np.ascontiguousarray(weights[name][::-1])
    save_file(weights, model / "model.safetensors", metadata={"format": "pt"})
    assert embedder(model).fingerprint() != before
    assert np.abs(embedder(model).embed_documents(["a ship at sea"]).vectors - first).max() > 0.01


def test_a_folder_is_named_by_its_full_path(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(model.parent)
    assert embedder("model").settings()["model"] == str(model)
    assert embedder("model").fingerprint() == embedder(model).fingerprint()


def test_weights_that_could_run_code_are_refused(tmp_path: Path) -> None:
    (tmp_path / "pytorch_model.bin").write_bytes(b"x")
    with pytest.raises(ConfigurationError, match=r"holds only pytorch_model\.bin, a format that can run code"):
        embedder(tmp_path).fingerprint()
