"""The importers of other people's formats: beir, squad, chroma-chunking."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipelines.golden.check import check
from pipelines.golden.dataset import Dataset
from pipelines.golden.importers import import_dataset, importers
from pipelines.records import Document, Evidence, Question

CHROMA = Path(__file__).parents[2].parent / "shared" / "data" / "chunking_evaluation"


def folder_of(tmp_path: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        path = tmp_path / "src" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return tmp_path / "src"


def lines(*rows: object) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def test_the_formats_are_known(tmp_path: Path, refused):
    assert list(importers()) == ["beir", "chroma-chunking", "csv", "llama-rag", "ragas", "squad"]
    message = refused(import_dataset, "bier", tmp_path, tmp_path / "out")
    assert "there are beir, chroma-chunking, csv, llama-rag, ragas, squad. Did you mean 'beir'?" in message


# beir ---------------------------------------------------------------------------------------------------------------

BEIR = {
    "corpus.jsonl": lines(
        {
            "_id": "d1",
            "title": "Rain",
            "text": "It rained.",
            "metadata": {"year": 2024, "authors": ["a"], "none": None},
        },
        {"_id": "d2", "text": "It shone."},
        {"_id": "d3", "title": "Snow", "text": ""},
    ),
    "queries.jsonl": lines(*({"_id": f"q{i}", "text": f"Question {i}?"} for i in range(1, 6))),
    "qrels/test.tsv": 'query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td2\t0\nq"2\td2\t1\nq2\td2\t-1\nq2\td9\t1\n',
    "qrels/train.tsv": "query-id\tcorpus-id\tscore\nq1\td3\t1\nq3\td3\t1\nq4\td9\t1\n",
    "qrels/other.tsv": "not read",
}


def test_beir_keeps_grades_splits_and_titles(tmp_path: Path):
    report = import_dataset("beir", folder_of(tmp_path, BEIR), tmp_path / "out")
    dataset = Dataset.open(report.dataset_path)
    documents = dataset.documents()
    assert documents[0] == Document("d1", "Rain\n\nIt rained.", {"title": "Rain", "year": 2024})
    assert documents.texts[1:] == ("It shone.", "Snow\n\n")
    assert dataset.questions == (
        Question("q1", "Question 1?", split="test", evidence=(Evidence("d1", grade=2.0), Evidence("d2", grade=0.0))),
        Question("q2", "Question 2?", split="test", evidence=(Evidence("d2", grade=0.0),)),
        Question("q3", "Question 3?", split="train", evidence=(Evidence("d3"),)),
    )


def test_beir_says_what_it_did_not_take(tmp_path: Path):
    report = import_dataset("beir", folder_of(tmp_path, BEIR), tmp_path / "out")
    assert [problem.question_id for problem in report.problems] == ['q"2', "q2", "q4"]
    assert "which queries.jsonl does not have" in report.problems[0].message
    assert "names the document 'd9'" in report.problems[1].message
    assert report.left_out == ("q4",)
    assert report.exit_code == 2
    told = " ".join(report.notices)
    for part in (
        "Scores below 0 in test.tsv became 0 (n: 1)",
        "not flat was left out: authors",
        "judgement were left out (n: 1)",
    ):
        assert part in told
    assert "kept in the first of test, dev, train (n: 1)" in told


@pytest.mark.parametrize("missing", ["corpus.jsonl", "queries.jsonl", "qrels"])
def test_a_beir_folder_with_a_missing_file(tmp_path: Path, refused, missing: str):
    files = {name: content for name, content in BEIR.items() if not name.startswith(missing)}
    message = refused(import_dataset, "beir", folder_of(tmp_path, files), tmp_path / "out")
    assert f"has no {missing}" in message
    assert "it holds" in message


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("corpus.jsonl", "{", "corpus.jsonl, line 1 is not JSON"),
        ("corpus.jsonl", '{"text": "x"}', "corpus.jsonl, line 1: '_id' must be text"),
        ("qrels/test.tsv", "query-id\tscore\n", "has no column 'corpus-id'; it has query-id, score"),
        ("qrels/test.tsv", "query-id\tcorpus-id\tscore\nq1\td1\thigh\n", "line 2: the score is 'high'"),
        ("qrels/test.tsv", "query-id\tcorpus-id\tscore\nq1\td1\tnan\n", "line 2: the score is 'nan'"),
        ("qrels/test.tsv", "query-id\tcorpus-id\tscore\nq1\td1\n", "line 2: it has 2 cells"),
    ],
)
def test_a_broken_beir_file(tmp_path: Path, refused, name: str, content: str, said: str):
    assert said in refused(import_dataset, "beir", folder_of(tmp_path, {**BEIR, name: content}), tmp_path / "out")


def test_a_beir_source_that_is_a_file_or_not_there(tmp_path: Path, refused):
    (tmp_path / "file").write_text("x")
    assert "is a file, not a folder" in refused(import_dataset, "beir", tmp_path / "file", tmp_path / "out")
    assert "There is no folder" in refused(import_dataset, "beir", tmp_path / "gone", tmp_path / "out")


# squad --------------------------------------------------------------------------------------------------------------

CONTEXT = "The Normans came in 1066. The Normans stayed."


def squad(*questions: object) -> str:
    paragraphs = [{"context": CONTEXT, "qas": list(questions)}, {"context": "Empty.", "qas": []}]
    return json.dumps({"version": "v2.0", "data": [{"title": "Normans", "paragraphs": paragraphs}]})


def answer(text: str, start: int) -> dict[str, object]:
    return {"text": text, "answer_start": start}


def ask(name: str, *answers: object, **more: object) -> dict[str, object]:
    return {"id": name, "question": f"Question {name}?", "answers": list(answers), **more}


def test_squad_answers_are_alternatives_and_impossible_ones_unanswerable(tmp_path: Path):
    content = squad(
        ask("a", answer("1066", 20), answer("in 1066", 17), answer("1066", 20), is_impossible=False),
        ask("b", answer("1066", 20)),
        ask("c", is_impossible=True, plausible_answers=[answer("stayed", 38)]),
    )
    report = import_dataset("squad", folder_of(tmp_path, {"dev.json": content}) / "dev.json", tmp_path / "out")
    dataset = Dataset.open(report.dataset_path)
    assert dataset.documents().ids == ("Normans-001", "Normans-002")
    assert dataset.documents()[0].metadata == {"title": "Normans"}
    place = "Normans-001"
    alternatives = (
        Evidence(place, 20, 24, "1066", group="answers"),
        Evidence(place, 17, 24, "in 1066", group="answers"),
    )
    assert dataset.questions == (
        Question("a", "Question a?", "1066", evidence=alternatives),
        Question("b", "Question b?", "1066", evidence=(Evidence(place, 20, 24, "1066"),)),
        Question("c", "Question c?"),
    )
    assert report.exit_code == 0
    assert "overlapping-evidence" not in {finding.code for finding in check(dataset).findings}


def test_squad_problems_are_reported(tmp_path: Path):
    content = squad(
        ask("a", answer("1066", 3)),
        ask("a", answer("1066", 20)),
        ask("b", answer("1067", 20)),
        ask("c"),
        {**ask("d", answer("1066", 20)), "question": " "},
    )
    report = import_dataset("squad", folder_of(tmp_path, {"x.json": content}) / "x.json", tmp_path / "out")
    assert [problem.question_id for problem in report.problems] == ["a", "c", "b", "d"]
    assert report.left_out == ("b", "c", "d")
    assert "was not at 3, and was found at 20" in report.notices[0]
    assert Dataset.open(report.dataset_path).questions[0].evidence == (Evidence("Normans-001", 20, 24, "1066"),)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "is not a SQuAD file"),
        ("[]", "is not a SQuAD file"),
        ('{"data": 3}', "is not a SQuAD file"),
        ('{"data": ["x"]}', "is not a SQuAD file"),
        ('{"data": [{"title": "x"}]}', "('paragraphs' is missing)"),
        ('{"data": [{"paragraphs": [{"context": "x"}]}]}', "('qas' is missing)"),
        ('{"data": [{"paragraphs": [{"context": 3, "qas": []}]}]}', "is not a SQuAD file"),
    ],
)
def test_what_is_no_squad_file(tmp_path: Path, refused, content: str, said: str):
    folder = folder_of(tmp_path, {"x.json": content})
    assert said in refused(import_dataset, "squad", folder / "x.json", tmp_path / "out")
    assert "is a folder" in refused(import_dataset, "squad", folder, tmp_path / "out")
    assert "cannot be read" in refused(import_dataset, "squad", folder / "gone.json", tmp_path / "out")


# chroma-chunking ----------------------------------------------------------------------------------------------------


def chroma(references: str, corpus: str = "rain") -> dict[str, str]:
    row = ",".join('"' + cell.replace('"', '""') + '"' for cell in ("When?", references, corpus))
    good = '"Good?","[{""content"": ""It"", ""start_index"": 0, ""end_index"": 2}]",rain'
    return {"rain.md": "It rained. --- Twice.", "questions_df.csv": f"question,references,corpus_id\n{row}\n{good}\n"}


def test_chroma_spans_are_checked_against_the_text(tmp_path: Path):
    references = [
        {"content": "rained", "start_index": 3, "end_index": 9},
        {"content": "Twice", "start_index": 3, "end_index": 8},
        {"content": "thrice", "start_index": 3, "end_index": 9},
    ]
    report = import_dataset("chroma-chunking", folder_of(tmp_path, chroma(json.dumps(references))), tmp_path / "out")
    dataset = Dataset.open(report.dataset_path)
    assert dataset.questions[0] == Question(
        "rain-001",
        "When?",
        tags=("rain",),
        evidence=(Evidence("rain", 3, 9, "rained"), Evidence("rain", 15, 20, "Twice")),
    )
    assert "was not at 3, and was found at 15" in report.notices[0]
    assert [problem.question_id for problem in report.problems] == ["rain-001"]


@pytest.mark.parametrize(
    "references", ["", "{}", "[3]", '[{"content": "x"}]', '[{"content": 3, "start_index": 0, "end_index": 1}]']
)
def test_chroma_references_that_are_none(tmp_path: Path, references: str):
    report = import_dataset("chroma-chunking", folder_of(tmp_path, chroma(references)), tmp_path / "out")
    assert "Line 2 of questions_df.csv: its references are not a JSON list" in report.problems[0].message
    assert report.left_out == ("rain-001",)
    assert report.n_questions == 1


@pytest.mark.parametrize("corpus", ["snow", "../rain", "/etc/passwd", ""])
def test_a_corpus_that_is_not_there_is_no_path(tmp_path: Path, refused, corpus: str):
    message = refused(import_dataset, "chroma-chunking", folder_of(tmp_path, chroma("[]", corpus)), tmp_path / "out")
    assert f"has no text '{corpus}.md' (it holds questions_df.csv, rain.md)" in message


def test_a_chroma_folder_without_its_table(tmp_path: Path, refused):
    message = refused(import_dataset, "chroma-chunking", folder_of(tmp_path, {"a.md": "x"}), tmp_path / "out")
    assert "has no questions_df.csv (it holds a.md)" in message


@pytest.mark.skipif(not CHROMA.is_dir(), reason=f"Chroma's chunking evaluation data is not at {CHROMA}")
def test_the_real_chunking_evaluation(tmp_path: Path):
    report = import_dataset("chroma-chunking", CHROMA, tmp_path / "out")
    assert (report.n_documents, report.n_questions, report.n_evidence) == (5, 472, 790)
    assert (report.problems, report.notices, report.left_out) == ((), (), ())
    dataset = Dataset.open(report.dataset_path)
    documents = dataset.documents()
    for text in CHROMA.glob("*.md"):
        assert documents.texts[documents.position[text.stem]] == text.read_bytes().decode()
    for question in dataset.questions:
        for item in question.evidence:
            assert documents.texts[documents.position[item.document_id]][item.start : item.end] == item.quote
    counts = {"finance": 97, "pubmed": 99, "wikitexts": 144, "state_of_the_union": 76, "chatlogs": 56}
    assert check(dataset).figures.by_tag == counts
