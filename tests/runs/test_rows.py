"""Rows by key: what was committed is found by any process, and what is damaged is never handed out."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines import rows as rows_module
from pipelines.errors import Cancelled, StorageError
from pipelines.progress import Keep
from pipelines.records import FloatArray, LongArray
from pipelines.rowfile import Damaged
from pipelines.rows import Rows, remembered, text_key

from .helpers import REPOSITORY, outputs, python

WIDTH = 48
Made = Callable[..., Rows]


def keys_of(*numbers: int) -> list[bytes]:
    return [text_key(str(number)) for number in numbers]


def row_of(numbers: Sequence[int], width: int = WIDTH) -> FloatArray:
    """Number n has the row n, n + 1/2, n + 1/4 ...: any other row would be seen."""
    steps = np.where(np.arange(width) == 0, 0.0, 1.0 / 2.0 ** np.arange(width))
    return np.asarray(np.asarray(numbers)[:, None] + steps, dtype=np.float32)


@pytest.fixture
def notes() -> list[str]:
    return []


@pytest.fixture
def opened(tmp_path: Path, notes: list[str]) -> Made:
    return lambda space="minilm": Rows(tmp_path / "rows", space, notes.append)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "rows" / "minilm.db"


# Keys ---------------------------------------------------------------------------------------------------------------


@given(st.lists(st.text(), max_size=4), st.lists(st.text(), max_size=4))
def test_keys_are_equal_for_equal_parts_alone(one: list[str], other: list[str]) -> None:
    assert (text_key(*one) == text_key(*other)) == (one == other)
    assert len(text_key(*one)) == 16


def test_a_lone_surrogate_has_a_key() -> None:
    assert text_key("\ud800") != text_key("?")


# Put and get --------------------------------------------------------------------------------------------------------


def test_what_was_put_is_got_in_the_order_that_is_asked_for(opened: Made, notes: list[str]) -> None:
    rows = opened()
    rows.put(keys_of(1, 2, 3), row_of([1, 2, 3]))
    positions, found = rows.get(keys_of(3, 9, 1, 3))
    assert positions.tolist() == [0, 2, 3]  # 9 was never put
    assert found.tolist() == row_of([3, 1, 3]).tolist()
    assert (positions.dtype, found.dtype, rows.width) == (np.int64, np.float32, WIDTH)
    assert opened().known(keys_of(9, 2)).tolist() == [False, True]
    assert notes == []


def test_an_asking_makes_no_file(opened: Made, tmp_path: Path) -> None:
    positions, found = opened().get(keys_of(1, 2))
    assert (positions.shape, found.shape, opened().width) == ((0,), (0, 0), None)
    assert opened().known(keys_of(1)).tolist() == [False]
    assert list(tmp_path.iterdir()) == []


def test_no_rows_are_no_work(opened: Made) -> None:
    rows = opened()
    rows.put([], np.zeros((0, 3), dtype=np.float32))
    rows.put(keys_of(1), row_of([1]))
    assert rows.get([])[1].shape == (0, WIDTH)


@pytest.mark.parametrize("at_once", [1, 7, 1_000])
def test_many_blocks_give_what_one_gives(opened: Made, monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    monkeypatch.setattr(rows_module, "_KEYS_AT_ONCE", at_once)
    rows = opened()
    rows.put(keys_of(*range(20)), row_of(range(20)))
    wanted = [30, *range(19, -1, -1), 5, 31]
    positions, found = rows.get(keys_of(*wanted))
    assert positions.tolist() == list(range(1, 22))
    assert np.array_equal(found, row_of([*range(19, -1, -1), 5]))


def test_every_float_comes_back_to_the_bit(opened: Made) -> None:
    bits = np.asarray([[0x7FC00001, 0x80000000, 0x00000001], [0x7F800000, 0xFF7FFFFF, 0x3EAAAAAB]], dtype=np.uint32)
    opened().put(keys_of(1, 2), bits.view(np.float32))
    assert opened().get(keys_of(1, 2))[1].view(np.uint32).tolist() == bits.tolist()


def test_the_first_one_wins(opened: Made) -> None:
    rows = opened()
    rows.put(keys_of(1), row_of([1]))
    rows.put(keys_of(1, 2), row_of([7, 2]))
    assert np.array_equal(rows.get(keys_of(1, 2))[1], row_of([1, 2]))


def test_spaces_are_apart(opened: Made) -> None:
    opened("a").put(keys_of(1), row_of([1]))
    assert opened("b").get(keys_of(1))[0].tolist() == []


def test_another_width_is_refused_and_nothing_of_it_kept(opened: Made, sentence: Callable[[object], str]) -> None:
    rows = opened()
    rows.put(keys_of(1), row_of([1]))
    with pytest.raises(StorageError) as refused:
        rows.put(keys_of(2, 3), row_of([2, 3], width=3))
    assert f"holds rows of {WIDTH} numbers and was given rows of 3" in sentence(refused.value)
    assert rows.known(keys_of(1, 2, 3)).tolist() == [True, False, False]


# Remembering --------------------------------------------------------------------------------------------------------


class Work:
    """Computes rows of numbers, and remembers which it was asked for."""

    def __init__(self, numbers: Sequence[int], batch: int = 2, stop_after: int | None = None) -> None:
        self.numbers, self.batch, self.stop_after = numbers, batch, stop_after
        self.asked: list[int] = []

    def __call__(self, missing: LongArray, keep: Keep) -> None:
        self.asked = [self.numbers[i] for i in missing]
        order = np.arange(len(missing))[::-1]  # as an encoder does that sorts by length
        for n, at in enumerate(range(0, len(order), self.batch)):
            if n == self.stop_after:
                raise Cancelled("stopped")
            part = order[at : at + self.batch]
            keep(part, row_of([self.asked[i] for i in part]))


def test_each_distinct_key_is_computed_once_for_ever(opened: Made) -> None:
    numbers = [4, 1, 4, 2, 1, 3]
    work = Work(numbers)
    assert np.array_equal(remembered(opened(), keys_of(*numbers), work), row_of(numbers))
    assert work.asked == [4, 1, 2, 3]
    later = Work([2, 5, 5, 4])
    assert np.array_equal(remembered(opened(), keys_of(2, 5, 5, 4), later), row_of([2, 5, 5, 4]))
    assert later.asked == [5]
    again = Work(numbers)
    assert np.array_equal(remembered(opened(), keys_of(*numbers), again), row_of(numbers))
    assert again.asked == []


@given(st.lists(st.lists(st.integers(0, 9), max_size=12), min_size=1, max_size=4), st.integers(1, 5))
def test_whatever_is_asked_for_comes_in_order(tmp_path_factory: Any, asked: list[list[int]], batch: int) -> None:
    store = Rows(tmp_path_factory.mktemp("rows"), "s")
    seen: set[int] = set()
    for numbers in asked:
        work = Work(numbers, batch)
        found = remembered(store, keys_of(*numbers), work)
        assert np.array_equal(found, row_of(numbers)) or not numbers
        assert work.asked == [n for n in dict.fromkeys(numbers) if n not in seen]
        seen |= set(numbers)


def test_what_was_computed_before_a_stop_is_kept(opened: Made) -> None:
    numbers = list(range(10))
    with pytest.raises(Cancelled):
        remembered(opened(), keys_of(*numbers), Work(numbers, batch=3, stop_after=2))
    # batches of three from the last backwards: 9 8 7, then 6 5 4, then the stop
    assert opened().known(keys_of(*numbers)).tolist() == [False] * 4 + [True] * 6


def test_rows_are_committed_as_they_come(opened: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows_module, "_ROWS_A_COMMIT", 4)
    seen: list[int] = []

    def work(missing: LongArray, keep: Keep) -> None:
        for i in range(10):
            keep(np.asarray([i]), row_of([i]))
            seen.append(int(opened().known(keys_of(*range(10))).sum()))

    remembered(opened(), keys_of(*range(10)), work)
    assert seen == [0, 0, 0, 4, 4, 4, 4, 8, 8, 8]
    assert opened().known(keys_of(*range(10))).all()


def test_slow_rows_are_committed_by_the_clock(opened: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(0, 1000, 3))  # each look at the clock finds it three seconds on
    monkeypatch.setattr(rows_module.time, "monotonic", lambda: float(next(clock)))

    def work(missing: LongArray, keep: Keep) -> None:
        keep(np.asarray([0]), row_of([0]))
        assert opened().known(keys_of(0)).all()
        keep(np.asarray([1]), row_of([1]))

    remembered(opened(), keys_of(0, 1), work)


def test_work_that_forgets_a_row_is_a_mistake(opened: Made) -> None:
    with pytest.raises(RuntimeError, match="1 of 2 rows"):
        remembered(opened(), keys_of(1, 2), lambda missing, keep: keep(np.asarray([0]), row_of([1])))


# Damage -------------------------------------------------------------------------------------------------------------

MANY = 60


def filled(opened: Made, n: int = MANY) -> None:
    rows = opened()
    rows.put(keys_of(*range(n)), row_of(range(n)))
    rows.close()


def assert_mended(opened: Made, n: int = MANY) -> None:
    """Whatever happened to the file: nothing wrong is handed out, and after one more computation all is there."""
    positions, found = opened().get(keys_of(*range(n)))
    assert np.array_equal(found, row_of(positions)) or not len(positions)
    assert np.array_equal(remembered(opened(), keys_of(*range(n)), Work(list(range(n)))), row_of(range(n)))
    assert np.array_equal(remembered(opened(), keys_of(*range(n)), Work(list(range(n)))), row_of(range(n)))
    assert opened().known(keys_of(*range(n))).all()


def flip(path: Path, at: int, bit: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1 << bit
    path.write_bytes(bytes(data))


@pytest.mark.parametrize("seed", range(6))
def test_a_flipped_bit_anywhere(opened: Made, file: Path, seed: int) -> None:
    draw = random.Random(seed)
    filled(opened)
    sound = file.read_bytes()
    for _ in range(15):
        for end in ("", "-wal", "-shm"):
            file.with_name(file.name + end).unlink(missing_ok=True)
        file.write_bytes(sound)
        flip(file, draw.randrange(len(sound)) if seed else draw.randrange(200), draw.randrange(8))
        assert_mended(opened)


def test_a_damaged_row_is_told_and_computed_again_alone(opened: Made, file: Path, notes: list[str]) -> None:
    filled(opened)
    at = file.read_bytes().index(row_of([7]).tobytes())
    flip(file, at + 5, 3)
    work = Work(list(range(MANY)))
    assert np.array_equal(remembered(opened(), keys_of(*range(MANY)), work), row_of(range(MANY)))
    assert work.asked == [7]
    assert notes == ["1 rows in the store minilm.db were damaged; they are computed again."]
    again = Work(list(range(MANY)))
    remembered(opened(), keys_of(*range(MANY)), again)
    assert again.asked == []
    assert not (file.parent / "quarantine").exists()


def test_two_rows_that_changed_places(opened: Made, file: Path) -> None:
    """The index then leads to a whole row that belongs to another key: its sum says so."""
    filled(opened)
    one, other = row_of([3]).tobytes(), row_of([4]).tobytes()
    data = file.read_bytes().replace(one, b"?" * len(one)).replace(other, one).replace(b"?" * len(one), other)
    file.write_bytes(data)
    assert opened().get(keys_of(3, 4))[0].tolist() == []
    assert_mended(opened)


@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.6, 0.99])
def test_a_file_cut_short(opened: Made, file: Path, notes: list[str], share: float) -> None:
    filled(opened)
    data = file.read_bytes()
    file.write_bytes(data[: int(share * len(data))])
    assert_mended(opened)
    aside = list((file.parent / "quarantine").glob("*.db-????????")) if share else []
    assert len(aside) == len(notes) == (1 if share else 0), "an empty file is a new one, any other is put aside"
    assert all("minilm.db was damaged" in note and "computed again" in note for note in notes)


def test_a_file_of_another_kind(opened: Made, file: Path, notes: list[str]) -> None:
    content = b"not a database at all, but long enough to be taken for one" * 40
    file.parent.mkdir()
    file.write_bytes(content)
    assert_mended(opened)
    assert len(notes) == 1
    assert [p.read_bytes() for p in (file.parent / "quarantine").glob("minilm.db-????????")] == [content]


def test_a_damage_that_sqlite_cannot_even_quote(opened: Made, file: Path, notes: list[str]) -> None:
    filled(opened)
    file.write_bytes(file.read_bytes().replace(b"CREATE TABLE", b"CREAT\xca TABLE"))
    assert_mended(opened)
    assert len(notes) == 1


def test_a_database_of_another_kind(opened: Made, file: Path, notes: list[str]) -> None:
    file.parent.mkdir()
    with sqlite3.connect(file) as other:
        other.execute("CREATE TABLE row (name TEXT)")
    assert_mended(opened)
    assert len(notes) == 1


@pytest.mark.parametrize("width", [WIDTH + 1, 0, -3, "x"])
def test_a_width_that_cannot_be(opened: Made, file: Path, notes: list[str], width: object) -> None:
    filled(opened)
    with sqlite3.connect(file) as other:
        other.execute("UPDATE about SET width = ?", (width,))
    assert_mended(opened)
    assert len(notes) == 1


def test_damage_found_halfway_through(
    opened: Made, file: Path, notes: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was read before stays read; the rest is absent, and the file is put aside while it is open."""
    monkeypatch.setattr(rows_module, "_KEYS_AT_ONCE", 500)
    numbers, wide = range(3_000), 384
    opened().put(keys_of(*numbers), row_of(numbers, wide))
    rows = opened()
    blocks = rows._found(keys_of(*numbers))
    first, found = next(blocks)
    half = file.stat().st_size // 3
    with file.open("r+b") as damaged:
        damaged.seek(half)
        damaged.write(os.urandom(file.stat().st_size - half))
    later = list(blocks)
    assert np.array_equal(found, row_of(first, wide))
    assert all(np.array_equal(part, row_of(positions, wide)) for positions, part in later)
    assert len(first) + sum(len(positions) for positions, _ in later) < len(numbers)
    assert len(notes) == 1
    assert not file.exists()
    rows.put(keys_of(1), row_of([1], wide))
    assert rows.known(keys_of(1, 2)).tolist() == [True, False]


