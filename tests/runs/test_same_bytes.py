"""Two folders of the same bytes, code that changes under a worker, indexes that are poor on purpose."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from pipelines import api
from pipelines import worker as worker_module
from pipelines.errors import NotFoundError
from pipelines.runs.database import Database
from pipelines.settings import database_url

from .helpers import vectors, words


def test_each_run_keeps_the_name_and_place_of_its_own_dataset(towns: Path, tmp_path: Path) -> None:
    (towns / "dataset.yaml").unlink()
    copy = Path(shutil.copytree(towns, tmp_path / "copy"))
    first = api.evaluate(words(), api.open_dataset(towns)).run
    second = api.evaluate(words(), api.open_dataset(copy)).run
    assert first.dataset_version == second.dataset_version
    assert [row["dataset"] for row in api.runs().rows] == [towns.name, "copy"]
    assert [row["run"] for row in api.runs(dataset="copy").rows] == [second.id]
    with (copy / "questions.jsonl").open("a") as file:
        file.write('{"id": "another", "text": "Is there one more?"}\n')
    assert api.dataset_of(api.run(first.id)).version == first.dataset_version
    with pytest.raises(NotFoundError, match="was changed after run"):
        api.dataset_of(api.run(second.id))


def test_a_worker_leaves_jobs_to_a_new_one_when_the_code_has_changed(
    towns: Path, monkeypatch: pytest.MonkeyPatch, workers: Callable[[], list[psutil.Process]]
) -> None:
    monkeypatch.setattr("pipelines.runs.spawn.ensure_worker", lambda *_: False)
    job = api.submit(words(), api.open_dataset(towns))
    old = worker_module.Worker(Database(database_url()), idle_s=5)
    monkeypatch.setattr(worker_module, "source_digest", lambda: "another")
    old.run()
    left = api.jobs().get(job.id)
    assert (left.state, left.attempts, left.worker) == ("queued", 0, None)
    monkeypatch.undo()


@pytest.mark.parametrize("where", [None, {"number": {"$gte": 1}}])
def test_the_loss_of_an_index_is_that_of_the_run(towns: Path, where: dict[str, Any] | None) -> None:
    """At every k of the score stage, and under a filter; of a graph that is asked for all chunks, nothing is lost."""
    poor = {"use": "chroma", "M": 2, "ef_construction": 10, "ef_search": 1, "exact_share": 0.0}
    stages = {"score": {"use": "standard", "cutoffs": [1, 2, 5]}, "retrieve": {"use": "dense", "depth": 5}}
    stages |= {"filter": {"use": "where", "where": where}} if where else {}
    done = api.evaluate(vectors(index=poor, **stages), api.open_dataset(towns))
    exact = api.evaluate(vectors(**stages), api.open_dataset(towns))
    found, truth = done.details.rankings.chunk, exact.details.rankings.chunk
    for k in (1, 2, 5):
        shared = [len(set(a) & set(b)) / k for a, b in zip(found[:, :k], truth[:, :k], strict=True)]
        measured = done.run.measured(f"ann_recall@{k}")
        assert measured is not None
        assert measured.mean == pytest.approx(sum(shared) / len(shared))
    assert done.run.measured("ann_recall@10") is None


def test_a_question_that_finds_nothing_is_told(towns: Path) -> None:
    with (towns / "questions.jsonl").open("a") as file:
        file.write('{"id": "strange", "text": "Qwxyz?"}\n')
    notes = api.evaluate(words(), api.open_dataset(towns)).run.notes
    assert notes[0].startswith("bm25 retrieved nothing at all for "), notes
