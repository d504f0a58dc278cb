"""Evaluations are shared like any work: each once, whoever does it, the same rows; a dead one's is taken up again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from benchmarks import witness
from benchmarks.witness import details_bits
from pipelines import api
from pipelines.cache import Cache
from pipelines.execution import Execution
from pipelines.pipeline import Pipeline
from pipelines.runs.claims import StoredClaims
from pipelines.runs.database import Database
from pipelines.runs.evaluate import evaluate
from pipelines.runs.jobs import this_worker
from pipelines.runs.record import Run
from pipelines.runs.store import RunStore
from pipelines.settings import REPOSITORY, cache_folder, database_url, runs_folder
from pipelines.sweeps.batch import Asked, Batch, Kept, On
from pipelines.sweeps.engine import Engine

GRID = [
    {
        "chunk": {"use": chunker, "size": size},
        "retrieve": {"use": "bm25", "depth": depth},
        "score": {"use": "standard", "cutoffs": [1, 3]},
    }
    for chunker in ("fixed", "sentence")
    for size in (16, 32)
    for depth in (3, 5, 10)
]


@pytest.fixture
def audit(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = home / "audit.txt"
    monkeypatch.setenv("RAG_WORKBENCH_AUDIT", str(file))
    return file


def share(dataset: Path, worker: str, *, helps: bool = False) -> dict[int, str]:
    """Do one worker's part in the grid; return the runs that it wrote, by number."""
    database, found = Database(database_url()), dict[int, str]()
    asked = [Asked(i, Pipeline.parse(values), f"#{i}") for i, values in enumerate(GRID)]
    run = Execution(Cache(cache_folder()), claims=StoredClaims(database, worker))
    kept = Kept(RunStore(database, runs_folder()), found.update, lambda number, reason: pytest.fail(reason))
    batch = Batch(asked, On(api.open_dataset(dataset), None), run, kept, 0.0)
    batch.carry_out(Engine(run, backwards=helps, cut_first=True))
    return found


def killed_in_an_evaluation(dataset: Path) -> int:
    """Have a process share the work that is killed once the details of its first runs are written; return its id."""
    script = f"""
import os, pathlib, signal, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from pipelines.runs.jobs import this_worker
from pipelines.runs.store import RunStore
from test_shared_evaluations import share
RunStore._add_rows = lambda self, records: os.kill(os.getpid(), signal.SIGKILL)
share(pathlib.Path({str(dataset)!r}), this_worker(), helps=True)
"""
    process = subprocess.Popen([sys.executable, "-c", script], cwd=REPOSITORY, env=dict(os.environ))
    assert process.wait(120) == -signal.SIGKILL
    return process.pid


def compared(run: Run) -> tuple[object, ...]:
    """All of a run that is no time."""
    metrics = [one for one in run.metrics if one.metric.family != "latency_ms"]
    return (metrics, run.losses, run.label, run.settings, run.n_chunks, run.notes, list(run.stages))


def rows_are_those_of_one(dataset: Path, tmp_path: Path) -> None:
    store = RunStore(Database(database_url()), runs_folder())
    by_name = {str(row["name"]): str(row["id"]) for row in store.table(["recall@3"])}
    assert sorted(by_name) == sorted(f"#{i}" for i in range(len(GRID)))
    alone = Cache(tmp_path / "alone")
    for i, values in enumerate(GRID):
        expected = evaluate(Pipeline.parse(values), api.open_dataset(dataset), alone, name=f"#{i}")
        kept = store.get(by_name[f"#{i}"])
        assert compared(kept) == compared(expected.run), f"#{i}"
        assert details_bits(store.details(kept.id)) == details_bits(expected.details), f"#{i}"


def test_two_workers_do_each_evaluation_once_and_write_the_rows_of_one(
    towns: Path, tmp_path: Path, audit: Path
) -> None:
    found: dict[str, dict[int, str]] = {}
    together = threading.Barrier(2)

    def one(worker: str) -> None:
        together.wait(30)
        found[worker] = share(towns, worker, helps=worker.startswith("elsewhere:1"))

    threads = [threading.Thread(target=one, args=(f"elsewhere:{i}:1.0",)) for i in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert len(found) == 2
    events = witness.audited(audit)
    assert list(witness.evaluated(events).values()) == [1] * len(GRID)
    assert set(witness.computed(events).values()) == {1}
    assert witness.repeated(events, {}) == []
    rows_are_those_of_one(towns, tmp_path)


def test_an_evaluation_whose_worker_is_killed_in_it_is_taken_up_again(towns: Path, tmp_path: Path, audit: Path) -> None:
    pid = killed_in_an_evaluation(towns)
    store = RunStore(Database(database_url()), runs_folder())
    assert len(list(runs_folder().glob("*.parquet"))) > 0
    assert store.table(["recall@3"]) == []
    assert sorted(share(towns, this_worker())) == list(range(len(GRID)))
    events = witness.audited(audit)
    assert list(witness.evaluated(events).values()) == [1] * len(GRID)
    assert {event.pid for event in events if event.what == "measured"} == {os.getpid()}
    assert witness.repeated(events, {pid: 0.0}) == []
    rows_are_those_of_one(towns, tmp_path)