def test_a_file_begun_anew_by_another_is_not_put_aside(opened: Made, file: Path, notes: list[str]) -> None:
    filled(opened)
    slow, quick = opened(), opened()
    assert slow.known(keys_of(1)).all()

    def find_damage(connection: sqlite3.Connection) -> list[bytes]:
        quick._file.read(lambda _: (_ for _ in ()).throw(Damaged("seen first")), None)
        quick.put(keys_of(5), row_of([5]))
        raise Damaged("seen later")

    slow._file.read(find_damage, [])
    assert len(notes) == 1
    slow.put(keys_of(6), row_of([6]))
    slow.close()
    assert quick.known(keys_of(5, 6, 7)).tolist() == [True, True, False]
    quick.close()
    assert opened().known(keys_of(5, 6, 7)).tolist() == [True, True, False]


def test_a_store_that_was_cleared_is_begun_anew(opened: Made, file: Path, notes: list[str]) -> None:
    filled(opened)
    rows = opened()
    assert rows.known(keys_of(1)).all()
    shutil.rmtree(file.parent)
    assert rows.get(keys_of(1))[0].tolist() == []
    rows.put(keys_of(2), row_of([2]))
    assert opened().known(keys_of(1, 2)).tolist() == [False, True]
    assert notes == []


def test_damage_that_will_not_go_is_told(opened: Made, sentence: Callable[[object], str]) -> None:
    def work(connection: sqlite3.Connection) -> None:
        raise Damaged("as before")

    with pytest.raises(StorageError) as refused:
        opened()._file.write(work)
    assert "begun anew and is damaged again (as before)" in sentence(refused.value)


