"""Exports: what goes out comes back."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines import api
from pipelines.golden.dataset import Dataset
from pipelines.golden.exporters import Content, export_content, exporters
from pipelines.golden.exporters.grades import chunk_grades
from pipelines.golden.importers import import_dataset
from pipelines.golden.manifest import Manifest
from pipelines.golden.write import write_dataset
from pipelines.pipeline import Pipeline
from pipelines.records import Chunks, Document, Documents, Evidence, Question

DOCUMENTS = [
    Document("a", "Annual report\n\nThe bank was founded in 1904.", {"title": "Annual report", "year": 2024}),
    Document("b", "Travel is approved by the manager.", {"title": "Another title"}),
    Document("c/d", "Nothing."),
]
QUESTIONS = [
    Question("q1", "When?", "1904", "train", ("date",), {"year": 2024}, (Evidence("a", 15, 44, grade=2, group="g"),
                                                                       Evidence("b", 0, 6, grade=2, group="g"))),
    Question("q2", "Who?", split="test", evidence=(Evidence("b", 0, 6), Evidence("b", 7, 9, grade=3),
                                                   Evidence("a", grade=0))),
    Question("q3", "Why?", split="dev"),
    Question("q4", "What?", evidence=(Evidence("c/d", grade=0.5),)),
]  # fmt: skip


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return Dataset.open(write_dataset(tmp_path / "set", DOCUMENTS, QUESTIONS, name="small", licence="CC0-1.0"))


def plain(dataset: Dataset) -> dict[str, Question]:
    """Return the questions without the quotes that an import adds to spans."""
    bare = {q.id: tuple(replace(item, quote=None) for item in q.evidence) for q in dataset.resolved()}
    return {q.id: replace(q, evidence=bare[q.id]) for q in dataset.resolved()}


def test_a_round_trip_over_beir_keeps_questions_spans_and_documents(dataset: Dataset, tmp_path: Path):
    report = api.export_dataset(dataset, tmp_path / "beir")
    assert report.n_questions == 4
    assert import_dataset("beir", tmp_path / "beir", tmp_path / "back").problems == ()
    back = Dataset.open(tmp_path / "back")
    assert plain(back) == plain(dataset)
    assert [back.documents()[i] for i in range(3)] == [dataset.documents()[i] for i in range(3)]


def test_qrels_hold_the_greatest_grade_of_each_document_by_split(dataset: Dataset, tmp_path: Path):
    report = api.export_dataset(dataset, tmp_path / "beir")
    read = {path.name: path.read_text() for path in (tmp_path / "beir" / "qrels").iterdir()}
    head = "query-id\tcorpus-id\tscore\n"
    assert read == {
        "train.tsv": head + "q1\ta\t2\nq1\tb\t2\n",
        "dev.tsv": head,
        "test.tsv": head + "q2\tb\t3\nq2\ta\t0\nq4\tc/d\t0.5\n",
    }
    first = json.loads((tmp_path / "beir" / "corpus.jsonl").read_text().splitlines()[0])
    assert (first["title"], first["text"]) == ("Annual report", "The bank was founded in 1904.")
    assert any("no whole numbers" in notice for notice in report.notices)
    assert "CC0-1.0" in (tmp_path / "beir" / "about.yaml").read_text()


def test_judgements_changed_since_the_export_are_taken_from_qrels(dataset: Dataset, tmp_path: Path):
    api.export_dataset(dataset, tmp_path / "beir")
    qrels = tmp_path / "beir" / "qrels" / "train.tsv"
    qrels.write_text(qrels.read_text().replace("q1\tb\t2\n", ""), encoding="utf-8")
    report = import_dataset("beir", tmp_path / "beir", tmp_path / "back")
    found = {q.id: q for q in Dataset.open(tmp_path / "back").resolved()}
    assert [(e.document_id, e.start, e.grade) for e in found["q1"].evidence] == [("a", None, 2.0)]
    assert any("judged otherwise since they were exported" in notice for notice in report.notices)


def test_a_beir_folder_of_others_with_foreign_metadata_is_read_as_ever(tmp_path: Path):
    folder = tmp_path / "beir"
    (folder / "qrels").mkdir(parents=True)
    (folder / "corpus.jsonl").write_text('{"_id": "d", "text": "Text."}\n', encoding="utf-8")
    rows = [{"_id": "q", "text": "Why?", "metadata": {"rag_workbench": bad}} for bad in (3,)]
    rows.append({"_id": "r", "text": "Who?", "metadata": {"rag_workbench": {"evidence": [{"document_id": 3.5}]}}})
    (folder / "queries.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq\td\t1\nr\td\t1\n", encoding="utf-8")
    assert import_dataset("beir", folder, tmp_path / "back").n_evidence == 2


def test_chunks_of_a_pipeline_take_the_place_of_documents(dataset: Dataset, tmp_path: Path):
    pipeline = Pipeline.parse({"chunk": {"use": "fixed", "size": 16}})
    report = api.export_dataset(dataset, tmp_path / "beir", "beir", pipeline)
    rows = [json.loads(line) for line in (tmp_path / "beir" / "corpus.jsonl").read_text().splitlines()]
    texts = dict(zip(dataset.documents().ids, dataset.documents().texts, strict=True))
    for row in rows:
        place = row["metadata"]
        assert texts[place["document_id"]][place["start"] : place["end"]] == row["text"]
    assert report.n_documents == len(rows)
    assert import_dataset("beir", tmp_path / "beir", tmp_path / "back").n_documents == len(rows)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(1, 39), max_size=6, unique=True), st.integers(0, 39), st.integers(1, 40))
def test_every_piece_of_evidence_is_held_by_some_chunk(cuts: list[int], start: int, length: int):
    bounds = [0, *sorted(cuts), 40]
    n = len(bounds) - 1
    chunks = Chunks.of([0] * n, bounds[:-1], bounds[1:])
    question = Question("q", "Why?", evidence=(Evidence("d", start, min(40, start + length)),))
    content = Content(Manifest("x"), Documents.of([Document("d", "x" * 40)]), [question], chunks)
    assert chunk_grades(content)["q"]


@pytest.mark.parametrize("name", ["llama-rag", "ragas"])
def test_contexts_come_back_as_the_same_text(dataset: Dataset, tmp_path: Path, name: str):
    api.export_dataset(dataset, tmp_path / "out", name)
    report = import_dataset(name, tmp_path / "out", tmp_path / "back")
    assert report.left_out == ("q0003",)  # without evidence
    quotes = [[e.quote for e in q.evidence] for q in Dataset.open(tmp_path / "back").resolved()]
    assert quotes[0] == ["The bank was founded in 1904.", "Travel"]


def test_ragas_reads_what_is_written_for_it(dataset: Dataset, tmp_path: Path):
    ragas = pytest.importorskip("ragas")
    api.export_dataset(dataset, tmp_path / "out", "ragas")
    read = ragas.EvaluationDataset.from_jsonl(tmp_path / "out" / "testset.jsonl")
    assert [sample.user_input for sample in read] == [question.text for question in QUESTIONS]
    read.to_csv(tmp_path / "out" / "testset.csv")
    (tmp_path / "out" / "testset.jsonl").unlink()
    assert import_dataset("ragas", tmp_path / "out", tmp_path / "back").n_documents == 3


def test_refusals_are_sentences(dataset: Dataset, tmp_path: Path, refused):
    assert set(exporters()) == {"beir", "llama-rag", "ragas"}
    assert "Did you mean 'beir'?" in refused(api.export_dataset, dataset, tmp_path / "x", "bier")
    refused(api.export_dataset, dataset, dataset.path)
    refused(api.export_dataset, dataset, tmp_path / "x", "ragas", Pipeline.parse({}))
    content = Content(Manifest("x"), Documents.of([Document("a\tb", "Text.")]), [])
    assert "tab" in refused(export_content, "beir", content, tmp_path / "x")
    assert not (tmp_path / "x").exists()
