"""The artefact store: damage is noticed and mended, nothing half-written is ever found."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipelines import codecs
from pipelines.cache import Cache, Codec, clear
from pipelines.errors import StorageError
from pipelines.records import (
    Candidates,
    Chunks,
    Document,
    Documents,
    FloatArray,
    Metric,
    Rankings,
    Scores,
)

from .helpers import outputs, python

VALUE = np.arange(12, dtype=np.float32).reshape(3, 4)


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    notes: list[str] = []
    store = Cache(tmp_path / "cache", notes.append)
    store.notes = notes  # type: ignore[attr-defined]
    return store


def load(cache: Cache, key: str = "k") -> FloatArray | None:
    return cache.load("embed", key, codecs.VECTORS)


def store(cache: Cache, key: str = "k", value: FloatArray = VALUE) -> None:
    cache.store("embed", key, codecs.VECTORS, value, 1.5, ("To know.",))


def files(cache: Cache) -> list[str]:
    return sorted(p.relative_to(cache.root).as_posix() for p in cache.root.rglob("*") if p.is_file())


def test_what_was_stored_is_found(cache: Cache) -> None:
    assert load(cache) is None
    store(cache)
    assert np.array_equal(load(cache), VALUE)
    entry = cache.entry("embed", "k")
    assert entry is not None
    assert (entry.seconds, entry.notes) == (1.5, ("To know.",))
    assert files(cache) == ["embed/k/manifest.json", "embed/k/vectors.npy"]
    clear(cache.root)
    assert load(cache) is None


SAMPLES: list[tuple[str, Codec[Any], Any]] = [
    ("documents", codecs.DOCUMENTS,
     Documents.of([Document("a", "Ä \u2028 x", {"n": 1, "f": 1.0, "b": True, "s": "1"}), Document("b", "")])),
    ("chunks", codecs.CHUNKS, Chunks.of([0, 0, 1], [0, 3, 0], [3, 5, 2])),
    ("vectors", codecs.VECTORS, VALUE),
    ("no vectors", codecs.VECTORS, np.zeros((0, 384), dtype=np.float32)),
    ("rankings", codecs.RANKINGS, Rankings(np.asarray([[1, -1]], dtype=np.int32), np.asarray([[0.5, 0]], np.float32))),
    ("candidates", codecs.CANDIDATES, Candidates(np.asarray([0, -1], dtype=np.int32), np.asarray([[True, False]]))),
    ("scores", codecs.SCORES, Scores((Metric("m@1", "m", False, "ms"),), np.asarray([[0.1], [np.nan]]),
                                     np.asarray([[0], [1]], dtype=np.int16), ("", "why"))),
    ("numbers", codecs.NUMBERS, [0.1, 1e-300, 3.0]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "codec", "value"), SAMPLES, ids=[name for name, _, _ in SAMPLES])
def test_every_kind_of_record_comes_back_as_it_was(cache: Cache, name: str, codec: Codec[Any], value: Any) -> None:
    cache.store("any", "k", codec, value, 0.0)
    found = cache.load("any", "k", codec)
    assert type(found) is type(value)
    assert equal(found, value)


def equal(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()
    if hasattr(one, "__dataclass_fields__"):
        return all(equal(getattr(one, name), getattr(other, name)) for name in one.__dataclass_fields__)
    if isinstance(one, dict):
        return list(one) == list(other) and all(equal(one[k], other[k]) for k in one)
    if isinstance(one, tuple | list):
        return len(one) == len(other) and all(map(equal, one, other))
    return type(one) is type(other) and bool(one == other)


def test_metadata_keep_their_types(cache: Cache) -> None:
    documents = Documents.of([Document(str(i), "x", {"v": v}) for i, v in enumerate([1, 1.0, True, "1"])])
    cache.store("load", "k", codecs.DOCUMENTS, documents, 0.0)
    found = cache.load("load", "k", codecs.DOCUMENTS)
    assert found is not None
    assert [type(found[i].metadata["v"]) for i in range(4)] == [int, float, bool, str]


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))


DAMAGES: dict[str, Callable[[Path], Any]] = {
    "a bit flipped": lambda folder: flip(folder / "vectors.npy"),
    "a file cut": lambda folder: (folder / "vectors.npy").write_bytes(b""),
    "a file gone": lambda folder: (folder / "vectors.npy").unlink(),
    "a file made a folder": lambda folder: ((folder / "vectors.npy").unlink(), (folder / "vectors.npy").mkdir()),
    "the manifest cut": lambda folder: (folder / "manifest.json").write_text('{"seconds": 1'),
    "the manifest emptied": lambda folder: (folder / "manifest.json").write_text("{}"),
    "the manifest of another kind": lambda folder: (folder / "manifest.json").write_text("[1, 2]"),
    "the manifest no text": lambda folder: (folder / "manifest.json").write_bytes(b"\xff\xfe\x00"),
    "the manifest gone": lambda folder: (folder / "manifest.json").unlink(),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_entry_is_put_aside_with_a_note(cache: Cache, damage: str) -> None:
    store(cache)
    DAMAGES[damage](cache.folder("embed", "k"))
    assert load(cache) is None
    assert len(cache.notes) == 1  # type: ignore[attr-defined]
    assert "embed output k was damaged" in cache.notes[0]  # type: ignore[attr-defined]
    assert "computed again" in cache.notes[0]  # type: ignore[attr-defined]
    assert not cache.folder("embed", "k").exists()
    assert len(list((cache.root / "quarantine").iterdir())) == 1
    store(cache)
    assert np.array_equal(load(cache), VALUE)
    assert len(cache.notes) == 1  # type: ignore[attr-defined]


def test_another_damaged_entry_leaves_the_first_aside(cache: Cache) -> None:
    for _ in range(3):
        store(cache)
        flip(cache.folder("embed", "k") / "vectors.npy")
        assert load(cache) is None
    assert len(list((cache.root / "quarantine").iterdir())) == 3


def test_quarantine_of_what_another_process_took_away_is_no_error(cache: Cache) -> None:
    cache.quarantine("embed", "k", "it is gone")
    assert len(cache.notes) == 1  # type: ignore[attr-defined]


def test_an_entry_published_while_it_was_looked_up_is_not_damaged(
    cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = Cache.entry, []

    def entry(self: Cache, stage: str, key: str) -> Any:
        found = real(self, stage, key)
        if not calls:
            store(cache)  # the other process, just behind our look
        calls.append(key)
        return found

    monkeypatch.setattr(Cache, "entry", entry)
    load(cache)
    assert cache.folder("embed", "k").exists()
    assert not cache.notes  # type: ignore[attr-defined]


def test_the_first_to_finish_wins(cache: Cache) -> None:
    store(cache)
    store(cache, value=VALUE + 1)
    assert np.array_equal(load(cache), VALUE)
    assert not any(Path(name).parts[0] == "incoming" for name in files(cache))


SCRIPT = """
import sys, time
from pathlib import Path
import numpy as np
from pipelines import codecs
from pipelines.cache import Cache
cache = Cache(Path(sys.argv[1]))
print("ready", flush=True)
while not Path(sys.argv[1], "go").exists():
    time.sleep(0.001)
