"""llama-rag and ragas: contexts become spans of the source documents, or documents; what does not is told."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from pipelines.golden.dataset import Dataset
from pipelines.golden.importers import import_dataset
from pipelines.golden.importers.listed import texts_in

BANK = "The bank was founded in 1904.\n\nIt moved to “Arden” in 1911,  after the fire."
TRAVEL = "Travel is approved by the line manager. The bank was founded in 1904."


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A folder with source documents."""
    folder = tmp_path / "src"
    for name, text in (("bank.txt", BANK), ("travel.md", TRAVEL)):
        (folder / "source_files").mkdir(parents=True, exist_ok=True)
        (folder / "source_files" / name).write_text(text, encoding="utf-8")
    return folder


def example(query: object, contexts: object, answer: object = "An answer.") -> dict[str, object]:
    return {"query": query, "query_by": {"type": "ai", "model_name": "m"}, "reference_contexts": contexts,
            "reference_answer": answer, "reference_answer_by": None}  # fmt: skip


def llama(folder: Path, *examples: object, name: str = "rag_dataset.json") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(json.dumps({"examples": examples}), encoding="utf-8")
    return folder


def spans(dataset: Path) -> list[list[tuple[str, int | None, int | None]]]:
    return [[(e.document_id, e.start, e.end) for e in q.evidence] for q in Dataset.open(dataset).resolved()]


def test_contexts_are_found_in_the_source_documents(source: Path, tmp_path: Path):
    src = llama(
        source,
        example("Who approves?", ["approved by the line manager"]),
        example("When did it move?", ['It moved to "Arden" in 1911, after', "Travel is approved"]),
        example("When was it founded?", ["The bank was founded in 1904."], ""),
    )
    report = import_dataset("llama-rag", src, tmp_path / "out")
    assert (report.problems, report.n_documents, report.n_questions) == ((), 2, 3)
    start = BANK.index("It moved")
    assert spans(tmp_path / "out") == [
        [("travel", 10, 38)],
        [("bank", start, BANK.index("after") + 5), ("travel", 0, 18)],
        [("bank", 0, 29)],
    ]
    assert [q.answer for q in Dataset.open(tmp_path / "out").questions] == ["An answer.", "An answer.", None]
    notices = " ".join(report.notices)
    assert "made equal (n: 1)" in notices
    assert "several places, of which the first is taken (n: 1)" in notices


def test_without_source_documents_each_context_is_one(tmp_path: Path):
    src = llama(tmp_path / "src", example("One?", ["First.", "Second."]), example("Two?", ["First."]))
    report = import_dataset("llama-rag", src / "rag_dataset.json", tmp_path / "out")
    assert (report.n_documents, report.n_evidence) == (2, 3)
    assert spans(tmp_path / "out") == [[("context-0001", None, None), ("context-0002", None, None)],
                                       [("context-0001", None, None)]]  # fmt: skip
    assert "became a document" in report.notices[0]


def test_contexts_that_are_nowhere_are_listed_with_why_and_how_often(source: Path, tmp_path: Path):
    changed = BANK[:70].replace("\n\n", " ") + " before the flood and everything else."
    src = llama(
        source,
        example("Nowhere?", ["Nothing of this kind stands in any of the documents that are here."]),
        example("Nowhere again?", ["Nothing of this kind stands in any of the documents that are here.", "Travel is"]),
        example("Changed?", [changed]),
        example("Empty?", ["", "  "]),
        example("None?", None),
        example("Found?", ["line manager"]),
    )
    report = import_dataset("llama-rag", src, tmp_path / "out")
    told = [problem.message for problem in report.problems]
    assert any("(of q0001, q0002) is in none of the documents (n: 2): no part of it is there" in text for text in told)
    assert any("its beginning is in 'bank', and the rest differs" in text for text in told)
    assert sum("has no reference context" in text for text in told) == 2
    assert set(report.left_out) == {"q0001", "q0003", "q0004", "q0005"}
    assert report.exit_code == 2
    assert [q.id for q in Dataset.open(tmp_path / "out").questions] == ["q0002", "q0006"]


BAD_LLAMA = {
    "truncated": '{"examples": [{"query": "Wh',
    "a list": "[1, 2]",
    "other columns": '{"example": []}',
    "no examples": '{"examples": []}',
    "a number": "3",
    "nothing": "",
    "nested": "[" * 100_000,
    "binary": "\0\1",
    "pointer": "version https://git-lfs.github.com/spec/v1\noid sha256:8e97\nsize 250287\n",
}


