"""Questions dealt anew to splits: shares, what stays together, what is refused, and what is left as it was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.errors import ConfigurationError, DatasetError
from pipelines.golden.dataset import Dataset
from pipelines.golden.splitting import _dealt, parse_shares, split_dataset
from pipelines.records import Question
from tests.conftest import MakeSet

SHARES = parse_shares("60/20/20")
NAMES = "amber basil cedar daisy ebony fennel ginger hazel iris juniper".split()


def question(i: int, document: int | None, text: str = "", **more: Any) -> dict[str, Any]:
    """A question on a document, unlike all others."""
    name = f"{NAMES[i % 10]}{NAMES[i // 10 % 10]}"
    evidence = [] if document is None else [{"document_id": f"d{document}", "start": i % 40, "end": i % 40 + 9}]
    return {
        "id": f"q{i}",
        "text": text or f"What does {name} number {i} say of {name[::-1]}?",
        "evidence": evidence,
        **more,
    }


def rows_of(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "questions.jsonl").read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def made(write_set: MakeSet):
    """Write a dataset of so many questions, each on a document that `on` names."""

    def make(n: int, on=lambda i: i, more: list[dict[str, Any]] | None = None) -> Dataset:
        rows = [question(i, on(i)) for i in range(n)] + (more or [])
        named = sorted({item["document_id"] for row in rows for item in row["evidence"]})
        return Dataset.open(write_set([{"id": name, "text": f"{name} " * 30} for name in named], rows))

    return make


def test_shares_are_met_and_the_draw_is_the_seeds(made, tmp_path: Path) -> None:
    dataset = made(100)
    report = split_dataset(dataset, tmp_path / "one", "question", SHARES, 1)
    assert [(one.split, one.n_questions) for one in report.splits] == [("train", 60), ("dev", 20), ("test", 20)]
    splits = [question.split for question in Dataset.open(tmp_path / "one").questions]
    split_dataset(dataset, tmp_path / "same", "question", SHARES, 1)
    split_dataset(dataset, tmp_path / "other", "question", SHARES, 2)
    assert [q.split for q in Dataset.open(tmp_path / "same").questions] == splits
    assert [q.split for q in Dataset.open(tmp_path / "other").questions] != splits


def test_all_but_the_split_is_as_it_was(made, tmp_path: Path) -> None:
    dataset = made(20, more=[question(90, 3, answer="Ünknown", tags=["x"], filter={"a": 1})])
    report = split_dataset(dataset, tmp_path / "new", "question", SHARES)
    old, new = (
        [json.loads(line) for line in (folder / "questions.jsonl").open()] for folder in (dataset.path, report.path)
    )
    assert [{**row, "split": None} for row in new] == [{**row, "split": None} for row in old]
    name = "documents.jsonl"
    assert (report.path / name).read_bytes() == (dataset.path / name).read_bytes()
    assert report.version == Dataset.open(report.path).version


@pytest.mark.parametrize(
    ("manifest", "told"),
    [
        ("# ours\r\nname: old  # once\r\nlicence: none\r\n", '# ours\r\nname: "new"\r\nlicence: none\r\n'),
        ("licence: none\n", "licence: none\nname: new\n"),
        ("name: >-\n  old\n  name\nlicence: none\n", "name: new\nlicence: none\n"),
        ("", "name: new\n"),
    ],
)
def test_it_is_called_like_its_folder(made, tmp_path: Path, manifest: str, told: str) -> None:
    folder = made(20).path
    (folder / "dataset.yaml").write_text(manifest, encoding="utf-8", newline="")
    report = split_dataset(Dataset.open(folder), tmp_path / "new", "question", SHARES)
    assert report.name == "new"
    assert (report.path / "dataset.yaml").read_bytes().decode() == told


def test_documents_that_are_files_come_along(made, tmp_path: Path) -> None:
    folder = made(20).path
    (folder / "documents.jsonl").unlink()
    (folder / "dataset.yaml").unlink()
    for i in range(20):
        file = folder / "documents" / "deep" / f"d{i}.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"d{i} " * 30, encoding="utf-8")
    rows = [
        row | {"evidence": [item | {"document_id": f"deep/{item['document_id']}"} for item in row["evidence"]]}
        for row in rows_of(folder)
    ]
    (folder / "questions.jsonl").write_text("".join(json.dumps(row) + "\r\n" for row in rows), encoding="utf-8")
    dataset = Dataset.open(folder)
    report = split_dataset(dataset, tmp_path / "new", "document", SHARES)
    written = Dataset.open(report.path)
    assert written.name == "new"
    assert written.documents().texts == dataset.documents().texts
    assert (report.path / "questions.jsonl").read_bytes().count(b"\r\n") == 20


def test_questions_that_ask_the_same_stay_together(made, tmp_path: Path) -> None:
    copies = [question(100 + i, 50 + i, question(i, i)["text"].upper()) for i in range(30)]
    report = split_dataset(made(30, more=copies), tmp_path / "new", "question", SHARES)
    of = {q.id: q.split for q in Dataset.open(report.path).questions}
    assert all(of[f"q{i}"] == of[f"q{100 + i}"] for i in range(30))
    assert report.n_together == 60
    assert [one.n_questions for one in report.splits] == [36, 12, 12]


def test_by_document_no_document_is_shared_and_by_question_it_is_told(made, tmp_path: Path) -> None:
    dataset = made(100, on=lambda i: i // 5)
    apart = split_dataset(dataset, tmp_path / "apart", "document", SHARES)
    assert set(apart.shared.values()) == {0}
    assert [one.n_documents for one in apart.splits] == [12, 4, 4]
    mixed = split_dataset(dataset, tmp_path / "mixed", "question", SHARES)
    assert mixed.shared["train", "test"] > 0
    assert any("share" in line and "memory" in line for line in mixed.summary())
    assert not any("memory" in line for line in apart.summary())


def test_a_question_on_two_documents_binds_them(made, tmp_path: Path) -> None:
    both = question(90, 0) | {"evidence": [*question(90, 0)["evidence"], *question(90, 1)["evidence"]]}
    report = split_dataset(made(60, on=lambda i: i // 5, more=[both]), tmp_path / "new", "document", SHARES)
    of = {q.id: q.split for q in Dataset.open(report.path).questions}
    assert of["q0"] == of["q9"] == of["q90"]


def test_unanswerable_questions_are_dealt_in_shares_too(made, tmp_path: Path) -> None:
    dataset = made(50, more=[question(50 + i, None) for i in range(20)])
    report = split_dataset(dataset, tmp_path / "new", "question", SHARES)
    without = {one.split: one.n_questions - one.n_answerable for one in report.splits}
    assert without == {"train": 12, "dev": 4, "test": 4}


def test_a_split_without_a_share_is_none(made, tmp_path: Path) -> None:
    report = split_dataset(made(50), tmp_path / "new", "question", parse_shares("60/0/40"))
    assert [(one.split, one.n_questions) for one in report.splits] == [("train", 30), ("test", 20)]


def test_splits_that_are_there_are_replaced_only_where_it_is_said(made, tmp_path: Path, sentence) -> None:
    dataset = made(20, more=[question(90, 3, split="test")])
    with pytest.raises(DatasetError) as error:
        split_dataset(dataset, tmp_path / "new", "question", SHARES)
    assert "--replace" in sentence(error.value)
    assert not (tmp_path / "new").exists()
    split_dataset(dataset, tmp_path / "new", "question", SHARES, replace=True)


@pytest.mark.parametrize(
    ("n", "on", "by", "says"),
    [
        (30, lambda i: 0, "document", "one document"),
        (30, lambda i: min(i, 2), "document", "split by question"),
        (9, lambda i: i, "question", "10 are needed"),
        (30, lambda i: None if i else 0, "question", "10 are needed"),
    ],
)
def test_what_cannot_be_split_is_one_sentence(made, tmp_path: Path, sentence, n: int, on, by: str, says: str) -> None:
    dataset = made(n, on=on)
    with pytest.raises(DatasetError) as error:
        split_dataset(dataset, tmp_path / "new", by, SHARES)
    assert says in sentence(error.value)
    assert not (tmp_path / "new").exists()


def test_a_place_that_is_taken_and_another_way_are_refused(made, tmp_path: Path, sentence) -> None:
    dataset = made(20)
    with pytest.raises(DatasetError) as error:
        split_dataset(dataset, dataset.path, "question", SHARES)
    sentence(error.value)
    with pytest.raises(ConfigurationError) as way:
        split_dataset(dataset, tmp_path / "new", "documents", SHARES)
    assert "Did you mean 'document'?" in sentence(way.value)


def test_a_share_that_no_question_is_left_for_is_refused(made, tmp_path: Path, sentence) -> None:
    with pytest.raises(DatasetError) as error:
        split_dataset(made(60, on=lambda i: i // 5), tmp_path / "new", "document", parse_shares("98/1/1"))
    sentence(error.value)


def test_shares_are_read_as_people_write_them(sentence) -> None:
    assert parse_shares("60/20/20") == {"train": 0.6, "dev": 0.2, "test": 0.2} == parse_shares("0.6, 0.2, 0.2")
    for text in ("60/20", "60/50/20", "a/b/c", "-10/60/50", "100/0/0", "nan/50/50", "", "1e400/0/0"):
        with pytest.raises(ConfigurationError) as error:
            parse_shares(text)
        sentence(error.value)


@settings(max_examples=60, deadline=None)
@given(sizes=st.lists(st.integers(1, 9), min_size=10, max_size=40), seed=st.integers(0, 1000))
def test_groups_are_never_parted_and_shares_are_met_within_a_group(sizes: list[int], seed: int) -> None:
    starts = [sum(sizes[:i]) for i in range(len(sizes))]
    groups = [list(range(start, start + size)) for start, size in zip(starts, sizes, strict=True)]
    asked = [Question(str(i), f"Question {i}?") for i in range(sum(sizes))]
    of = _dealt(asked, groups, SHARES, seed)
    assert all(len({of[str(i)] for i in group}) == 1 for group in groups)
    for split, share in SHARES.items():
        n = sum(one == split for one in of.values())
        assert abs(n - share * len(asked)) <= max(sizes) + 1
