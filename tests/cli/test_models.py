"""Base models from the command line: the table, its files, and what cannot be compared."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.finetune import base_doing
from pipelines.finetune.base_probe import Probed
from tests.training.lessons import tiny_encoder

from .conftest import Call


@pytest.fixture(autouse=True)
def _measured(monkeypatch: pytest.MonkeyPatch) -> None:
    def here(settings: Any, fitted: Any, texts: Any, look_up: Any) -> Probed:
        return Probed(len(texts), 0.01, 500_000_000, None, 32, 1)

    monkeypatch.setattr(base_doing, "probed", here)


@pytest.fixture
def stages(tmp_path: Path) -> Path:
    """Stages over windows of 16 tokens."""
    path = tmp_path / "stages.yaml"
    path.write_text(yaml.safe_dump({"chunk": {"use": "fixed", "size": 16}}))
    return path


def test_the_table_names_each_model_and_says_what_failed(call: Call, towns: Path, stages: Path, tmp_path: Path) -> None:
    settings = f"{{use: sentence-transformer, model: {tiny_encoder()}, backend: torch, normalize: false}}"
    result = call("models", tiny_encoder(), settings, tmp_path, "-d", towns, "--pipeline", stages)
    assert result.code == 0, result.err
    assert "model backend=torch normalize=False" in result.out
    assert "500 MB" in result.out
    assert "n=6" in result.out
    assert "could not be compared: The model folder" in result.out
    assert "3 base models on towns (test): finished" in result.err


def test_its_files(call: Call, towns: Path, stages: Path, tmp_path: Path) -> None:
    file = tmp_path / "models.csv"
    given = ("models", tiny_encoder(), "-d", towns, "--pipeline", stages, "--split", "all", "--metrics", "hit@5")
    result = call(*given, "--csv", file, "--json", "-")
    assert result.code == 0, result.err
    (row,) = result.json["rows"]
    assert (row["hit@5 n"], row["dimensions"], result.json["split"]) == (12, 32, None)
    (line,) = csv.DictReader(io.StringIO(file.read_text()))
    assert line["hit@5"] == repr(row["hit@5"])


def test_when_none_can_be_compared_it_fails(call: Call, towns: Path) -> None:
    result = call("models", "endpoint:x", "-d", towns)
    assert result.code == 2
    assert "could not be compared" in result.out


def test_bad_input(refused: Callable[..., str], towns: Path, tmp_path: Path) -> None:
    assert "there is no split" in refused("models", "minilm", "-d", towns, "--split", "none").lower()
    words = tmp_path / "words.yaml"
    words.write_text("retrieve: bm25\n")
    assert "uses no vectors" in refused("models", "minilm", "-d", towns, "--pipeline", words)
    words.write_text("[1]\n")
    assert "holds no pipeline" in refused("models", "minilm", "-d", towns, "--pipeline", words)