# A disk that refuses ------------------------------------------------------------------------------------------------


def test_a_full_disk_leaves_nothing_half_written(opened: Made, sentence: Callable[[object], str]) -> None:
    rows = opened()
    rows.put(keys_of(1), row_of([1]))
    connection = rows._file._opened()
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count={pages + 1}")  # one more page, then SQLite says that the disk is full
    with pytest.raises(StorageError) as refused:
        rows.put(keys_of(*range(2, 900)), row_of(range(2, 900)))
    assert "is full, so the workbench could not keep finished rows" in sentence(refused.value)
    assert rows.known(keys_of(*range(1, 900))).sum() == 1
    assert opened().known(keys_of(*range(1, 900))).sum() == 1
    connection.execute("PRAGMA max_page_count=100000")
    rows.put(keys_of(*range(2, 900)), row_of(range(2, 900)))
    assert opened().known(keys_of(*range(1, 900))).all()


def test_a_folder_that_cannot_be_made(tmp_path: Path, sentence: Callable[[object], str]) -> None:
    (tmp_path / "rows").write_text("a file")
    with pytest.raises(StorageError) as refused:
        Rows(tmp_path / "rows", "s").put(keys_of(1), row_of([1]))
    assert "lies where no folder can be made" in sentence(refused.value)


