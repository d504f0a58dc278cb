"""The job table: one job for the same thing, one worker for a job, and no job lost with its worker."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from pipelines import api
from pipelines.errors import NotFoundError, StorageError, WorkbenchError
from pipelines.runs import jobs as jobs_module
from pipelines.runs.database import Database
from pipelines.runs.jobs import DIED, MOST_ATTEMPTS, Job, Jobs, is_dead, this_worker
from pipelines.runs.schema import job as table
from pipelines.settings import database_url

from .helpers import outputs, python, words

ME = "elsewhere:1:1.0"


@pytest.fixture
def jobs() -> Jobs:
    return Jobs(Database(database_url()))


def submit(jobs: Jobs, identity: str = "same", again: bool = True) -> jobs_module.Job:
    return jobs.submit("evaluate", identity, f"title of {identity}", {"n": 1}, again=again)


def set_values(job_id: str, **values: Any) -> None:
    with Database(database_url()).writing() as connection:
        connection.execute(update(table).where(table.c.id == job_id).values(**values))


def test_twenty_threads_submit_one_job(jobs: Jobs) -> None:
    barrier = threading.Barrier(20)

    def click(_: int) -> str:
        barrier.wait()
        return submit(jobs).id

    with ThreadPoolExecutor(20) as pool:
        assert len(set(pool.map(click, range(20)))) == 1
    assert len(jobs.recent()) == 1


SUBMIT = """
import sys, time
from pathlib import Path
from pipelines.runs.database import Database
from pipelines.runs.jobs import Jobs
from pipelines.settings import database_url
jobs = None
print("ready", flush=True)
while not Path(sys.argv[1]).exists():
    time.sleep(0.001)
for i in range(10):
    print(Jobs(Database(database_url())).submit("evaluate", f"same {i}", "t", {}, again=True).id)
