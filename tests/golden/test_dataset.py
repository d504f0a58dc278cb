"""A dataset folder: what it opens as, when it changes, and each thing that is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.component import build
from pipelines.golden.dataset import Dataset
from pipelines.golden.resolve import resolve
from pipelines.records import Documents, Evidence, Question
from pipelines.stages.load import Loader

TEXT = "On the first day it rained. On the second day it rained again."
FIRST = {"document_id": "rain", "start": 7, "end": 16, "quote": "first day"}
FULL = {
    "id": "q1", "text": "When did it rain?", "answer": "On the first day", "split": "test", "tags": ["a", "b", "a"],
    "filter": {"year": 2024}, "evidence": [{**FIRST, "grade": 2, "group": 1}],
}  # fmt: skip


def question(**changes: object) -> dict[str, object]:
    return {"id": "q", "text": "When?", **changes}


def opened(folder: Path) -> Dataset:
    dataset = Dataset.open(folder)
    dataset.validate()
    return dataset


def test_all_of_a_dataset_is_read(make):
    manifest = "name: Räin <b>\ndescription: d\nlicence: CC0\nsource: s\nfields: {year: int}\n"
    folder = make(questions=[FULL, question()], manifest=manifest)
    dataset = Dataset.open(folder)
    assert (dataset.name, dataset.description, dataset.licence, dataset.source) == ("Räin <b>", "d", "CC0", "s")
    assert (dataset.path, dataset.fields, dataset.lines) == (folder, {"year": "int"}, (1, 2))
    evidence = (Evidence("rain", 7, 16, "first day", 2.0, "1"),)
    first = Question("q1", "When did it rain?", "On the first day", "test", ("a", "b"), {"year": 2024}, evidence)
    assert dataset.questions == (first, Question("q", "When?"))
    assert dataset.documents().texts == (TEXT,)
    assert dataset.documents() is dataset.documents()


def test_without_dataset_yaml_it_is_called_like_its_folder(make):
    assert Dataset.open(make(questions=[], manifest=None)).name == "set"


def test_opening_parses_no_document(make):
    dataset = Dataset.open(make(files={"documents/a.txt": b"\0"}, questions=[question()]))
    assert len(dataset.questions) == 1


def test_the_version_is_that_of_the_bytes(make, tmp_path: Path):
    folder = make(questions=[FULL])
    before = Dataset.open(folder)
    (folder / ".hidden").write_text("x")
    (folder / "notes.txt~").write_text("x")
    (folder / "README.md").write_text("not part of the dataset")
    moved = folder.rename(tmp_path / "elsewhere")
    same = Dataset.open(moved)
    assert (same.version, same.documents_version) == (before.version, before.documents_version)
    assert len(before.version) == len(before.documents_version) == 32
    with (moved / "questions.jsonl").open("a") as file:
        file.write("\n")
    changed = Dataset.open(moved)
    assert changed.version != before.version
    assert changed.documents_version == before.documents_version


def test_the_names_of_documents_are_part_of_their_version(make):
    folder = make(files={"documents/a.txt": "x", "documents/b/c.txt": "y"}, questions=[])
    before = Dataset.open(folder)
    (folder / "documents" / "a.txt").rename(folder / "documents" / "d.txt")
    assert Dataset.open(folder).documents_version != before.documents_version


def test_splits_are_selected_and_a_missing_one_is_named(make, refused):
    rows = [question(id="a", split="train"), question(id="b", split="test"), question(id="c")]
    dataset = Dataset.open(make(questions=rows))
    assert [q.id for q in dataset.select("test")] == ["b"]
    assert [q.id for q in dataset.select()] == ["a", "b", "c"]
    message = refused(dataset.select, "dev")
    assert "no questions in the split 'dev'; it has no split (1), test (1), train (1)" in message
    assert "Did you mean 'test'?" in refused(dataset.select, "tset")
    assert "no questions" in refused(Dataset.open(make(questions=[])).select)


def test_a_quote_without_a_span_is_located(make):
    folder = make(questions=[question(evidence=[{"document_id": "rain", "quote": "second \n day"}])])
    dataset = opened(folder)
    assert dataset.select()[0].evidence[0].start is None
    assert dataset.resolved()[0].evidence == (Evidence("rain", 35, 45, "second day"),)


def test_a_whole_document_stays_whole(make):
    dataset = opened(make(questions=[question(evidence=[{"document_id": "rain"}])]))
    assert dataset.resolved()[0].evidence == (Evidence("rain"),)


def test_resolve_needs_no_folder():
    documents = Documents(("d",), ("abc",))
    asked = Question("q", "?", evidence=(Evidence("d", quote="b"),))
    assert resolve([asked], documents)[0].evidence == (Evidence("d", 1, 2, "b"),)


def test_offsets_hold_under_the_loader_they_were_made_for(make, refused):
    row = question(evidence=[{"document_id": "a", "start": 0, "end": 4, "quote": "Text"}])
    dataset = opened(make(files={"documents/a.md": "---\nyear: 1\n---\nText"}, questions=[row]))
    loader = build("load", {"use": "markdown", "front_matter": False}, "auto", "here")
    assert isinstance(loader, Loader)
    assert "is not the text of document 'a' from 0 to 4, which is '---" in refused(dataset.documents, loader)


def test_documents_that_change_while_in_use_are_noticed(make, refused):
    folder = make(questions=[])
    dataset = Dataset.open(folder)
    (folder / "documents.jsonl").write_text('{"id": "other", "text": "x"}')
    assert "changed while they were in use" in refused(dataset.documents)


def test_hostile_text_is_text(make):
    nasty = "<script>alert(1)</script> ![x](http://evil/x.png) =HYPERLINK(1) \u202e ../../etc " + "x" * 10_000
    rows = [question(id=nasty, text=nasty, tags=[nasty], evidence=[{"document_id": nasty, "quote": nasty}])]
    dataset = opened(make(documents=[{"id": nasty, "text": nasty}], questions=rows, manifest=None))
    assert dataset.resolved()[0] == Question(
        nasty, nasty, tags=(nasty,), evidence=(Evidence(nasty, 0, len(nasty), nasty),)
    )


QUESTION_ERRORS = {
    "{": "line 2 is not JSON",
    "[1]": "line 2 holds [1], not a JSON object",
    '{"id": "a"}': "'text' must be text that is not empty",
    '{"id": "a", "text": " "}': "'text' must be text that is not empty",
    '{"id": "", "text": "x"}': "'id' must be text that is not empty",
    '{"id": "q", "text": "x"}': "the id 'q' is already that of the question on line 1",
    '{"id": "a", "text": "x", "evidnce": []}': "Did you mean 'evidence'?",
    '{"id": "a", "text": "x", "answer": 3}': "'answer' must be text, but is 3",
    '{"id": "a", "text": "x", "split": "tets"}': "'split' is 'tets'; allowed are train, dev, test",
    '{"id": "a", "text": "x", "split": 1}': "'split' is 1",
    '{"id": "a", "text": "x", "tags": "a"}': "'tags' must be a list",
    '{"id": "a", "text": "x", "tags": [1]}': "'tags' must be a list",
    '{"id": "a", "text": "x", "filter": {"y": [1]}}': "filter 'y' is a list ([1]), but must be flat",
    '{"id": "a", "text": "x", "filter": []}': "filter must be an object",
    '{"id": "a", "text": "x", "evidence": {}}': "'evidence' must be a list",
    '{"id": "a", "text": "x", "evidence": [3]}': "evidence 1 must be an object",
    '{"id": "a", "text": "x", "evidence": [{"start": 1, "end": 2}]}': "'document_id' must be text",
}
EVIDENCE_ERRORS = {
    '"start": 5': "from 5 to empty",
    '"start": 5, "end": 5': "0 <= start < end",
    '"start": -1, "end": 5': "0 <= start < end",
    '"start": 1.5, "end": 5': "two whole numbers",
    '"start": true, "end": 5': "two whole numbers",
    '"grade": -1': "'grade' is -1",
    '"grade": "high"': "'grade' is 'high'",
    '"group": [1]': "'group' must be text",
    '"quote": 4': "'quote' must be text",
    '"qoute": "x"': "Did you mean 'quote'?",
}


@pytest.mark.parametrize(("row", "said"), QUESTION_ERRORS.items())
def test_a_bad_question_is_refused_on_opening(make, refused, row: str, said: str):
    message = refused(Dataset.open, make(questions=[question(), row]))
    assert said in message
    assert "questions.jsonl, line 2" in message


@pytest.mark.parametrize(("entries", "said"), EVIDENCE_ERRORS.items())
def test_bad_evidence_is_refused_on_opening(make, refused, entries: str, said: str):
    row = f'{{"id": "a", "text": "x", "evidence": [{{"document_id": "rain", {entries}}}]}}'
    message = refused(Dataset.open, make(questions=[row]))
    assert said in message
    assert "line 1, evidence 1" in message


@pytest.mark.parametrize(
    ("evidence", "said"),
    [
        ({"document_id": "rian"}, "names the document 'rian', which is not there; there are rain"),
        ({"document_id": "rain", "start": 60, "end": 70}, "it has 62 characters"),
        ({**FIRST, "quote": "second day"}, "from 7 to 16, which is 'first day'"),
        ({"document_id": "rain", "quote": "third day"}, "is not in its text (the nearest is alike by"),
        ({"document_id": "rain", "quote": "it rained"}, "occurs 2 times"),
    ],
)
def test_evidence_that_does_not_fit_is_refused_with_the_documents(make, refused, evidence: dict, said: str):
    dataset = Dataset.open(make(questions=[question(), question(id="q2", evidence=[evidence])]))
    message = refused(dataset.documents)
    assert said in message
    assert "questions.jsonl, line 2, question 'q2'" in message


@pytest.mark.parametrize(
    ("manifest", "said"),
    [
        ("name: [a]", "'name' must be text"),
        ("name: yes", "'name' must be text, but is True; put it in quotes"),
        ("license: x", "Did you mean 'licence'?"),
        ("- a", "must hold names and values"),
        ("a: [\nb", "line 2 is not YAML"),
        ("fields: [a]", "'fields' must hold names and types"),
        ("fields: {a: itn}", "Did you mean 'int'?"),
        ("fields: {1: int}", "the field '1'"),
    ],
)
def test_a_bad_dataset_yaml_is_refused(make, refused, manifest: str, said: str):
    message = refused(Dataset.open, make(questions=[], manifest=manifest))
    assert said in message
    assert "dataset.yaml" in message


def test_what_is_no_dataset_is_refused(tmp_path: Path, refused, make):
    assert "There is no folder" in refused(Dataset.open, tmp_path / "nowhere")
    assert "There is no folder" in refused(Dataset.open, "\0")
    assert "it is empty" in refused(Dataset.open, tmp_path)
    assert "cannot be read" in refused(Dataset.open, "x" * 10_000)
    (tmp_path / "a.csv").write_text("x")
    assert "it holds a.csv" in refused(Dataset.open, tmp_path)
    assert "is a file; a dataset is a folder" in refused(Dataset.open, tmp_path / "a.csv")
    assert "has no documents" in refused(Dataset.open, make(questions=[question()], files={}))
    assert "binary file" in refused(Dataset.open, make(files={"questions.jsonl": b"\0"}))


@pytest.mark.parametrize("name", ["questions.jsonl", "dataset.yaml", "documents.jsonl"])
def test_links_out_of_the_folder_are_refused(make, refused, tmp_path: Path, name: str):
    folder = make(questions=[])
    (folder / name).rename(tmp_path / "outside")
    (folder / name).symlink_to(tmp_path / "outside")
    assert "symbolic link" in refused(Dataset.open, folder)