for i in range(40):
    value = np.full((200, 64), i, dtype=np.float32)
    cache.store("embed", str(i), codecs.VECTORS, value, 0.0)
    found = cache.load("embed", str(i), codecs.VECTORS)
    assert found is not None and np.array_equal(found, value), i
"""


def test_processes_that_store_the_same_keys(cache: Cache) -> None:
    cache.root.mkdir()
    processes = [python("import warnings; warnings.simplefilter('error')\n" + SCRIPT, str(cache.root)) for _ in "abc"]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    (cache.root / "go").touch()
    outputs(processes)
    for i in range(40):
        found = load(cache, str(i))
        assert found is not None
        assert np.all(found == i)
    assert list((cache.root / "incoming").iterdir()) == []
    assert not (cache.root / "quarantine").exists()


def no_space(*_: Any, **__: Any) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("refusing", ["numpy.lib.format.write_array", "pathlib.Path.write_text", "pathlib.Path.rename"])
def test_a_full_disk(
    cache: Cache, monkeypatch: pytest.MonkeyPatch, refusing: str, sentence: Callable[[object], str]
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(refusing, no_space)
        with pytest.raises(StorageError) as refused:
            store(cache)
    assert "is full" in sentence(refused.value)
    assert "keep the output of the embed stage" in str(refused.value)
    assert refused.value.exit_code == 1
    assert files(cache) == []
    assert load(cache) is None
    store(cache)
    assert np.array_equal(load(cache), VALUE)


LIMITED = """
import resource, sys
from pathlib import Path
import numpy as np
from pipelines import codecs
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
try:
    codecs.VECTORS.save(np.ones((1000, 100), dtype=np.float32), Path(sys.argv[1]))
except OSError as error:
    print(error.errno)
"""


def test_why_a_disk_refuses_is_kept(tmp_path: Path) -> None:
    """numpy's own writer says only "100000 requested and 24968 written", and not why: a full disk must be named."""
    assert outputs([python(LIMITED, str(tmp_path))]) == [str(errno.EFBIG)]


def test_a_disk_that_may_not_be_written(cache: Cache, monkeypatch: pytest.MonkeyPatch, sentence: Any) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(StorageError) as refused:
        store(cache)
    assert "may not be written" in sentence(refused.value)


def test_a_crash_between_writing_and_renaming_leaves_no_entry(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        pass

    def die(*_: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("pipelines.cache._publish", die)
        patch.setattr(shutil, "rmtree", lambda *_, **__: None)  # kill -9 cleans nothing up
        with pytest.raises(Killed):
            store(cache)
    left = [name for name in files(cache) if name.startswith("incoming/")]
    assert left, "the test must leave what a crash leaves"
    assert load(cache) is None
    assert cache.entry("embed", "k") is None
    store(cache)
    assert np.array_equal(load(cache), VALUE)


def test_the_manifest_holds_no_path_and_no_user_text(cache: Cache) -> None:
    store(cache)
    manifest = json.loads((cache.folder("embed", "k") / "manifest.json").read_text())
    assert set(manifest) == {"seconds", "notes", "files", "made"}
    assert set(manifest["files"]) == {"vectors.npy"}
