"""Worker processes for real: killed, cancelled, replaced, alone."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from pipelines import api
from pipelines.runs import spawn
from pipelines.runs.heart import Heart
from pipelines.runs.lock import WorkerLock
from pipelines.settings import home as home_folder
from tests.conftest import workers_of

from .helpers import REPOSITORY, vectors, words

Workers = Callable[[], list[psutil.Process]]
Wait = Callable[..., None]


def long_set(write_set: Any, n_documents: int) -> Path:
    """Texts that the model needs a third of a second a document for."""
    rows = []
    for i in range(n_documents):
        numbers = [(i * 40 + j) * 7919 % 10007 for j in range(40)]
        rows.append({"id": f"d{i}", "text": " ".join(f"Entry {n} of the long ledger reads {n * 31}." for n in numbers)})
    questions = [{"id": "q", "text": "What does entry 7919 read?", "evidence": [{"document_id": "d0"}]}]
    return write_set(rows, questions, name="long")


def slow(batch_size: int = 8) -> Any:
    embed = {"use": "minilm", "precision": "float32", "device": "cpu", "batch_size": batch_size}
    return vectors(chunk={"use": "fixed", "size": 64}, embed=embed)


def embedding(job_id: str) -> Callable[[], bool]:
    """Whether the job has embedded some batches, and not yet all."""

    def check() -> bool:
        job = api.jobs().get(job_id)
        assert job.active, (job.state, job.error, "the work ended before it could be disturbed")
        return job.progress.get("stage") == "embed" and job.progress.get("done", 0) >= 16

    return check


def test_a_worker_does_the_work_and_ends_when_idle(
    towns: Path, workers: Workers, wait_until: Wait, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAG_WORKBENCH_IDLE_S", "0.3")
    told: list[str] = []
    job = api.watch(api.submit(words(), api.open_dataset(towns), name="mine").id, lambda j: told.append(j.state))
    assert (job.state, job.error) == ("finished", None)
    assert told[-1] == "finished"
    run = api.run(str(job.run_id))
    assert (run.name, run.n_questions) == ("mine", 13)
    assert api.details(run.id).question_ids[0] == "arden-0"
    wait_until(lambda: not workers(), 10)


def test_five_clicks_and_two_tabs_are_one_run(towns: Path, workers: Workers) -> None:
    dataset = api.open_dataset(towns)
    clicks = [api.submit(words(), dataset, again=False) for _ in range(5)]
    assert len({job.id for job in clicks}) == 1
    assert api.watch(clicks[0].id).state == "finished"
    late = api.submit(words(), dataset, again=False)
    assert (late.id, late.state) == (clicks[0].id, "finished")
    assert len(api.runs().rows) == 1
    assert len(workers()) <= 1


def test_a_second_worker_ends_at_once(home: Path) -> None:
    lock = WorkerLock(home)
    assert lock.acquire()
    assert not WorkerLock(home).acquire()
    started = time.monotonic()
    command = [sys.executable, "-m", "pipelines.worker"]
    assert subprocess.run(command, cwd=REPOSITORY, timeout=20, check=False).returncode == 0
    assert time.monotonic() - started < 10
    lock.release()
    again = WorkerLock(home)
    assert again.acquire()
    again.release()


def test_one_that_starts_for_another_home_folder_does_not_count_here(
    home: Path, workers: Workers, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    api.jobs()
    assert spawn.ensure_worker()
    assert not spawn.ensure_worker()  # it is starting
    with monkeypatch.context() as patch:
        patch.setenv("RAG_WORKBENCH_HOME", str(tmp_path))
        api.jobs()
        assert spawn.ensure_worker()
        [other] = workers_of(tmp_path)
        other.kill()
    [worker] = workers()
    worker.kill()
    worker.wait(10)
    assert spawn.ensure_worker()  # one that died while it was starting is replaced at once


def test_a_job_that_fails_keeps_its_sentence_and_code(
    towns: Path, write_set: Any, town_rows: Any, sentence: Callable[[object], str]
) -> None:
    pipeline = words(filter={"use": "where", "where": {"nmber": 3}})
    job = api.watch(api.submit(pipeline, api.open_dataset(towns)).id)
    assert (job.state, job.exit_code, job.run_id) == ("failed", 2, None)
    assert "names the metadata field 'nmber'" in sentence(job.error)
    assert "Did you mean 'number'?" in str(job.error)
    assert api.runs().rows == ()


def test_a_dataset_changed_after_it_was_asked_for(
    towns: Path, write_set: Any, town_rows: Any, sentence: Callable[[object], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("pipelines.runs.spawn.ensure_worker", lambda *_: False)
        job = api.submit(words(), api.open_dataset(towns))
    documents, questions = town_rows
    write_set(documents, questions[:3])
    job = api.watch(job.id)
    assert job.state == "failed"
    assert "was changed after this run was asked for" in sentence(job.error)


def test_a_bug_is_a_sentence_with_a_number_and_the_log_has_the_rest(
    towns: Path, monkeypatch: pytest.MonkeyPatch, sentence: Callable[[object], str], home: Path
) -> None:
    from pipelines import worker as worker_module
    from pipelines.runs.database import Database
    from pipelines.settings import database_url

    monkeypatch.setattr("pipelines.runs.spawn.ensure_worker", lambda *_: False)
    monkeypatch.setattr("pipelines.runs.doing.evaluate", lambda *_, **__: {}["no such key"])
    job = api.submit(words(), api.open_dataset(towns))
    worker_module.Worker(Database(database_url()), idle_s=0.2).run()
    job = api.jobs().get(job.id)
    assert (job.state, job.exit_code) == ("failed", 1)
    assert "Something went wrong inside the workbench (error " in sentence(job.error)
    assert "no such key" not in str(job.error)


@pytest.mark.slow
def test_killed_in_the_middle_it_goes_on(write_set: Any, home: Path, workers: Workers, wait_until: Wait) -> None:
    job = api.submit(slow(), api.open_dataset(long_set(write_set, 8)))
    wait_until(embedding(job.id), 60)
    [worker] = workers()
    worker.send_signal(signal.SIGKILL)
    wait_until(lambda: not workers(), 5)

    with sqlite3.connect(home / "runs.db") as connection:
        assert connection.execute("pragma integrity_check").fetchone() == ("ok",)
    assert api.runs().rows == ()
    assert api.jobs().get(job.id).state == "running"  # nobody has noticed yet

    done = api.watch(job.id)  # as a tab that is open, or a command that waits
    assert done.state == "finished"
    assert done.attempts < 3, "deaths are counted anew once something was finished"
    run = api.run(str(done.run_id))
    assert run.stages["load"].found == run.stages["chunk"].found == "hit"
    assert run.stages["embed"].found == "miss"
    assert len(api.runs().rows) == 1
    assert not any("damaged" in note for note in run.notes)


@pytest.mark.slow
@pytest.mark.parametrize("batch_size", [8, 1024], ids=["between-batches", "within-a-long-call"])
def test_cancelled_within_five_seconds(write_set: Any, workers: Workers, wait_until: Wait, batch_size: int) -> None:
    dataset = api.open_dataset(long_set(write_set, 30 if batch_size > 8 else 12))
    job = api.submit(slow(batch_size), dataset)
    if batch_size == 8:
        wait_until(embedding(job.id), 60)
    else:
        wait_until(lambda: api.jobs().get(job.id).progress.get("stage") == "embed", 60)
        time.sleep(2.5)  # the model is loaded, and its one batch takes longer than the grace period
    assert api.jobs().get(job.id).state == "running"
    [worker] = workers()
    asked = time.monotonic()
    api.cancel(job.id)
    wait_until(lambda: api.jobs().get(job.id).state == "cancelled", 5)
    assert time.monotonic() - asked < 5
    assert api.runs().rows == ()
    if batch_size > 8:  # a call that does not look up ends with its process, and holds no core any longer
        wait_until(lambda: worker.pid not in [process.pid for process in workers()], 2)
    # What is finished is kept, and whoever is left takes other work.
    other = api.watch(api.submit(words(chunk={"use": "fixed", "size": 64}), dataset).id)
    assert other.state == "finished"
    assert api.run(str(other.run_id)).stages["chunk"].found == "hit"
    assert not list((home_folder() / "cache" / "incoming").iterdir())


def test_the_heart_stops_the_work_between_batches(towns: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipelines.errors import Cancelled

    monkeypatch.setattr("pipelines.runs.spawn.ensure_worker", lambda *_: False)
    monkeypatch.setattr("pipelines.runs.heart._BEAT_S", 0.02)
    jobs = api.jobs()
    job = api.submit(words(), api.open_dataset(towns))
    jobs.claim("elsewhere:1:1.0")
    with Heart(jobs, job, "elsewhere:1:1.0") as heart:
        heart.watch("chunk", 1, 2)
        end = time.monotonic() + 5
        while jobs.get(job.id).progress.get("stage") != "chunk" and time.monotonic() < end:
            time.sleep(0.01)
        jobs.cancel(job.id)
        with pytest.raises(Cancelled):
            while time.monotonic() < end:
                heart.watch("chunk", 2, 2)
                time.sleep(0.01)


def test_a_worker_outlives_who_asked_for_it(towns: Path, wait_until: Wait, tmp_path: Path) -> None:
    """A closed tab, a restarted UI, a terminal that is gone: the group of who asked gets SIGKILL."""
    script = (
        "import sys, time\nfrom pipelines import api\nfrom tests.runs.helpers import words\n"
        "print(api.submit(words(), api.open_dataset(sys.argv[1])).id, flush=True)\ntime.sleep(60)\n"
    )
    command = [sys.executable, "-c", script, str(towns)]
    asking = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert asking.stdout is not None
    job_id = asking.stdout.readline().strip()
    os.killpg(asking.pid, signal.SIGKILL)
    asking.wait()
    wait_until(lambda: api.jobs().get(job_id).state == "finished", 20)
