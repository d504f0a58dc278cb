"""Uploads: hostile names write nothing outside, and what is wrong is said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.mixed_files import docx, encrypted_pdf, pdf
from pipelines.golden.dataset import Dataset
from pipelines.golden.upload import from_uploads, short_name

CSV = b"question,answer,document_id,quote\nWhen?,today,a,first day\nWhy?,,,\n"
TEXT = b"On the first day"


def everything(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def test_files_and_a_table_become_a_dataset(tmp_path: Path):
    documents = [("a.txt", TEXT), ("b.md", b"---\nyear: 2024\n---\nText"), ("c.jsonl", b'{"id": "row", "text": "x"}')]
    report = from_uploads("My Set!", documents, CSV, None, tmp_path)
    assert (report.exit_code, report.name, report.dataset_path) == (0, "My Set!", tmp_path / "my-set")
    dataset = Dataset.open(report.dataset_path)
    assert dataset.documents().ids == ("a", "b", "row")
    assert dataset.documents()[1].metadata == {"year": 2024}
    assert [item.quote for item in dataset.questions[0].evidence] == ["first day"]
    assert everything(tmp_path) == {
        "my-set",
        *(f"my-set/{n}" for n in ("dataset.yaml", "documents.jsonl", "questions.jsonl")),
    }


def test_rows_become_questions_and_broken_ones_are_reported(tmp_path: Path):
    rows = [
        {
            "id": "1",
            "text": "When?",
            "evidence": [{"document_id": "a", "quote": "first  day"}, {"document_id": "a", "quote": "no"}],
        },
        {"id": "2", "text": "Where?", "evidence": [{"document_id": "a", "start": 3}]},
        {"id": "1", "text": "Again?"},
        {"id": "3"},
        {"id": "4", "text": "Which?", "evidence": [{"document_id": "a", "quote": "last day"}]},
    ]
    lines = "\n".join(json.dumps(row) for row in rows).encode()
    report = from_uploads("x", [("a.txt", TEXT)], None, lines, tmp_path)
    assert report.exit_code == 2
    assert [problem.question_id for problem in report.problems] == ["2", "1", None, "1", "4"]
    assert report.problems[-1].nearest == "first day"
    assert report.left_out == ("2", "4")
    assert Dataset.open(report.dataset_path).questions[0].evidence[0].quote == "first day"
    assert "Questions left out: 2." in report.summary()


def test_documents_alone_are_enough_to_begin(tmp_path: Path):
    report = from_uploads("x", [("a.txt", TEXT)], None, None, tmp_path)
    assert (report.n_documents, report.n_questions, report.exit_code) == (1, 0, 0)


def test_what_cannot_be_read_is_listed_and_the_rest_is_taken(tmp_path: Path):
    word = docx("A text.")
    broken = [("locked.pdf", encrypted_pdf()), ("torn.docx", word[: len(word) // 2]), ("a.xyz", b"?")]
    files = [("a.pdf", pdf("It rained.")), *broken, ("b.txt", TEXT)]
    report = from_uploads("x", files, CSV.replace(b"today,a,", b"today,b,") + b"Who?,,locked.pdf,x y\n", None, tmp_path)
    assert (report.n_documents, report.n_questions, report.left_out, report.exit_code) == (2, 3, (), 2)
    assert [next(n for n, _ in broken if n in problem.message) for problem in report.problems] == [n for n, _ in broken]
    kept = everything(report.dataset_path / "documents")
    assert kept == {"a.pdf", "b.txt", "locked.pdf", "torn.docx"}  # what no loader reads is no document
    assert len(Dataset.open(report.dataset_path).documents()) == 2


def test_a_broken_file_is_no_broken_question(tmp_path: Path):
    report = from_uploads("x", [("a.txt", TEXT), ("b.txt", b"\0")], None, None, tmp_path)
    assert (report.n_documents, report.n_questions, len(report.problems)) == (1, 0, 1)
    assert not (report.dataset_path / "documents").exists()


HOSTILE = [
    "../x.txt",
    "..\\..\\x.txt",
    "/etc/x.txt",
    "\u202etxt.x.txt",
    "a\0b.txt",
    "x" * 10_000 + ".txt",
    "C:\\x.txt",
    "\ud800.txt",
]


@pytest.mark.parametrize("filename", HOSTILE)
def test_hostile_file_names_stay_inside(tmp_path: Path, filename: str):
    root = tmp_path / "root" / "deep"
    root.mkdir(parents=True)
    table = f'question,answer,document_id,quote\nWhen?,x,"{filename}",first day\n'.encode(errors="replace").replace(
        b"\0", b""
    )
    from_uploads("x", [(filename, TEXT)], None if "\0" in filename or "\ud800" in filename else table, None, root)
    files = {f"root/deep/x/{name}" for name in ("dataset.yaml", "documents.jsonl", "questions.jsonl")}
    assert everything(tmp_path) == {"root", "root/deep", "root/deep/x", *files}
    assert len(Dataset.open(root / "x").documents()) == 1


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.text(min_size=1).filter(lambda name: bool(name.strip())))
def test_a_dataset_may_be_called_anything(tmp_path: Path, name: str):
    root = tmp_path / "root"
    report = from_uploads(name, [("a.txt", TEXT)], None, None, root)
    assert report.dataset_path.parent == root
    assert Dataset.open(report.dataset_path).name == report.name
    for path in report.dataset_path.iterdir():
        path.unlink()
    report.dataset_path.rmdir()
    assert everything(tmp_path) <= {"root"}


@given(st.text(max_size=300))
def test_a_short_name_is_one_part_of_a_path(filename: str):
    name = short_name(filename)
    assert 0 < len(name) <= 120
    assert not set(name) & set("/\\")
    assert name not in (".", "..")


@pytest.mark.parametrize(
    ("name", "documents", "csv", "jsonl", "said"),
    [
        (" ", [("a.txt", TEXT)], None, None, "has no name"),
        ("x", [], None, None, "no documents"),
        ("x", [("a.txt", TEXT)], CSV, b"", "give one of the two"),
        ("x", [("a.txt", b"\0")], None, None, "a.txt is a binary file"),
        ("x", [("a.xyz", TEXT)], None, None, "a.xyz cannot be read as a document"),
        (
            "x",
            [("a.pdf", TEXT), ("b.txt", b"\0")],
            CSV,
            None,
            "None of the 2 files can be read. The first: a.pdf",
        ),
        ("x", [("a.pdf", TEXT)], None, None, "a.pdf is no whole PDF file"),
        ("x", [("a.txt", TEXT), ("b/a.txt", TEXT)], None, None, "Two files are called 'a.txt'"),
        ("x", [("a.txt", TEXT)], b"question,answer\n", None, "The table of questions has no column 'document_id'"),
        ("x", [("a.txt", TEXT)], b"\xff\xfe", None, "The table of questions is UTF-16 text"),
        ("x", [("a.txt", TEXT)], None, b"{", "None of the questions could be imported"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_left(tmp_path: Path, refused, name, documents, csv, jsonl, said: str):
    assert said in refused(from_uploads, name, documents, csv, jsonl, tmp_path)
    assert everything(tmp_path) == set()


def test_a_name_that_is_taken_is_refused(tmp_path: Path, refused):
    from_uploads("x", [("a.txt", TEXT)], None, None, tmp_path)
    assert "not empty" in refused(from_uploads, "X", [("a.txt", TEXT)], None, None, tmp_path)
