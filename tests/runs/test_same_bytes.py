"""Two folders of the same bytes, code that changes under a worker, indexes that are poor on purpose."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

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
    monkeypatch.setattr(api, "ensure_worker", lambda *_: False)
    job = api.submit(words(), api.open_dataset(towns))
    old = worker_module.Worker(Database(database_url()), idle_s=5)
    monkeypatch.setattr(worker_module, "source_digest", lambda: "another")
    old.run()
    left = api.jobs().get(job.id)
    assert (left.state, left.attempts, left.worker) == ("queued", 0, None)
    monkeypatch.undo()


def test_the_loss_of_an_index_is_that_of_the_run(towns: Path) -> None:
    """A graph that is asked for all chunks finds them, however narrow its search: so does the run, and so says it."""
    poor = {"use": "chroma", "M": 2, "ef_construction": 10, "ef_search": 1}
    done = api.evaluate(vectors(index=poor), api.open_dataset(towns))
    exact = api.evaluate(vectors(), api.open_dataset(towns))
    k = 5
    shared = [
        len(set(a) & set(b)) / k
        for a, b in zip(done.details.rankings.chunk[:, :k], exact.details.rankings.chunk[:, :k], strict=True)
    ]
    measured = done.run.measured(f"ann_recall@{k}")
    assert measured is not None
    assert measured.mean == pytest.approx(sum(shared) / len(shared))


def test_a_question_that_finds_nothing_is_told(towns: Path) -> None:
    with (towns / "questions.jsonl").open("a") as file:
        file.write('{"id": "strange", "text": "Qwxyz?"}\n')
    notes = api.evaluate(words(), api.open_dataset(towns)).run.notes
    assert notes[0].startswith("bm25 retrieved nothing at all for "), notes
