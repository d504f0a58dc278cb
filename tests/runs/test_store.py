"""The run store: what goes in comes out, in a table that a spreadsheet may open, whoever writes at the same time."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines import api
from pipelines.errors import NotFoundError, StorageError, WorkbenchError
from pipelines.losses import Lost
from pipelines.records import Rankings, Scores
from pipelines.runs.database import Database
from pipelines.runs.details import read_details, write_details
from pipelines.runs.record import Details, Spans
from pipelines.runs.store import RunStore
from pipelines.runs.table import harmless, rows_to_csv, runs_table
from pipelines.runs.values import read_values
from pipelines.settings import database_url, runs_folder

from .before import write_before
from .helpers import METRICS, details, details_with_fates, outputs, places, python, record

HOSTILE = (
    "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "<script>alert(1)</script>", "../../etc/passwd",
    "' OR 1=1 --", "a\rb", "a\r\nb",
    "%s %d {0}", "\u202eleft", "a,b;\"c\"\nd", "👩‍👩‍👧‍👦", "x" * 10_000, "NULL", "", " ",
)  # fmt: skip


@pytest.fixture
def store() -> RunStore:
    return api.store()


def test_a_run_comes_back_as_it_was(store: RunStore) -> None:
    one = record()
    store.add(one, details())
    assert store.get(one.id) == one


def test_details_come_back_as_they_were(tmp_path: Path) -> None:
    one = details()
    write_details(one, tmp_path / "run.parquet")
    found = read_details(tmp_path / "run.parquet")
    assert found.question_ids == one.question_ids
    assert found.scores.metrics == one.scores.metrics
    assert found.scores.values.tobytes() == one.scores.values.tobytes()
    for row, column in np.ndindex(one.scores.reason.shape):  # numbers of reasons may change, their texts may not
        mine, theirs = one.scores.reason[row, column], found.scores.reason[row, column]
        assert found.scores.reasons[theirs] == one.scores.reasons[mine]
    assert found.rankings.chunk.tobytes() == one.rankings.chunk.tobytes()
    assert found.rankings.score.tobytes() == one.rankings.score.tobytes()
    assert places(found) == places(one)
    assert places(one) == [[("a", 0, 5), ("b", 5, 9), ("a", 10, 12)], [("ä/../=x", 7, 8)], []]
    assert all(
        np.array_equal(a, b) for a, b in ((found.spans.start, one.spans.start), (found.spans.end, one.spans.end))
    )


def test_details_of_nothing(tmp_path: Path) -> None:
    """No question has a hit, no chunk was cut, every value is there."""
    none, nowhere = Rankings.empty(2, 0), np.zeros((2, 0), dtype=np.int32)
    scores = Scores(METRICS, np.ones((2, 2)), np.zeros((2, 2), dtype=np.int16))
    write_details(Details(("q1", "q2"), scores, none, Spans((), nowhere, nowhere, nowhere)), tmp_path / "run.parquet")
    found = read_details(tmp_path / "run.parquet")
    assert (places(found), found.rankings.chunk.shape) == ([[], []], (2, 0))
    assert not found.scores.reason.any()


def same(found: Details, one: Details) -> bool:
    """Whether rankings, places and reasons are alike."""
    reasons = [[d.scores.reasons[n] for n in d.scores.reason.ravel()] for d in (found, one)]
    ranked = np.array_equal(found.rankings.chunk, one.rankings.chunk)
    return ranked and places(found) == places(one) and reasons[0] == reasons[1]


@pytest.mark.parametrize("plain", [False, True])
def test_details_of_an_older_run_are_read(tmp_path: Path, plain: bool) -> None:
    """They were a folder of three tables, one row a hit; the first ones held plain text, not dictionaries."""
    write_before(details(), tmp_path / "run", plain=plain)
    old = read_details(tmp_path / "run.parquet")
    assert same(old, details())
    assert old.fates is None
    ids, values = read_values(tmp_path / "run.parquet", ["recall@5", "nothing@5"])
    assert ids == details().question_ids
    assert np.array_equal(values["recall@5"], details().scores.column("recall@5"), equal_nan=True)


def test_details_of_an_older_run_in_several_row_groups_are_read(tmp_path: Path) -> None:
    """A table of over a million hits was written so; each group has a dictionary of its own."""
    import pyarrow.parquet as pq

    write_before(details(), tmp_path / "run")
    for path in (tmp_path / "run").iterdir():
        pq.write_table(pq.read_table(path), path, row_group_size=1)
    assert places(read_details(tmp_path / "run.parquet")) == places(details())


def test_details_that_name_a_rank_beyond_the_depth_are_damaged(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    path = tmp_path / "run.parquet"
    write_details(details(), path)
    table = pq.read_table(path)
    declared = {**json.loads(table.schema.metadata[b"run"]), "depth": 2}
    pq.write_table(table.replace_schema_metadata({"run": json.dumps(declared)}), path)
    with pytest.raises(NotFoundError):
        read_details(path)


def test_the_fates_of_evidence_come_back_as_they_were(tmp_path: Path) -> None:
    one = details_with_fates()
    write_details(one, tmp_path / "run.parquet")
    found, mine = read_details(tmp_path / "run.parquet").fates, one.fates
    assert found is not None and mine is not None
    assert (found.cuts, found.n_questions) == (mine.cuts, mine.n_questions)
    arrays = [name for name, value in vars(mine).items() if isinstance(value, np.ndarray)]
    assert len(arrays) == 10
    for name in arrays:
        assert getattr(found, name).tobytes() == getattr(mine, name).tobytes(), name
    assert np.array_equal(found.shares(), mine.shares(), equal_nan=True)


def test_what_a_run_lost_comes_back_and_an_older_run_has_none(store: RunStore) -> None:
    losses = {"recall@5": {"parse": Lost(0.125, 0.1, 1 / 3, 7), "cut": Lost(None, None, None, 0)}}
    store.add(record(losses=losses), details())
    store.add(record("b" * 12, "older"), details())
    assert store.get("a" * 12) == record(losses=losses)
    assert store.get("b" * 12).losses is None
    assert store.losses(["a" * 12, "b" * 12, "none"]) == {"a" * 12: losses}
    assert record(losses=losses).to_dict()["losses"]["recall@5"]["parse"] == {
        "mean": 0.125, "low": 0.1, "high": 1 / 3, "n": 7,
    }  # fmt: skip
    store.remove("a" * 12)
    assert store.losses(["a" * 12]) == {}


def test_details_are_plain_parquet(store: RunStore) -> None:
    import pandas as pd

    store.add(record(), details())
    assert [p.name for p in runs_folder().iterdir()] == [f"{record().id}.parquet"]
    kept = pd.read_parquet(runs_folder() / f"{record().id}.parquet").set_index("question_id")
    assert kept.loc["q1", "recall@5"] == 1 / 3
    assert math.isnan(kept.loc["q2", "recall@5"])
    assert kept.loc["q1", "ranking.document_id"].tolist() == ["a", "b", "a"]
    assert kept.loc["q2", "unscored.reason"].tolist() == ["unanswerable: no evidence"]


@pytest.mark.parametrize("damage", ["gone", "cut", "other"])
def test_details_that_cannot_be_read(tmp_path: Path, damage: str, sentence: Callable[[object], str]) -> None:
    write_details(details(), tmp_path / "run.parquet")
    file = tmp_path / "run.parquet"
    if damage == "gone":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:50] if damage == "cut" else b"no parquet at all")
    with pytest.raises(NotFoundError) as refused:
        read_details(tmp_path / "run.parquet")
    assert "missing or damaged; evaluate the run again" in sentence(refused.value)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_come_back_as_they_are(store: RunStore, text: str) -> None:
    one = record(name=text, dataset_name=text, label=text, notes=(text,), split="dev")
    store.add(one, details())
    assert store.get(one.id) == one
    [row] = store.table(["recall@5"])
    assert (row["name"], row["dataset_name"], row["label"]) == (text, text, text)
    if text:
        assert store.get(text).id == one.id
        assert [r["name"] for r in store.table(["recall@5"], dataset=text)] == [text]
    assert store.datasets() == [text]
    assert [*runs_folder().rglob("*.parquet")] == [runs_folder() / f"{one.id}.parquet"]


def test_a_run_is_found_by_id_name_or_beginning(store: RunStore, sentence: Callable[[object], str]) -> None:
    for run_id, name in (("abcd00000001", "first"), ("abcd00000002", "first"), ("efab00000003", "abcd00000001")):
        store.add(record(run_id, name), details())
    assert store.get("abcd00000001").name == "first"  # an id comes before a name
    assert store.get("first").id == "abcd00000002"  # of one name the newest
    assert store.get("efab").id == "efab00000003"
    for unclear in ("abcd", "efa", "frist", "%", "____"):
        with pytest.raises(NotFoundError) as refused:
            store.get(unclear)
        sentence(refused.value)
    with pytest.raises(NotFoundError, match="Did you mean 'first'"):
        store.get("frist")


def test_nothing_was_evaluated_yet(store: RunStore, sentence: Callable[[object], str]) -> None:
    with pytest.raises(NotFoundError) as refused:
        store.get("first")
    assert "nothing was evaluated yet" in sentence(refused.value)
    assert store.table(["recall@5"]) == []
    assert store.metrics() == ()
    assert runs_table(store).rows == ()


def test_the_table_is_pivoted(store: RunStore) -> None:
    store.add(record("a" * 12, "first", mean=0.25), details())
    store.add(record("b" * 12, "second", mean=None, dataset_name="others", dataset_version="e" * 32), details())
    rows = store.table(["latency_ms_p50", "recall@5", "no such metric"])
    assert [row["id"] for row in rows] == ["a" * 12, "b" * 12]
    assert [row["recall@5 mean"] for row in rows] == [0.25, None]
    assert [row["recall@5 n"] for row in rows] == [2, 2]
    assert [row["latency_ms_p50 mean"] for row in rows] == [1e-300, 1e-300]
    assert [row["no such metric mean"] for row in rows] == [None, None]
    assert [row["id"] for row in store.table([], dataset="others")] == ["b" * 12]
    assert [row["id"] for row in store.table([], dataset="d" * 32)] == ["a" * 12]
    assert [m.name for m in store.metrics()] == ["recall@5", "latency_ms_p50"]
    assert store.datasets() == ["others", "towns"]


def test_a_removed_run_is_gone_and_the_others_are_not(store: RunStore) -> None:
    store.add(record("a" * 12), details())
    store.add(record("b" * 12), details())
    store.remove("a" * 12)
    assert [row["id"] for row in store.table(["recall@5"])] == ["b" * 12]
    assert [p.name for p in runs_folder().iterdir()] == ["b" * 12 + ".parquet"]
    assert store.details("b" * 12).question_ids == details().question_ids


def test_a_crash_between_files_and_rows_leaves_no_run(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        pass

    def die(*_: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("pipelines.runs.store._metric_row", die)
        with pytest.raises(Killed):
            store.add(record(), details())
    assert store.table(["recall@5"]) == []
    store.add(record("b" * 12), details())
    assert [row["id"] for row in store.table(["recall@5"])] == ["b" * 12]


# The CSV file -------------------------------------------------------------------------------------------------------


def parsed(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


def test_the_file_holds_the_rows_and_columns_of_the_table(store: RunStore) -> None:
    for i, name in enumerate(HOSTILE):
        store.add(record(f"{i:012d}", name, mean=1 / (i + 3)), details())
    table = runs_table(store, ["recall@5", "latency_ms_p50"], intervals=True)
    heading, *rows = parsed(table.to_csv())
    assert heading == list(table.columns)
    assert heading[4:12] == [
        "recall@5", "recall@5 low", "recall@5 high", "recall@5 n",
        "latency_ms_p50", "latency_ms_p50 low", "latency_ms_p50 high", "latency_ms_p50 n",
    ]  # fmt: skip
    assert len(rows) == len(table.rows) == len(HOSTILE)
    for cells, row in zip(rows, table.rows, strict=True):
        for heading_, cell in zip(heading, cells, strict=True):
            value = row[heading_]
            if value is None:
                assert cell == ""
            elif isinstance(value, float):
                assert float(cell) == value, "a number lost precision"
            elif isinstance(value, int):
                assert int(cell) == value
            else:
                assert cell.removeprefix("'" if value[:1] in "=+-@\t\r\n" else "") == value
    assert {"seed", "created", "dataset_version", "code_version", "libraries"} <= set(heading)
    assert "numpy 2.0" in rows[0][heading.index("libraries")]


def test_the_order_is_that_of_the_runs(store: RunStore) -> None:
    for name in ("c", "a", "b"):
        store.add(record(name * 12, name), details())
    assert [row["name"] for row in runs_table(store).rows] == ["c", "a", "b"]
    assert runs_table(store).to_csv() == runs_table(store).to_csv()


@given(text=st.text(max_size=30))
def test_no_cell_is_a_formula(text: str) -> None:
    [[cell], *_] = parsed(rows_to_csv(["c"], [{"c": text}]))[1:] or [[""]]
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert cell in (text, f"'{text}")
    assert harmless(text).endswith(text)


@given(value=st.floats(allow_nan=False, allow_infinity=False))
@settings(max_examples=300)
def test_numbers_are_written_in_full_and_never_quoted(value: float) -> None:
    text = rows_to_csv(["c"], [{"c": value}]).splitlines()[1]
    assert float(text) == value
    assert not text.startswith("'"), "a negative number is no formula"


def test_what_is_absent_is_an_empty_cell() -> None:
    rows = [{"a": None, "b": math.nan, "c": math.inf, "d": True, "e": 0}, {}]
    assert rows_to_csv(list("abcde"), rows) == "a,b,c,d,e\n,,,True,0\n,,,,\n"


def test_headings_are_neutralised_too() -> None:
    assert rows_to_csv(["=x"], []) == "'=x\n"


# Many writers, and migrations ---------------------------------------------------------------------------------------

WRITE = """
import sys, time
from pathlib import Path
from pipelines import api
from tests.runs.helpers import details, record
print("ready", flush=True)
while not Path(sys.argv[1]).exists():
    time.sleep(0.001)
