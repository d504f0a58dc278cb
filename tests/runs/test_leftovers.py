"""What killed processes left is removed when a worker starts; what the living are at, and every run, stays."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from pipelines import api
from pipelines.aside import aside_name
from pipelines.runs.leftovers import clear_leftovers
from pipelines.settings import cache_folder, runs_folder

from .helpers import details, outputs, python, record

LEAVE = """
import sys
from pathlib import Path
from pipelines.aside import aside_name
folder = Path(sys.argv[1])
name = aside_name("key")
(folder / "incoming" / name).mkdir(parents=True)
(folder / "incoming" / name / "values.npy").write_bytes(b"half")
print(name)
"""


def left_by_a_dead_process() -> Path:
    [name] = outputs([python(LEAVE, str(cache_folder()))])
    return cache_folder() / "incoming" / name


def aged(path: Path, seconds: float) -> Path:
    for one in (*(path.iterdir() if path.is_dir() else ()), path):
        os.utime(one, (time.time() - seconds,) * 2)
    return path


def own() -> Path:
    folder = cache_folder() / "incoming" / aside_name("key")
    folder.mkdir(parents=True)
    return folder


def clear() -> int:
    return clear_leftovers(cache_folder(), runs_folder(), api.store())


def test_what_a_dead_process_left_goes_once_its_lease_is_over() -> None:
    left = left_by_a_dead_process()
    assert clear() == 0
    assert aged(left, 20).exists()
    assert clear() == 1
    assert not left.exists()


def test_what_a_living_process_is_at_stays_however_old() -> None:
    mine = aged(own(), 10**6)
    assert clear() == 0
    assert mine.exists()


def test_checkpoints_of_a_training_go_a_month_after_the_last() -> None:
    old, lately = (cache_folder() / "training" / name / "step-00000003" for name in ("old", "lately"))
    for step, days in ((old, 31), (lately, 29)):
        step.mkdir(parents=True)
        (step / "state.json").write_text("{}")
        aged(step.parent, days * 86_400)
    assert clear() == 1
    assert not old.parent.exists()
    assert lately.exists()


def test_a_number_given_to_another_process_does_not_protect() -> None:
    born = own()
    parts = born.name.split(".")
    parts[3] = str(int(parts[3]) - 1000)
    older = aged(born.rename(born.with_name(".".join(parts))), 20)
    assert clear() == 1
    assert not older.exists()


@pytest.mark.parametrize("name", ["abcdef-12345678", "key.ffffffff.1.1.12345678"])
def test_what_does_not_say_whose_it_is_or_is_another_machines_stays_a_day(name: str) -> None:
    folder = cache_folder() / "incoming" / name
    folder.mkdir(parents=True)
    assert aged(folder, 3600).exists()
    assert clear() == 0
    aged(folder, 90_000)
    assert clear() == 1
    assert not folder.exists()


def test_results_without_a_run_go_and_those_of_runs_stay() -> None:
    store = api.store()
    store.add(record(), details())
    kept = aged(runs_folder() / f"{record().id}.parquet", 10**6)
    orphan = runs_folder() / "b1b2b3b4b5b6.parquet"
    orphan.write_bytes(b"PAR1")
    before = runs_folder() / "c1c2c3c4c5c6"
    before.mkdir()
    assert clear() == 0  # they may be a process's that is about to write their rows
    aged(orphan, 4000)
    aged(before, 4000)
    assert clear() == 2
    assert (kept.exists(), orphan.exists(), before.exists()) == (True, False, False)
    assert store.details(record().id).question_ids == details().question_ids


def test_a_home_without_anything_is_fine() -> None:
    assert clear() == 0