def test_a_store_that_stays_locked(opened: Made, file: Path, monkeypatch: Any, sentence: Any) -> None:
    filled(opened)
    monkeypatch.setattr("pipelines.rowfile._BUSY_TIMEOUT_S", 0.05)
    holder = sqlite3.connect(file, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    rows = opened()
    assert rows.known(keys_of(1)).all(), "a writer is in nobody's way who reads"
    with pytest.raises(StorageError) as refused:
        rows.put(keys_of(100), row_of([100]))
    assert "locked" in sentence(refused.value)
    holder.close()
    rows.put(keys_of(100), row_of([100]))


SMALL_DISK = """
mount -t tmpfs -o size=600k tmpfs "$1" && exec "$2" -c "$3" "$1"
"""
FILL = """
import sys
from pathlib import Path
import numpy as np
from pipelines.errors import StorageError
from pipelines.rows import Rows, text_key
rows, kept = Rows(Path(sys.argv[1]), "s"), 0
keys = [text_key(str(i)) for i in range(4000)]
try:
    for at in range(0, 4000, 20):
        rows.put(keys[at : at + 20], np.full((20, 384), at, dtype=np.float32))
        kept = at + 20
except StorageError as error:
    print(error)
again = Rows(Path(sys.argv[1]), "s", lambda note: print("damaged:", note))
positions, found = again.get(keys)
print(kept, len(positions), bool((found == (positions // 20 * 20)[:, None]).all()))
"""


def test_a_real_small_disk(tmp_path: Path) -> None:
    """In a mount namespace of its own, so that nothing stays mounted."""
    if shutil.which("unshare") is None or subprocess.run(["unshare", "-rm", "true"], capture_output=True).returncode:
        pytest.skip("a small disk can only be made where this user may make a mount namespace (unshare -rm)")
    command = ["unshare", "-rm", "bash", "-c", SMALL_DISK, "bash", str(tmp_path), sys.executable, FILL]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    refused, told = done.stdout.strip().splitlines()
    assert "is full, so the workbench could not keep finished rows" in refused
    kept, n_found, right = told.split()
    assert int(kept) == int(n_found) > 0
    assert right == "True"


# Several processes --------------------------------------------------------------------------------------------------

WRITE = """
import sys, time, warnings
from pathlib import Path
import numpy as np
from pipelines.rows import Rows, text_key
warnings.simplefilter("error")
folder, which = Path(sys.argv[1]), int(sys.argv[2])
rows = Rows(folder, "shared")
print("ready", flush=True)
while not (folder / "go").exists():
    time.sleep(0.001)
for at in range(0, 2000, 20):
    numbers = np.arange(at, at + 20) + 1000 * which
    rows.put([text_key(str(n)) for n in numbers], np.repeat(numbers[:, None], 64, axis=1).astype(np.float32))
    positions, found = rows.get([text_key(str(n)) for n in range(3000)])
    assert np.array_equal(found[:, 0], positions), "a wrong row was read"
    assert np.isin(numbers, positions).all(), "a row that was put is not found"
"""


def test_two_processes_that_write_at_once(tmp_path: Path) -> None:
    """They put 0 to 1,999 and 1,000 to 2,999: a thousand keys are put by both."""
    processes = [python(WRITE, str(tmp_path), str(which)) for which in (0, 1)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    (tmp_path / "go").touch()
    outputs(processes)
    positions, found = Rows(tmp_path, "shared").get([text_key(str(n)) for n in range(3000)])
    assert positions.tolist() == list(range(3000))
    assert np.array_equal(found, np.repeat(positions[:, None], 64, axis=1))
    assert not (tmp_path / "quarantine").exists()


PUT = """
import sys
from pathlib import Path
import numpy as np
from pipelines.rows import Rows, text_key
rows, at = Rows(Path(sys.argv[1]), "s"), int(sys.argv[2])
while True:
    numbers = range(at, at + 100)
    rows.put([text_key(str(n)) for n in numbers], np.repeat(np.asarray(numbers)[:, None], 384, 1).astype(np.float32))
    at += 100
    print(at, flush=True)
"""


def test_kill_9_in_the_middle_of_a_put(tmp_path: Path, notes: list[str]) -> None:
    """Blocks of a hundred: what was told as committed is there, and each block is there as a whole or not at all."""
    draw, begin = random.Random(3), 0
    for _ in range(4):
        process = python(PUT, str(tmp_path), str(begin))
        assert process.stdout is not None
        for _ in range(draw.randrange(1, 40)):
            told = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
        told = max([told, *(int(line) for line in process.communicate()[0].split("\n")[:-1])])
        positions, found = Rows(tmp_path, "s", notes.append).get([text_key(str(n)) for n in range(told + 200)])
        assert positions[:told].tolist() == list(range(told))
        assert len(positions) % 100 == 0
        assert np.array_equal(found, np.repeat(positions[:, None], 384, 1))
        begin = told
    assert notes == []