"""


def test_processes_submit_one_job_each_thing(tmp_path: Path) -> None:
    """On a store that does not exist yet: they also create and migrate it at once."""
    processes = [python(SUBMIT, str(tmp_path / "go")) for _ in range(5)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    (tmp_path / "go").touch()
    assert len(set(outputs(processes))) == 1
    assert len(api.recent_jobs(50)) == 10


def test_the_same_thing_again(jobs: Jobs) -> None:
    first = submit(jobs)
    assert submit(jobs).id == first.id
    jobs.claim(ME)
    assert submit(jobs).id == first.id  # while it runs, too
    jobs.finish(first.id, ME, "run1")
    assert submit(jobs, again=False).id == first.id
    second = submit(jobs, again=True)
    assert second.id != first.id
    assert second.state == "queued"


@pytest.mark.parametrize("end", ["failed", "cancelled"])
def test_what_failed_or_was_cancelled_is_done_again(jobs: Jobs, end: str) -> None:
    first = submit(jobs)
    jobs.claim(ME)
    if end == "failed":
        jobs.fail(first.id, ME, "A sentence.", 2)
    else:
        jobs.cancelled(first.id, ME)
    assert jobs.get(first.id).state == end
    assert submit(jobs, again=False).id != first.id


def test_a_submission_names_what_decides_the_result(towns: Path, write_set: Any, town_rows: Any) -> None:
    dataset = api.open_dataset(towns)
    from pipelines.runs.submit import submit_evaluation

    def ask(**changes: Any) -> str:
        options = {"pipeline": words(), "dataset": dataset, "split": None, "name": "n", "seed": 0, **changes}
        pipeline, chosen = options.pop("pipeline"), options.pop("dataset")
        return submit_evaluation(api.jobs(), pipeline, chosen, **options).id

    first = ask()
    assert ask() == first
    documents, questions = town_rows
    others = [
        ask(pipeline=words(retrieve={"use": "bm25", "k1": 1.2})),
        ask(split="dev"),
        ask(name="m"),
        ask(seed=1),
        ask(dataset=api.open_dataset(write_set(documents, questions[:-1]))),
    ]
    assert len({first, *others}) == 6


def test_workers_claim_each_job_once_and_in_order(jobs: Jobs) -> None:
    ids = [submit(jobs, f"thing {i}").id for i in range(40)]
    claimed: list[list[str]] = [[] for _ in range(8)]

    def work(n: int) -> None:
        while (job := jobs.claim(f"elsewhere:{n}:0.0")) is not None:
            claimed[n].append(job.id)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert Counter(i for part in claimed for i in part) == Counter(ids)
    for part in claimed:
        assert [ids.index(i) for i in part] == sorted(ids.index(i) for i in part)


def test_a_job_of_a_live_worker_is_not_taken(jobs: Jobs, live_worker: str) -> None:
    submit(jobs)
    assert jobs.claim(live_worker) is not None
    assert not is_dead(live_worker)
    assert jobs.claim("another") is None


def test_a_dead_workers_job_is_taken_up_at_once(jobs: Jobs, dead_worker: str) -> None:
    first = submit(jobs)
    assert jobs.claim(dead_worker) is not None
    assert is_dead(dead_worker)
    again = jobs.claim(this_worker())
    assert again is not None
    assert (again.id, again.attempts, again.state) == (first.id, 2, "running")


def test_a_number_that_another_process_has_now_is_a_dead_worker() -> None:
    host, pid, born = this_worker().rsplit(":", 2)
    assert not is_dead(f"{host}:{pid}:{born}")
    assert is_dead(f"{host}:{pid}:{float(born) - 100:.2f}")
    assert not is_dead(f"another-host:{pid}:{float(born) - 100:.2f}")
    assert not is_dead(None)


def test_of_another_machine_only_the_lease_tells(jobs: Jobs) -> None:
    first = submit(jobs)
    assert jobs.claim("another-host:1:1.0") is not None
    assert jobs.claim(this_worker()) is None
    set_values(first.id, lease_until=time.time() - 1)
    assert jobs.claim(this_worker()).id == first.id  # type: ignore[union-attr]


def test_a_worker_that_lost_its_job_changes_nothing_more(jobs: Jobs) -> None:
    first = submit(jobs)
    jobs.claim("slow:1:1.0")
    set_values(first.id, lease_until=time.time() - 1)
    jobs.claim("quick:2:1.0")
    assert jobs.beat(first.id, "slow:1:1.0", {"stage": "embed"}) == "lost"
    jobs.fail(first.id, "slow:1:1.0", "A sentence.", 1)
    jobs.finish(first.id, "slow:1:1.0", "run1")
    assert jobs.get(first.id).state == "running"
    assert jobs.get(first.id).progress == {}
    jobs.finish(first.id, "quick:2:1.0", "run2")
    assert (jobs.get(first.id).state, jobs.get(first.id).run_id) == ("finished", "run2")


def test_a_beat_renews_the_lease_and_tells_the_progress(jobs: Jobs) -> None:
    first = submit(jobs)
    jobs.claim("elsewhere:1:1.0")
    set_values(first.id, lease_until=time.time() + 0.05)
    assert jobs.beat(first.id, "elsewhere:1:1.0", {"stage": "embed", "done": 3, "total": 9}) == "go on"
    time.sleep(0.1)
    assert jobs.claim("another") is None
    assert jobs.get(first.id).progress == {"stage": "embed", "done": 3, "total": 9}


def test_three_deaths_are_enough(jobs: Jobs, dead_worker: str, sentence: Callable[[object], str]) -> None:
    first, second = submit(jobs), submit(jobs, "the next in line")
    for attempt in range(MOST_ATTEMPTS):
        assert jobs.claim(dead_worker).attempts == attempt + 1  # type: ignore[union-attr]
    after = jobs.claim(this_worker())
    assert after is not None
    assert after.id == second.id
    failed = jobs.get(first.id)
    assert (failed.state, failed.exit_code) == ("failed", 1)
    assert sentence(failed.error) == DIED
    assert failed.ended is not None


def test_cancelled_while_it_waits(jobs: Jobs) -> None:
    first = submit(jobs)
    assert jobs.cancel(first.id).state == "cancelled"
    assert jobs.claim(ME) is None


def test_cancelled_while_it_runs(jobs: Jobs, live_worker: str) -> None:
    first = submit(jobs)
    jobs.claim(live_worker)
    asked = jobs.cancel(first.id)
    assert (asked.state, asked.cancel_requested) == ("running", True)
    assert jobs.beat(first.id, live_worker, {}) == "cancel"
    jobs.cancelled(first.id, live_worker)
    assert jobs.get(first.id).state == "cancelled"


def test_cancelled_when_its_worker_is_dead(jobs: Jobs, dead_worker: str) -> None:
    first = submit(jobs)
    jobs.claim(dead_worker)
    assert jobs.cancel(first.id).state == "cancelled"


def test_cancelled_and_then_abandoned(jobs: Jobs) -> None:
    first = submit(jobs)
    jobs.claim("another-host:1:1.0")
    jobs.cancel(first.id)
    set_values(first.id, lease_until=time.time() - 1)
    assert jobs.claim(ME) is None
    assert jobs.get(first.id).state == "cancelled"


def test_cancelling_what_has_ended_changes_nothing(jobs: Jobs) -> None:
    first = submit(jobs)
    jobs.claim(ME)
    jobs.finish(first.id, ME, "run1")
    assert jobs.cancel(first.id).state == "finished"


def test_unknown_jobs(jobs: Jobs, sentence: Callable[[object], str]) -> None:
    for ask in (jobs.get, jobs.cancel):
        with pytest.raises(NotFoundError) as refused:
            ask("nothing")
        assert "There is no job 'nothing'" in sentence(refused.value)


def test_hostile_titles_come_back_as_they_are(jobs: Jobs) -> None:
    title = "=1+1 <script>alert(1)</script> ../../x ' \" \u202e \n" + "x" * 10_000
    found = jobs.get(jobs.submit("evaluate", "i", title, {"name": title}, again=True).id)
    assert found.title == title
    assert found.payload == {"name": title}


def test_worker_after_worker_that_ends_is_told(
    towns: Path, monkeypatch: pytest.MonkeyPatch, sentence: Callable[[object], str]
) -> None:
    monkeypatch.setattr("pipelines.runs.spawn.ensure_worker", lambda *_: True)
    monkeypatch.setattr("pipelines.verbs.jobs._WATCH_S", 0.0)
    job = submit(api.jobs())
    with pytest.raises(StorageError) as refused:
        api.watch(job.id)
    assert "worker.log says why" in sentence(refused.value)
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 0}))
    with pytest.raises(StorageError) as refused:
        api.watch(job.id)
    assert "is full" in sentence(refused.value)


def test_helpers_that_come_and_go_beside_one_at_work_are_no_failure(
    towns: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A helper with nothing to do ends when idle, and another is started: the work goes on all the same."""
    monkeypatch.setattr("pipelines.runs.spawn.ensure_worker", lambda *_: True)
    monkeypatch.setattr("pipelines.verbs.jobs._WATCH_S", 0.0)
    table, told = api.jobs(), []
    job = submit(table)
    table.claim(this_worker())

    def tell(now: Job) -> None:
        told.append(now.state)
        if len(told) == 20:
            table.finish(job.id, this_worker(), "run1")

    assert api.watch(job.id, tell).state == "finished"
    assert told == ["running"] * 20 + ["finished"]


def test_a_submission_is_checked_before_it_is_entered(towns: Path, sentence: Callable[[object], str]) -> None:
    dataset = api.open_dataset(towns)
    model = words(embed={"use": "sentence-transformer", "model": "no/such-folder"})
    for options in ({"split": "train"}, {"split": "nothing"}):
        with pytest.raises(WorkbenchError) as refused:
            api.submit(words(), dataset, **options)
        sentence(refused.value)
    with pytest.raises(WorkbenchError) as refused:
        api.submit(model, dataset)
    assert "'no/such-folder' is neither a folder nor a model" in sentence(refused.value)
    assert api.recent_jobs() == []
