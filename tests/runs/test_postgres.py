"""The run store on PostgreSQL: a throwaway server of this machine's own, without a port."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipelines import api
from pipelines.runs.claims import StoredClaims
from pipelines.runs.database import Database, _engine
from pipelines.runs.jobs import Jobs
from pipelines.runs.store import RunStore

from .helpers import details, outputs, python, record, words
from .test_store import HOSTILE, difference_to_the_schema

pytestmark = pytest.mark.slow


def binaries() -> Path:
    """The folder of the newest server's programs."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    if not found:
        pytest.skip("there is no PostgreSQL server below /usr/lib/postgresql; install the package 'postgresql'")
    pytest.importorskip("psycopg", reason="psycopg is missing; install the extra 'postgres'")
    return found[-1].parent


def user() -> list[str]:
    """How to run a program as a user that the server accepts: it refuses to be run by root."""
    if os.geteuid() != 0:
        return []
    if (
        shutil.which("setpriv") is None
        or subprocess.run(["id", "postgres"], capture_output=True, check=False).returncode
    ):
        pytest.skip("PostgreSQL does not run as root, and there is no user 'postgres' to run it as")
    return ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--clear-groups"]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The URL of an empty server, without a database name; it listens on a socket in a folder of its own."""
    programs, as_user = binaries(), user()
    folder = Path(tempfile.mkdtemp(prefix="rw-pg-", dir="/tmp"))
    try:
        if as_user:
            shutil.chown(folder, "postgres", "postgres")
        data = folder / "data"
        options = f"-c listen_addresses='' -c unix_socket_directories='{folder}' -c fsync=off"

        def program(name: str, *arguments: str) -> None:
            command = [*as_user, str(programs / name), *arguments]
            subprocess.run(command, check=True, timeout=60, cwd=folder, stdout=subprocess.DEVNULL)

        program("initdb", "-D", str(data), "-U", "tester", "--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C")
        program("pg_ctl", "-D", str(data), "-o", options, "-l", str(folder / "log"), "-w", "start")
        try:
            yield f"postgresql+psycopg://tester@/{{}}?host={folder}"
        finally:
            program("pg_ctl", "-D", str(data), "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def url(server: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of an empty database, which is also this test's run store."""
    import psycopg

    name = f"store_{abs(hash(request.node.name))}"
    plain = server.replace("+psycopg", "").format("postgres")
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(f"create database {name}")
    monkeypatch.setenv("RAG_WORKBENCH_DB", server.format(name))
    yield server.format(name)
    _engine(server.format(name)).dispose()


def test_the_migrations_make_what_the_schema_says(url: str) -> None:
    assert difference_to_the_schema(url) == []


def test_a_run_comes_back_as_it_was(url: str) -> None:
    store = api.store()
    store.add(record(), details())
    store.add(record("b" * 12, "second", mean=None), details())
    assert store.get(record().id) == record()
    rows = store.table(["recall@5", "latency_ms_p50"])
    assert [(row["name"], row["recall@5 mean"], row["recall@5 n"]) for row in rows] == [
        ("first", 1 / 3, 2),
        ("second", None, 2),
    ]
    assert [m.name for m in store.metrics()] == ["recall@5", "latency_ms_p50"]
    store.remove(record().id)
    assert [row["name"] for row in store.table([])] == ["second"]


def test_hostile_names(url: str) -> None:
    store = api.store()
    for i, text in enumerate(HOSTILE):
        store.add(record(f"{i:012d}", text, notes=(text,)), details())
        assert store.get(f"{i:012d}").name == text


def test_processes_that_submit_and_migrate_at_once(url: str, tmp_path: Path) -> None:
    from .test_jobs import SUBMIT

    processes = [python(SUBMIT, str(tmp_path / "go")) for _ in range(4)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    (tmp_path / "go").touch()
    assert len(set(outputs(processes))) == 1
    assert len(api.recent_jobs(50)) == 10


def test_twenty_threads_submit_one_job_and_claim_each_once(url: str) -> None:
    jobs = Jobs(Database(url))
    with ThreadPoolExecutor(20) as pool:
        same = {job.id for job in pool.map(lambda _: jobs.submit("e", "same", "t", {}, again=True), range(20))}
        assert len(same) == 1
        others = {jobs.submit("e", f"other {i}", "t", {}, again=True).id for i in range(15)}
        claimed = Counter(job.id for job in pool.map(lambda n: jobs.claim(f"host:{n}:1.0"), range(20)) if job)
    assert claimed == Counter(same | others)


def test_a_whole_run_by_a_worker(url: str, towns: Path) -> None:
    job = api.watch(api.submit(words(), api.open_dataset(towns)).id)
    assert (job.state, job.error) == ("finished", None)
    assert api.runs().rows[0]["recall@5"] is not None
    assert isinstance(api.store(), RunStore)


def test_of_twenty_threads_one_claims_each_piece_of_work(url: str) -> None:
    keys = [f"key {i}" for i in range(10)]

    def take(n: int) -> list[str]:
        claims = StoredClaims(Database(url), f"elsewhere:{n}:1.0")
        return [key for key in keys if claims.take(key)]

    with ThreadPoolExecutor(20) as pool:
        taken = Counter(key for found in pool.map(take, range(20)) for key in found)
    assert taken == dict.fromkeys(keys, 1)


def test_a_whole_sweep_by_two_workers(url: str, towns: Path) -> None:
    spec = api.SweepSpec.parse({"chunk": {"use": "fixed", "size": [16, 32]}, "retrieve": {"use": "bm25", "k1": [1, 2]}})
    job = api.watch(api.run_sweep(spec, api.open_dataset(towns), workers=2).id)
    assert (job.state, job.error) == ("finished", None)
    view = api.sweep_of_job(job.id)
    assert view is not None
    assert view.counts == {"finished": 4}
    assert view.sweep.report is not None
    assert len(api.runs().rows) == 4
