"""A disk that fills up while a run is written: one sentence, nothing half-written, and the next run succeeds."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipelines import api
from pipelines.errors import StorageError
from pipelines.settings import cache_folder, runs_folder

from .helpers import REPOSITORY, details, record, vectors, words


def no_space(*_: Any, **__: Any) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("stage", ["load", "chunk", "retrieve", "score"])
def test_while_a_stage_is_kept(
    towns: Path, monkeypatch: pytest.MonkeyPatch, sentence: Callable[[object], str], stage: str
) -> None:
    from pipelines.cache import Cache

    real = Cache.store

    def store(self: Cache, where: str, *rest: Any, **more: Any) -> None:
        with monkeypatch.context() as patch:
            if where == stage:
                patch.setattr("numpy.lib.format.write_array", no_space)
            real(self, where, *rest, **more)

    with monkeypatch.context() as patch:
        patch.setattr(Cache, "store", store)
        with pytest.raises(StorageError) as refused:
            api.evaluate(words(), api.open_dataset(towns))
    assert f"is full, so the workbench could not keep the output of the {stage} stage" in sentence(refused.value)
    assert api.runs().rows == ()
    assert list((cache_folder() / "incoming").iterdir()) == []
    done = api.evaluate(words(), api.open_dataset(towns))
    assert done.run.stages[stage].found == "miss"
    assert len(api.runs().rows) == 1


def test_while_parquet_is_written(
    towns: Path, monkeypatch: pytest.MonkeyPatch, sentence: Callable[[object], str]
) -> None:
    import pyarrow.parquet as pq

    def write(rows: Any, path: Path, **settings: Any) -> None:
        path.write_bytes(b"PAR1 half")
        no_space()

    with monkeypatch.context() as patch:
        patch.setattr(pq, "write_table", write)
        with pytest.raises(StorageError) as refused:
            api.evaluate(words(), api.open_dataset(towns))
    assert "is full, so the workbench could not keep the per-question results" in sentence(refused.value)
    assert list(runs_folder().rglob("*")) == []
    assert api.runs().rows == ()
    done = api.evaluate(words(), api.open_dataset(towns))
    assert {report.found for report in done.run.stages.values()} == {"hit"}
    assert api.details(done.run.id).question_ids == done.details.question_ids


STATEMENTS = ["INSERT INTO run", "INSERT INTO metric", "INSERT INTO stage", "INSERT INTO loss"]


@pytest.mark.parametrize("statement", STATEMENTS)
def test_while_the_database_is_written(
    monkeypatch: pytest.MonkeyPatch, sentence: Callable[[object], str], statement: str
) -> None:
    from sqlalchemy import event

    store = api.store()
    engine = store._db._engine

    def refuse(_: Any, __: Any, sql: str, *rest: Any) -> None:
        if sql.startswith(statement):
            raise sqlite3.OperationalError("database or disk is full")

    event.listen(engine, "before_cursor_execute", refuse)
    try:
        with pytest.raises((StorageError, sqlite3.OperationalError)) as refused:
            store.add(record(losses={"recall@5": {}}), details())
    finally:
        event.remove(engine, "before_cursor_execute", refuse)
    assert isinstance(refused.value, StorageError)
    assert "(database or disk is full); free some space" in sentence(refused.value)
    assert store.table(["recall@5"]) == []
    assert store.datasets() == []
    assert list(runs_folder().rglob("*")) == []
    store.add(record(), details())
    assert len(store.table(["recall@5"])) == 1


def test_while_chroma_is_written(
    towns: Path, monkeypatch: pytest.MonkeyPatch, sentence: Callable[[object], str]
) -> None:
    def refuse(*_: Any) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr("pipelines.stages.index.chroma._fill", refuse)
        with pytest.raises(StorageError) as refused:
            api.evaluate(vectors(index={"use": "chroma"}), api.open_dataset(towns))
    assert "database or disk is full" in sentence(refused.value)
    assert "has room" in str(refused.value)
    assert list((cache_folder() / "incoming").iterdir()) == []
    assert not (cache_folder() / "index").exists()


SMALL_DISK = """
set -e
mount -t tmpfs -o size="$1" tmpfs "$2"
export RAG_WORKBENCH_HOME="$2/home" RAG_WORKBENCH_IDLE_S=0.5
set +e
"$3" -m pipelines.cli run "$4" --dataset "$5" > /dev/null 2> "$2/../errors"
echo $? > "$2/../code"
find "$2/home/cache/incoming" "$2/home/runs" -mindepth 1 > "$2/../left" 2> /dev/null
mount -o remount,size=64m "$2"
"$3" -m pipelines.cli run "$4" --dataset "$5" > /dev/null 2>> "$2/../errors-later"
echo $? > "$2/../code-later"
sleep 1.5
"""


@pytest.mark.slow
@pytest.mark.parametrize("size", ["120k", "600k"])
def test_a_real_small_disk(tmp_path: Path, sentence: Callable[[object], str], size: str) -> None:
    """In a mount namespace of its own, so that nothing stays mounted."""
    if shutil.which("unshare") is None or subprocess.run(["unshare", "-rm", "true"], capture_output=True).returncode:
        pytest.skip("a small disk can only be made where this user may make a mount namespace (unshare -rm)")
    disk = tmp_path / "disk"
    disk.mkdir()
    pipeline = tmp_path / "words.yaml"
    pipeline.write_text("chunk: {use: fixed, size: 128}\nretrieve: {use: bm25}\n")
    arguments = [size, str(disk), sys.executable, str(pipeline), "meridian"]
    done = subprocess.run(
        ["unshare", "-rm", "bash", "-c", SMALL_DISK, "bash", *arguments],
        cwd=REPOSITORY, capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "code").read_text().strip() == "1"
    last = (tmp_path / "errors").read_text().strip().splitlines()[-1]
    assert last.startswith("Error: ")
    assert "full" in sentence(last)
    assert (tmp_path / "left").read_text() == ""
    assert (tmp_path / "code-later").read_text().strip() == "0"