@pytest.mark.parametrize("name", BAD_LLAMA)
def test_a_file_that_is_none_is_one_clear_sentence(tmp_path: Path, refused, name: str):
    path = tmp_path / "rag_dataset.json"
    path.write_text(BAD_LLAMA[name], encoding="utf-8")
    refused(import_dataset, "llama-rag", path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_examples_that_are_none_are_left_out_and_told(source: Path, tmp_path: Path):
    src = llama(source, 3, example(None, ["x"]), example("Why?", "text"), example("Why?", [1]),
                example("Found?", ["line manager"]))  # fmt: skip
    report = import_dataset("llama-rag", src, tmp_path / "out")
    assert len(report.problems) == 4
    assert all("it is left out: correct it." in problem.message for problem in report.problems)
    assert report.n_questions == 1


def test_a_folder_without_a_file_or_with_several_is_refused(source: Path, tmp_path: Path, refused):
    assert "no JSON file" in refused(import_dataset, "llama-rag", source, tmp_path / "out")
    for name in ("a.json", "b.json"):
        llama(source, example("Found?", ["line manager"]), name=name)
    assert "2 JSON files" in refused(import_dataset, "llama-rag", source, tmp_path / "out")


# ragas --------------------------------------------------------------------------------------------------------------

SAMPLES = [
    {"user_input": "Who approves?", "reference_contexts": ["<1-hop>\n\napproved by the line manager"],
     "reference": "The manager.", "synthesizer_name": "single_hop"},
    {"user_input": "When did it move?", "reference_contexts": ["It moved", "Travel is"],
     "reference": "1911"},
]  # fmt: skip
FORMER = [{"question": s["user_input"], "contexts": s["reference_contexts"], "ground_truth": s["reference"]}
          for s in SAMPLES]  # fmt: skip


def as_jsonl(rows: list[dict[str, Any]], path: Path) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def as_csv(rows: list[dict[str, Any]], path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows({k: repr(v) if isinstance(v, list) else v for k, v in row.items()} for row in rows)


def as_numpy_csv(rows: list[dict[str, Any]], path: Path) -> None:
    changed = [
        {k: "[" + "\n ".join(map(repr, v)) + "]" if isinstance(v, list) else v for k, v in r.items()} for r in rows
    ]
    as_csv(changed, path)


WRITERS = {
    "a.jsonl": as_jsonl,
    "b.csv": as_csv,
    "c.csv": as_numpy_csv,
    "d.json": lambda rows, path: path.write_text(json.dumps(rows), encoding="utf-8"),
    "e.json": lambda rows, path: path.write_text(json.dumps({"samples": rows}), encoding="utf-8"),
    "f.json": lambda rows, path: path.write_text(
        json.dumps({k: [row.get(k) for row in rows] for k in rows[0]}), encoding="utf-8"
    ),
    "g.json": as_jsonl,
    "h.jsonl": lambda rows, path: as_jsonl([{"eval_sample": r, "synthesizer_name": "single_hop"} for r in rows], path),
}


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("rows", [SAMPLES, FORMER], ids=["now", "before"])
def test_every_form_of_a_test_set_comes_to_the_same(source: Path, tmp_path: Path, name: str, rows: list):
    WRITERS[name](rows, source / name)
    report = import_dataset("ragas", source, tmp_path / "out")
    assert report.problems == ()
    assert spans(tmp_path / "out") == [[("travel", 10, 38)], [("bank", 31, 39), ("travel", 0, 9)]]
    questions = Dataset.open(tmp_path / "out").questions
    assert [q.answer for q in questions] == ["The manager.", "1911"]
    assert ("single_hop" in questions[0].tags) == (rows is SAMPLES or name == "h.jsonl")
    assert any("taken for the reference contexts" in notice for notice in report.notices) == (rows is FORMER)


BAD_RAGAS = {
    "truncated.json": '[{"user_input": "Wh',
    "columns.csv": "prompt,answer\na,b\n",
    "columns.jsonl": '{"user_inptu": "a", "reference_contexts": ["b"]}\n',
    "retrieved.jsonl": '{"user_input": "a", "retrieved_contexts": ["b"], "response": "c"}\n',
    "number.json": "3",
    "empty.jsonl": "",
    "empty.csv": "",
    "object.json": '{"a": 1}',
    "conversation.jsonl": '{"user_input": [{"content": "a"}], "reference_contexts": ["b"]}\n',
    "wrong.jsonl": '{"user_input": 3, "reference_contexts": ["b"]}\n',
    "nested.jsonl": '{"user_input": "a", "reference_contexts": [["b"]]}\n',
    "contexts.jsonl": '{"user_input": "a", "reference_contexts": []}\n',
}


@pytest.mark.parametrize("name", BAD_RAGAS)
def test_a_test_set_that_is_none_is_one_clear_sentence(tmp_path: Path, refused, name: str):
    (tmp_path / name).write_text(BAD_RAGAS[name], encoding="utf-8")
    refused(import_dataset, "ragas", tmp_path / name, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_huge_line_is_read_or_refused_within_reason(tmp_path: Path, refused):
    row = {"user_input": "Why?", "reference_contexts": ["word " * 1_000_000], "reference": "So."}
    (tmp_path / "big.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    assert import_dataset("ragas", tmp_path / "big.jsonl", tmp_path / "out").n_questions == 1
    (tmp_path / "cut.jsonl").write_text(json.dumps(row)[:-5] + "\n", encoding="utf-8")
    refused(import_dataset, "ragas", tmp_path / "cut.jsonl", tmp_path / "other")


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ("['a', \"b's\"]", ["a", "b's"]),
        ("['a'\n 'b']", ["a", "b"]),
        ('["a"]', ["a"]),
        ("plain text", ["plain text"]),
        ("[not a list]", ["[not a list]"]),
        ("['a', 3]", ["['a', 3]"]),
        ("[__import__('os')]", ["[__import__('os')]"]),
        ("", []),
        ("nan", []),
        ([None, "a"], ["a"]),
        ([["a"]], None),
        (3, None),
    ],
)
def test_cells_that_print_a_list_are_read_and_never_run(cell: object, found: object):
    assert texts_in(cell) == found