store = api.store()
for i in range(4):
    store.add(record(f"{sys.argv[2]}{i:011d}", name=f"{sys.argv[2]}-{i}"), details())
"""


def test_eight_processes_lose_no_run(tmp_path: Path) -> None:
    processes = [python(WRITE, str(tmp_path / "go"), name) for name in "abcdefgh"]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    (tmp_path / "go").touch()
    outputs(processes)
    rows = api.store().table(["recall@5", "latency_ms_p50"])
    assert len(rows) == 8 * 4
    assert len({row["number"] for row in rows}) == 8 * 4
    assert all(row["recall@5 n"] == 2 and row["latency_ms_p50 n"] == 2 for row in rows)
    assert all(api.store().details(row["id"]).question_ids == details().question_ids for row in rows)


def difference_to_the_schema(url: str) -> list[Any]:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from pipelines.runs.schema import metadata

    with Database(url).reading() as connection:
        options = {"compare_type": True, "compare_server_default": True}
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))


def test_the_migrations_make_what_the_schema_says() -> None:
    assert difference_to_the_schema(database_url()) == []


def test_a_difference_would_be_seen() -> None:
    from sqlalchemy import text

    with Database(database_url()).writing() as connection:
        connection.execute(text("alter table job add column surplus integer"))
        connection.execute(text("drop index ix_metric_name"))
    assert len(difference_to_the_schema(database_url())) == 2


def test_the_head_is_the_last_migration() -> None:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    from pipelines.runs import database

    config = Config()
    config.set_main_option("script_location", str(database._MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [database.HEAD]


def test_down_and_up_again() -> None:
    from alembic import command
    from alembic.config import Config

    from pipelines.runs import database

    store = Database(database_url())
    config = Config()
    config.set_main_option("script_location", str(database._MIGRATIONS))
    with store.writing() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
    from sqlalchemy import inspect

    with store.reading() as connection:
        assert inspect(connection).get_table_names() == ["alembic_version"]
    assert difference_to_the_schema(database_url()) == []  # opening it migrated it


def test_sqlite_is_prepared() -> None:
    from sqlalchemy import text

    with Database(database_url()).reading() as connection:
        assert connection.execute(text("pragma journal_mode")).scalar() == "wal"
        assert connection.execute(text("pragma foreign_keys")).scalar() == 1
        assert int(connection.execute(text("pragma busy_timeout")).scalar() or 0) >= 5_000


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("no url at all", "RAG_WORKBENCH_DB is not a database URL"),
        ("nosuch://host/name", "RAG_WORKBENCH_DB is not a database URL"),
        ("postgresql+psycopg://ann:geheim@127.0.0.1:1/none", "refused"),
        ("sqlite:////proc/none/runs.db", "create the folder of the run store"),
    ],
)
def test_a_store_that_cannot_be_reached(
    monkeypatch: pytest.MonkeyPatch, url: str, said: str, sentence: Callable[[object], str]
) -> None:
    monkeypatch.setenv("RAG_WORKBENCH_DB", url)
    with pytest.raises(WorkbenchError) as refused:
        api.store()
    assert said in sentence(refused.value)
    assert "geheim" not in str(refused.value)


def test_a_file_that_is_no_database(home: Path, sentence: Callable[[object], str]) -> None:
    (home / "runs.db").write_bytes(b"this is no database, but a text of some length" * 50)
    with pytest.raises(StorageError) as refused:
        api.store()
    assert "not a database" in sentence(refused.value)
