"""Worker processes on one sweep: they share it, stand still, stop, and go on without one that died."""

from __future__ import annotations

import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from benchmarks import witness
from benchmarks.crashes import small_set
from pipelines import api
from pipelines.runs import spawn
from pipelines.runs.lock import free_slots

Workers = Callable[[], list[psutil.Process]]
Wait = Callable[..., None]


def spec(sizes: int, depths: int = 2) -> api.SweepSpec:
    """A sweep by words: so many chunkings, so many depths, filtered or not."""
    return api.SweepSpec.parse(
        {
            "chunk": {"use": "fixed", "size": [16 * (i + 1) for i in range(sizes)]},
            "retrieve": {"use": "bm25", "depth": [5 * (i + 1) for i in range(depths)]},
            "filter": ["none", {"use": "where", "where": {"number": {"$gte": 3}}}],
            "search": {"strategy": "grid", "objectives": ["recall@5"]},
        }
    )


@pytest.fixture
def audit(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    file = home / "audit.txt"
    monkeypatch.setenv("RAG_WORKBENCH_AUDIT", str(file))
    monkeypatch.setenv("RAG_WORKBENCH_IDLE_S", "5")
    yield file


def started(home: Path, n: int, wait_until: Wait) -> None:
    """Have `n` workers up and waiting."""
    api.jobs()
    spawn.ensure_worker(n)
    wait_until(lambda: free_slots(home, n) == 0, 40)


def shares(audit: Path) -> dict[int, int]:
    """How many outputs each process kept."""
    found: dict[int, int] = {}
    for event in witness.audited(audit):
        if event.what == "kept":
            found[event.pid] = found.get(event.pid, 0) + 1
    return found


def computed_once(audit: Path) -> bool:
    return set(witness.computed(witness.audited(audit)).values()) == {1}


@pytest.mark.slow
def test_two_workers_share_a_sweep_and_do_nothing_twice(
    home: Path, tmp_path: Path, audit: Path, workers: Workers, wait_until: Wait
) -> None:
    dataset = api.open_dataset(small_set(tmp_path / "ledgers"))
    started(home, 2, wait_until)
    job = api.watch(api.run_sweep(spec(10), dataset, split="dev", workers=2).id)
    view = api.sweep_of_job(job.id)
    assert (job.state, job.error) == ("finished", None)
    assert view is not None and dict(view.counts) == {"finished": 40}
    assert len(shares(audit)) == 2
    assert computed_once(audit)
    assert witness.repeated(witness.audited(audit), {}) == []
    assert set(witness.evaluated(witness.audited(audit)).values()) == {1}
    identities = [api.run(run_id).identity for run_id in witness.run_ids()]
    assert len(identities) == len(set(identities)) == 41  # 40 on dev, the winner on test


@pytest.mark.slow
def test_a_helper_stays_from_batch_to_batch(
    home: Path, tmp_path: Path, audit: Path, workers: Workers, wait_until: Wait
) -> None:
    dataset = api.open_dataset(small_set(tmp_path / "ledgers"))
    started(home, 2, wait_until)
    settings = spec(30).settings()
    settings["search"] = {"strategy": "tpe", "trials": 24, "batch": 6, "objectives": ["recall@5"]}
    job = api.watch(api.run_sweep(api.SweepSpec.parse(settings), dataset, split="dev", workers=2).id)
    view = api.sweep_of_job(job.id)
    assert (job.state, job.error) == ("finished", None)
    assert view is not None and dict(view.counts) == {"finished": 24}
    events = witness.audited(audit)
    assert len(witness.shares(events, "kept")) == 2
    assert computed_once(audit)
    assert set(witness.evaluated(events).values()) == {1}
    assert witness.repeated(events, {}) == []


@pytest.mark.slow
def test_paused_it_stands_still_and_resumed_it_ends_as_if_nothing_had_been(
    home: Path, tmp_path: Path, audit: Path, workers: Workers, wait_until: Wait
) -> None:
    dataset = api.open_dataset(small_set(tmp_path / "ledgers"))
    job = api.run_sweep(spec(12), dataset, split="dev")
    wait_until(lambda: len(shares(audit)) > 0, 40)
    api.pause(job.id)
    wait_until(lambda: api.jobs().get(job.id).state == "paused", 10)
    n_kept, n_runs = sum(shares(audit).values()), len(witness.run_ids())
    assert n_runs < 48
    assert api.watch(job.id).state == "paused"
    assert (sum(shares(audit).values()), len(witness.run_ids())) == (n_kept, n_runs)
    assert api.run_sweep(spec(12), dataset, split="dev").id == job.id  # asked for again, it goes on
    done = api.watch(job.id)
    view = api.sweep_of_job(job.id)
    assert done.state == "finished"
    assert view is not None and dict(view.counts) == {"finished": 48}
    assert computed_once(audit)


@pytest.mark.slow
def test_cancelled_it_stops_with_its_helper_and_keeps_what_is_finished(
    home: Path, tmp_path: Path, audit: Path, workers: Workers, wait_until: Wait
) -> None:
    dataset = api.open_dataset(small_set(tmp_path / "ledgers"))
    started(home, 2, wait_until)
    job = api.run_sweep(spec(20), dataset, split="dev", workers=2)
    wait_until(lambda: len(shares(audit)) == 2, 40)
    api.cancel(job.id)
    wait_until(lambda: api.jobs().get(job.id).state == "cancelled", 10)
    wait_until(lambda: _claims(home) == 0, 10)
    kept = witness.run_ids()
    assert len(kept) < 80
    assert all(api.details(run_id).question_ids for run_id in kept)
    again = api.watch(api.run_sweep(spec(20), dataset, split="dev", workers=2).id)
    assert again.id != job.id
    assert again.state == "finished"
    assert kept <= witness.run_ids()
    assert computed_once(audit)


@pytest.mark.slow
@pytest.mark.parametrize("who", ["leader", "helper"])
def test_one_of_two_dies_and_the_other_does_the_rest(
    home: Path, tmp_path: Path, audit: Path, workers: Workers, wait_until: Wait, who: str
) -> None:
    dataset = api.open_dataset(small_set(tmp_path / "ledgers"))
    started(home, 2, wait_until)
    job = api.run_sweep(spec(20), dataset, split="dev", workers=2)
    wait_until(lambda: len(shares(audit)) == 2, 40)
    leader = int(str(api.jobs().get(job.id).worker).split(":")[1])
    [victim] = [one for one in workers() if (one.pid == leader) == (who == "leader")]
    victim.send_signal(signal.SIGKILL)
    done = api.watch(job.id)
    view = api.sweep_of_job(job.id)
    assert (done.state, done.error) == ("finished", None)
    assert (done.attempts == 1) or who == "leader"
    assert view is not None and dict(view.counts) == {"finished": 80}
    assert witness.repeated(witness.audited(audit), {victim.pid: 0.0}) == []
    assert witness.unsound(home) == []


def _claims(home: Path) -> int:
    with closing(sqlite3.connect(home / "runs.db")) as connection:
        return int(connection.execute("select count(*) from claim").fetchone()[0])
