"""kill -9 in the middle of a sweep, of worker and asker: the same table, nothing lost, nothing done twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmarks import witness
from benchmarks.crashes import tried
from benchmarks.witness import Event, repeated

SMALL: dict[str, Any] = {
    "chunk": {"use": "fixed", "size": [16, 32, 64]},
    "retrieve": {"use": "bm25", "depth": [5, 10]},
    "filter": ["none", {"use": "where", "where": {"number": {"$gte": 3}}}],
    "search": {"strategy": "grid", "objectives": ["recall@5"]},
}


@pytest.mark.slow
def test_killed_four_times_the_sweep_comes_to_the_same_table(tmp_path: Path) -> None:
    found = tried(tmp_path, 4, SMALL, seed=3)
    assert found["faults"] == []
    assert found["processes_killed"] >= 2
    assert found["configurations"] == 12
    assert found["outputs_computed_twice"] == 0


def test_the_witness_sees_what_is_done_twice() -> None:
    begun, kept = Event(1.0, 7, "begun", "chunk", "k"), Event(2.0, 7, "kept", "chunk", "k")
    again = Event(3.0, 8, "begun", "chunk", "k")
    assert repeated([begun, kept], {}) == []
    assert repeated([begun, again], {7: 2.5}) == []  # in flight when 7 was killed
    assert len(repeated([begun, again], {})) == 1  # 7 still lives
    assert len(repeated([begun, kept, again], {7: 2.5})) == 1  # it was kept
    assert len(repeated([begun, begun], {})) == 1


def test_the_witness_sees_what_is_not_whole(tmp_path: Path) -> None:
    from pipelines.cache import Cache
    from pipelines.codecs import NUMBERS

    cache = Cache(tmp_path / "cache")
    for key in ("sound", "cut", "bare"):
        cache.store("score", key, NUMBERS, [1.0, 2.0], 0.1)
    assert witness.unsound(tmp_path) == []
    numbers = cache.folder("score", "cut") / "numbers.json"
    numbers.write_bytes(numbers.read_bytes()[:3])
    (cache.folder("score", "bare") / "manifest.json").unlink()
    assert [one.partition(":")[0] for one in witness.unsound(tmp_path)] == ["score/bare", "score/cut"]
