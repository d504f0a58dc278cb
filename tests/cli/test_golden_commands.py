"""slices, holes, judge and export-dataset as people call them."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from pipelines import api
from pipelines.golden.dataset import Dataset
from pipelines.pipeline import Pipeline

from .conftest import Call, work_here


@pytest.fixture
def runs(towns: Path) -> Path:
    """`towns`, with the runs 'small' and 'large'."""
    for name, size in (("small", 16), ("large", 48)):
        pipeline = Pipeline.parse({"chunk": {"use": "fixed", "size": size}, "retrieve": {"use": "bm25"}})
        api.evaluate(pipeline, Dataset.open(towns), name=name)
    return towns


def answers(monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    """Type `lines`, then end the input."""
    left = iter(lines)

    def typed(prompt: str = "") -> str:
        try:
            return next(left)
        except StopIteration:
            raise EOFError from None

    monkeypatch.setattr("builtins.input", typed)


def test_slices_of_a_run_and_of_a_comparison(call: Call, runs: Path, tmp_path: Path) -> None:
    one = call("slices", "small")
    assert one.code == 0
    assert "answerable" in one.out
    assert "north" in one.out
    both = call("slices", "large", "--baseline", "small", "--by", "north", "--metric", "recall@5,mrr@10")
    assert both.code == 0
    assert "wins/ties/losses" in both.out
    assert "Benjamini" in both.out
    table = call("slices", "large", "--baseline", "small", "--csv", "-")
    rows = list(csv.DictReader(io.StringIO(table.out)))
    assert rows[0]["by"] == "all"
    assert {"p_adjusted", "verdict", "warning", "dataset_version"} <= set(rows[0])
    call("slices", "large", "--metric", "all", "--json", tmp_path / "slices.json")
    assert json.loads((tmp_path / "slices.json").read_text())["rows"]


def test_bad_slices_are_one_sentence(call: Call, runs: Path, sentence) -> None:
    for arguments in (("gone",), ("small", "--by", "nroth"), ("small", "--metric", "recal@5"),
                      ("small", "--baseline", "small")):  # fmt: skip
        result = call("slices", *arguments)
        assert (result.code, result.out) == (2, "")
        sentence(result.err)
    (runs / "questions.jsonl").write_text((runs / "questions.jsonl").read_text() + "\n", encoding="utf-8")
    assert "was changed after run" in sentence(call("slices", "small").err)


def test_holes_tell_shares_bounds_and_why_not(call: Call, runs: Path) -> None:
    result = call("holes", "small")
    assert result.code == 0
    assert "unjudged@5" in result.out
    assert "No bounds for recall" in result.out
    found = call("holes", "small", "--json", "-").json
    bound = next(one for one in found["bounds"] if one["metric"] == "precision@5")
    assert 0 <= bound["low"] == bound["mean"] <= bound["high"] <= 1


def test_judging_goes_on_where_it_stopped(call: Call, runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, "y", "", "what?", "n", "u", "2", "not in there", "", "s", "q")
    first = call("judge", "small", "large", "--judge", "Ada", "--dataset", runs)
    assert first.code == 0
    assert "none of these" in first.out
    assert "not in the passage" in first.out
    kept = [one for one in api.judgments(Dataset.open(runs)) if one.grade is not None]
    assert [one.grade for one in kept] == [1.0, 2.0]
    answers(monkeypatch)
    again = call("judge", "small", "large", "--judge", "Ada")
    assert "2 by people" in again.out or "1 by people" in again.out


def test_a_spreadsheet_is_filled_and_published(
    call: Call, runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.runs.spawn.ensure_worker", work_here)
    first = api.run("small").id
    assert call("judge", "small", "--judge", "Ada", "--export", tmp_path / "q.csv").code == 0
    rows = list(csv.DictReader((tmp_path / "q.csv").open(encoding="utf-8", newline="")))
    rows[0]["grade"], rows[1]["grade"], rows[2]["grade"] = "y", "n", "nonsense"
    with (tmp_path / "q.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    read = call("judge", "small", "--judge", "Ada", "--import", tmp_path / "q.csv")
    assert read.code == 2
    assert "2 judgements are kept" in read.out
    assert "the grade is 'nonsense'" in read.out
    done = call("judge", "small", "large", "--publish", tmp_path / "new", "--rescore")
    assert done.code == 0, done.err
    assert done.out.count("computed score, all else was looked up") == 2
    assert call("check", tmp_path / "new").code == 0
    kept = call("judge", first, "--publish-in-place")
    assert "the old questions kept as questions-" in kept.out


def test_bad_judging_is_one_sentence(call: Call, runs: Path, tmp_path: Path, sentence) -> None:
    for arguments in (("gone",), ("small", "--publish", tmp_path / "x"), ("small", "--rescore"),
                      ("small", "--publish", "x", "--publish-in-place"), ("small", "--import", tmp_path / "none.csv"),
                      ("small", "--dataset", "meridian"), ("small", "small")):  # fmt: skip
        result = call("judge", *arguments)
        assert result.code == 2
        sentence(result.err)


def test_a_dataset_goes_out_and_comes_back(call: Call, towns: Path, tmp_path: Path) -> None:
    out = call("export-dataset", towns, "--to", tmp_path / "beir")
    assert out.code == 0
    assert "qrels/test.tsv" in out.out
    assert call("import", "beir", tmp_path / "beir", tmp_path / "back").code == 0
    assert len(Dataset.open(tmp_path / "back").questions) == len(Dataset.open(towns).questions)
    assert "beir | llama-rag | ragas" in call("export-dataset", "--help").out.replace("\n", " ")
    assert call("export-dataset", towns, "--to", tmp_path / "beir").code == 2


def test_questions_are_split_anew_into_another_dataset(call: Call, towns: Path, tmp_path: Path, sentence) -> None:
    refused = call("split", towns, tmp_path / "new", "--by", "document")
    assert refused.code == 2
    assert "--replace" in sentence(refused.err)
    done = call("split", towns, tmp_path / "new", "--by", "document", "--shares", "50/0/50", "--replace", "--seed", 3)
    assert done.code == 0
    assert "share 0 documents" in done.out
    splits = {question.split for question in Dataset.open(tmp_path / "new").questions}
    assert splits == {"train", "test"}
    named = call("split", towns, "towns again", "--by", "question", "--replace")
    assert named.code == 0
    assert Dataset.open(api.datasets()[0].path).name == "towns-again"
    sentence(call("split", towns, "other", "--by", "chapter", "--replace").err)
    sentence(call("split", towns, "other", "--by", "question", "--shares", "80/30", "--replace").err)
