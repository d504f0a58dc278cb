"""The file of what a person struck out: read, written, and refused in a sentence where it is none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipelines.errors import DatasetError
from pipelines.training.strikes import Strike, read_strikes, write_strikes

ONE, OTHER = Strike("q1", "a", 0, 10, "positive"), Strike("q2", "b – ü", 5, 9, "negative")


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "new" / "strikes.jsonl"
    assert read_strikes(path) == ()
    write_strikes(path, [ONE, OTHER, ONE])
    assert read_strikes(path) == (ONE, OTHER)
    assert json.loads(path.read_text(encoding="utf-8").splitlines()[0]) == {
        "question_id": "q1", "document_id": "a", "start": 0, "end": 10, "as": "positive",
    }  # fmt: skip
    assert [file.name for file in path.parent.iterdir()] == ["strikes.jsonl"]


GOOD = '{"question_id": "q", "document_id": "a", "start": 0, "end": 9, "as": "positive"}'


@pytest.mark.parametrize(
    "line",
    [
        "not json",
        "[1, 2]",
        "[" * 5000,
        GOOD.replace('"positive"', '"both"'),
        GOOD.replace('"positive"', '["positive"]'),
        GOOD.replace('"start": 0', '"start": 9'),
        GOOD.replace('"start": 0', '"start": true'),
        GOOD.replace('"end": 9', '"end": 9.5'),
        GOOD.replace('"a"', "null"),
        GOOD.replace('"end": 9, ', ""),
        GOOD.replace('"end": 9', '"end": 9, "why": "wrong"'),
    ],
)
def test_a_bad_line_is_named_by_its_number(tmp_path: Path, line: str, sentence) -> None:
    path = tmp_path / "strikes.jsonl"
    path.write_text(f"{GOOD}\n\n{line}\n", encoding="utf-8")
    with pytest.raises(DatasetError) as error:
        read_strikes(path)
    assert "strikes.jsonl, line 3" in sentence(error.value)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path, sentence) -> None:
    path = tmp_path / "strikes.jsonl"
    path.write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(DatasetError) as error:
        read_strikes(path)
    sentence(error.value)
    with pytest.raises(DatasetError):
        read_strikes(tmp_path)
