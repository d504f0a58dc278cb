"""A Chroma index is a cache: damaged, it is put aside and built again, also in the process that has it open."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pipelines import api
from pipelines.errors import StorageError
from pipelines.settings import cache_folder
from pipelines.stages.index.chroma import ChromaIndex

from .helpers import vectors


def scramble(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 8 : len(data) // 2] = os.urandom(len(data) // 2 - len(data) // 8)
    path.write_bytes(bytes(data))


DAMAGES: dict[str, Callable[[Path], object]] = {
    "sqlite": lambda folder: scramble(folder / "chroma.sqlite3"),
    "hnsw": lambda folder: [scramble(p) for p in folder.rglob("*.bin") if p.stat().st_size],
}


@pytest.mark.slow
@pytest.mark.parametrize("damage", DAMAGES)
def test_it_is_built_again(towns: Path, damage: str) -> None:
    dataset = api.open_dataset(towns)
    first = api.evaluate(vectors(index={"use": "chroma"}, retrieve={"use": "dense", "depth": 10}), dataset)
    assert first.run.measured("ann_recall@5") is not None
    [folder] = (cache_folder() / "index").glob("*/chroma.sqlite3")
    DAMAGES[damage](folder.parent)
    second = api.evaluate(vectors(index={"use": "chroma"}, retrieve={"use": "dense", "depth": 20}), dataset)
    assert any("index output" in note and "damaged" in note for note in second.run.notes)
    assert second.run.stages["index"].found == "miss"
    assert second.run.stages["embed"].found == "hit"
    assert np.array_equal(first.details.rankings.chunk, second.details.rankings.chunk[:, :10])
    assert len(list((cache_folder() / "quarantine").iterdir())) == 1


def test_damage_that_shows_while_searching(towns: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The index opens and is found whole, and fails only when it is asked."""
    monkeypatch.setattr("pipelines.stages.index.chroma.verified", lambda *_: "")
    from pipelines.stages.index.chroma import ChromaSearch

    real, asked = ChromaSearch._ask, []

    def ask(self: ChromaSearch, *rest: object) -> object:
        asked.append(self)
        if len(asked) == 1:
            raise RuntimeError("the graph points nowhere")
        return real(self, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(ChromaSearch, "_ask", ask)
    done = api.evaluate(vectors(index={"use": "chroma"}), api.open_dataset(towns))
    assert any("the graph points nowhere" in note for note in done.run.notes)
    assert asked[1] is not asked[0]


def test_an_index_opened_again_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Chroma shares by path what a process has opened, and would go on answering from the files that were there."""
    monkeypatch.setattr("pipelines.stages.index.chroma.verified", lambda *_: "")
    rng = np.random.default_rng(0)
    few, many = (rng.normal(size=(n, 8)).astype(np.float32) for n in (5, 30))
    folder, index = tmp_path / "index", ChromaIndex()
    index.build(few, folder)
    first = index.open(few, folder)
    assert sorted(first.search(few[:1], 5, None).chunk[0].tolist()) == [0, 1, 2, 3, 4]
    folder.rename(tmp_path / "quarantine")
    index.build(many, tmp_path / "incoming")
    (tmp_path / "incoming").rename(folder)
    second = index.open(many, folder)
    assert second.collection.count() == 30
    assert second.collection.query(query_embeddings=many[20:21], n_results=1, include=[])["ids"] == [["20"]]


def test_an_index_that_is_damaged_again_ends_the_run_with_a_sentence(
    towns: Path, monkeypatch: pytest.MonkeyPatch, sentence: Callable[[object], str]
) -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError("the graph points nowhere")

    monkeypatch.setattr("pipelines.stages.index.chroma.ChromaSearch._ask", refuse)
    monkeypatch.setattr("pipelines.stages.index.chroma.verified", lambda *_: "")
    with pytest.raises(StorageError) as refused:
        api.evaluate(vectors(index={"use": "chroma"}), api.open_dataset(towns))
    assert "the graph points nowhere" in sentence(refused.value)


def test_what_cannot_be_read_back_is_not_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sentence: Callable[[object], str]
) -> None:
    monkeypatch.setattr("pipelines.stages.index.chroma.verified", lambda *_: "some ids have no vector")
    with pytest.raises(StorageError) as refused:
        ChromaIndex().build(np.eye(4, dtype=np.float32), tmp_path)
    assert "some ids have no vector" in sentence(refused.value)


def test_the_verification_finds_what_is_missing(tmp_path: Path) -> None:
    from pipelines.stages.index.chroma import verified

    vectors_ = np.random.default_rng(0).normal(size=(20, 8)).astype(np.float32)
    ChromaIndex().build(vectors_, tmp_path / "index")
    assert verified(tmp_path / "index", 20) == ""
    assert verified(tmp_path / "index", 21) == "it counts 20 vectors instead of 21"
    assert verified(tmp_path / "nothing", 20) != ""
