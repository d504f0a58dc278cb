"""What people judged is kept at once, by several of them, and through a crash."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.errors import ConfigurationError, StorageError
from pipelines.judging.judgments import Judgment, JudgmentFile, grades

ONE = Judgment("q1", "When was it?", "a", 0, 10, 1.0, "ada")


def test_the_last_word_of_each_person_counts(tmp_path: Path):
    file = JudgmentFile(tmp_path, "v")
    file.add([ONE, replace(ONE, judge="bob", grade=0.0), replace(ONE, grade=2.0, quote_start=3, quote_end=7)])
    latest = file.latest()
    assert {(one.judge, one.grade) for one in latest.values()} == {("ada", 2.0), ("bob", 0.0)}
    assert latest["ada", ONE.place].span == (3, 7)
    file.add([replace(ONE, grade=None)])
    assert [one.judge for some in grades(file.latest()).values() for one in some] == ["bob"]
    assert all(one.at for one in file.all())


def test_a_line_torn_by_a_crash_costs_that_line_alone(tmp_path: Path):
    file = JudgmentFile(tmp_path, "v")
    file.add([ONE, replace(ONE, judge="bob")])
    whole = file.path.read_bytes()
    for end in range(whole.index(b"\n") + 1, len(whole)):
        file.path.write_bytes(whole[:end])
        file.add([replace(ONE, judge="eve")])
        assert {one.judge for one in file.all()} >= {"ada", "eve"}


def test_many_write_at_once(tmp_path: Path):
    file = JudgmentFile(tmp_path, "v")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda i: file.add([replace(ONE, judge=f"judge {i}", start=i, end=i + 5)]), range(60)))
    assert len(file.all()) == 60


@pytest.mark.parametrize(
    "changes",
    [{"grade": 4.0}, {"grade": -1.0}, {"grade": float("nan")}, {"judge": " "}, {"start": 10}, {"start": -1},
     {"quote_start": 8, "quote_end": 12}],
)  # fmt: skip
def test_what_is_no_judgement_is_refused_and_nothing_kept(tmp_path: Path, changes: dict, sentence):
    file = JudgmentFile(tmp_path, "v")
    with pytest.raises(ConfigurationError) as error:
        file.add([ONE, replace(ONE, **changes)])
    sentence(error.value)
    assert file.all() == []


def test_foreign_lines_are_passed_over(tmp_path: Path):
    file = JudgmentFile(tmp_path, "v")
    file.add([ONE])
    with file.path.open("ab") as stream:
        stream.write(b'\xff\xfe\n[]\n{"question_id": 3}\n{"grade": "x"}\nnull\n\n')
    file.add([replace(ONE, judge="bob")])
    assert [one.judge for one in file.all()] == ["ada", "bob"]


def test_a_place_that_cannot_be_written_is_one_clear_sentence(tmp_path: Path, sentence):
    (tmp_path / "judging").write_text("a file", encoding="utf-8")
    with pytest.raises(StorageError) as error:
        JudgmentFile(tmp_path / "judging", "v").add([ONE])
    sentence(error.value)
