"""Check: each thing that would mislead, found where it is, on sound and on broken datasets."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.golden.check import check
from pipelines.golden.dataset import Dataset
from pipelines.golden.findings import Finding, Report
from pipelines.golden.write import write_dataset
from pipelines.records import Document, Evidence, Question

A, B = "Alpha beta gamma delta.", "Epsilon zeta eta theta."


def written(
    tmp_path: Path, questions: list[Question], documents: list[Document] | None = None, **head: object
) -> Report:
    documents = documents or [Document("a", A), Document("b", B)]
    return check(write_dataset(tmp_path / "set", documents, questions, **head))  # type: ignore[arg-type]


def found(report: Report, code: str) -> Finding:
    matching = [finding for finding in report.findings if finding.code == code]
    assert len(matching) == 1, [finding.code for finding in report.findings]
    return matching[0]


def codes(report: Report) -> set[str]:
    return {finding.code for finding in report.findings}


def asked(name: str, text: str, *spans: tuple[str, int, int], **more: object) -> Question:
    evidence = tuple(Evidence(document, start, end) for document, start, end in spans)
    return Question(name, text, evidence=evidence, **more)  # type: ignore[arg-type]


def test_a_sound_dataset_has_no_findings(tmp_path: Path):
    questions = [
        asked("1", "Which is first?", ("a", 0, 5), split="dev"),
        asked("2", "What follows?", ("b", 0, 7), split="test"),
    ]
    report = written(tmp_path, questions)
    assert (report.findings, report.ok, report.exit_code) == ((), True, 0)
    assert "2 documents (8 words), 2 questions" in report.summary()
    assert report.version == Dataset.open(report.path).version


def test_the_figures_add_up(tmp_path: Path):
    questions = [
        asked("1", "Which is first?", ("a", 0, 5), split="dev", tags=("x",)),
        asked("2", "What follows then?", ("b", 0, 7), ("a", 6, 16), split="dev", tags=("x", "y")),
        asked("3", "Whole?", split="test"),
        Question("4", "All of it?", evidence=(Evidence("a"), Evidence("b", grade=0.0)), split="test"),
    ]
    figures = written(tmp_path, questions).figures
    assert (figures.n_documents, figures.n_chars, figures.n_words) == (2, len(A) + len(B), 8)
    assert (figures.n_questions, figures.n_evidence) == (4, 5)
    assert figures.by_split == {"dev": 2, "test": 2}
    assert figures.by_tag == {"x": 2, "y": 1}
    assert figures.by_kind == {"single evidence": 1, "multiple evidence": 1, "unanswerable": 1, "whole document": 1}
    assert figures.evidence_per_question == pytest.approx(4 / 3)  # 1 + 2 + 1 over the three that can be answered
    assert figures.evidence_chars == {"min": 5, "p25": 5, "median": 7, "p75": 7, "max": 10}


def test_unanswerable_questions_are_counted_and_no_fault(tmp_path: Path):
    report = written(tmp_path, [Question("1", "Why?"), asked("2", "What now?", ("a", 0, 1), ("b", 0, 1))])
    finding = found(report, "unanswerable")
    assert (finding.level, finding.count, finding.where) == ("info", 1, ("1",))
    assert report.ok


def test_near_duplicates_are_found_and_leaks_apart(tmp_path: Path):
    questions = [
        asked("1", "When was the bank founded?", ("a", 0, 5), split="dev"),
        asked("2", "When was the bank founded", ("a", 0, 5), split="dev"),
        asked("3", "when the bank was founded?", ("b", 0, 5), split="test"),
        asked("4", "Who runs the treasury now?", ("b", 0, 5), split="test"),
    ]
    report = written(tmp_path, questions)
    within, across = found(report, "near-duplicate-questions"), found(report, "near-duplicates-across-splits")
    assert [case.split(":")[0] for case in within.where] == ["1 ~ 2"]
    assert [case.split(":")[0] for case in across.where] == ["1 ~ 3 (dev and test)", "2 ~ 3 (dev and test)"]


def test_another_year_name_or_filter_is_another_question(tmp_path: Path):
    documents = [Document("a", A, {"year": 2023}), Document("b", B, {"year": 2024})]
    questions = [
        asked("1", "What was the net interest income of Meridian in 2023?", ("a", 0, 5)),
        asked("2", "What was the net interest income of Meridian in 2024?", ("b", 0, 5)),
        asked("3", "What was the net interest income of Falcon in 2024?", ("b", 0, 5)),
        asked("4", "What was the dividend?", ("a", 0, 5), filter={"year": 2023}),
        asked("5", "What was the dividend?", ("b", 0, 5), filter={"year": 2024}),
    ]
    assert codes(written(tmp_path, questions, documents)) == set()


def test_splits_that_share_a_document_name_it(tmp_path: Path):
    questions = [
        asked("1", "Which is first?", ("a", 0, 5), split="train"),
        asked("2", "What follows?", ("a", 6, 9), split="test"),
    ]
    assert found(written(tmp_path, questions), "splits-share-documents").where == ("a (test, train)",)


def test_questions_without_a_split_among_others(tmp_path: Path):
    questions = [asked("1", "Which is first?", ("a", 0, 5), split="train"), asked("2", "What follows?", ("b", 6, 9))]
    assert found(written(tmp_path, questions), "no-split").where == ("2",)


def test_overlapping_evidence_unless_it_is_alternative(tmp_path: Path):
    spans = (("a", 0, 5), ("a", 4, 9), ("a", 9, 12), ("b", 0, 5))
    grouped = tuple(Evidence("a", start, 9, group="g") for start in (0, 4))
    questions = [asked("1", "Which is first?", *spans), Question("2", "What follows?", evidence=grouped)]
    assert found(written(tmp_path, questions), "overlapping-evidence").where == ("1: 0-5 and 4-9 of a",)
    whole = Question("3", "And all?", evidence=(Evidence("a"), Evidence("a", 3, 4), Evidence("b")))
    assert found(written(tmp_path, [whole], overwrite=True), "overlapping-evidence").where == ("3: 0-23 and 3-4 of a",)


def test_evidence_that_stands_twice_in_its_document(tmp_path: Path):
    passage = "Rates rose by a quarter point in June."
    twice = [Document("a", f"{passage} Later: {passage}"), Document("b", B)]
    report = written(
        tmp_path, [asked("1", "What rose?", ("a", 0, len(passage))), asked("2", "And?", ("b", 0, 7))], twice
    )
    finding = found(report, "repeated-evidence")
    assert (finding.level, finding.count, finding.where) == ("info", 1, (f"1: 0-{len(passage)} of a",))


def test_documents_nobody_asks_about_that_are_empty_or_there_twice(tmp_path: Path):
    documents = [Document("a", A), Document("b", " \n" + A.replace(" ", "  ")), Document("c", " ")]
    report = written(tmp_path, [asked("1", "Which is first?", ("a", 0, 5))], documents)
    assert found(report, "untouched-documents").where == ("b", "c")
    assert found(report, "duplicate-documents").where == ("a = b",)
    assert found(report, "empty-documents").where == ("c",)


def test_metadata_that_varies_or_is_not_as_declared(tmp_path: Path):
    rows = [{"year": 2023, "q": 1, "x": "a", "n": 1}, {"year": "2024", "q": 2, "x": "2024-01-02", "n": 1.5}]
    documents = [Document(str(i), A + str(i), row) for i, row in enumerate(rows)]
    question = asked("1", "Which is first?", ("0", 0, 5), ("1", 0, 5))
    report = written(tmp_path, [question], documents, fields={"q": "str", "gone": "int"})
    assert found(report, "metadata-types-vary").where == ("year: int, str",)
    assert found(report, "metadata-not-as-declared").where == ("q is declared str, but holds 1",)
    assert found(report, "metadata-missing").where == ("gone",)
    assert found(report, "metadata-undeclared").where == ("year",)


def test_filters_that_nothing_passes(tmp_path: Path):
    documents = [Document("a", A, {"year": 2023}), Document("b", B, {"year": 2024})]
    questions = [
        asked("1", "Which is first?", ("a", 0, 5), filter={"yaer": 2023}),
        asked("2", "What follows then?", ("a", 0, 5), filter={"year": "2023"}),
        asked("3", "Is that so?", ("b", 0, 5), filter={"year": 2023}),
    ]
    report = written(tmp_path, questions, documents)
    assert found(report, "filter-unknown-field").where == ("1: yaer = 2023",)
    assert found(report, "filter-unknown-value").where == ("2: year = 2023",)
    assert found(report, "filter-excludes-evidence").where == ("2", "3")


def test_a_broken_dataset_is_checked_to_the_end(make):
    good = {"id": "g", "text": "Good?", "evidence": [{"document_id": "a", "start": 0, "end": 5}]}
    rows = [
        good,
        {"id": "g", "text": "Again?"},
        "{",
        {"id": "s", "text": "Split?", "split": "nope", "tags": 3},
        {"id": "o", "text": "Outside?", "evidence": [{"document_id": "a", "start": 9, "end": 9999}]},
        {"id": "m", "text": "Mismatch?", "evidence": [{"document_id": "a", "start": 0, "end": 2, "quote": "xx"}]},
        {"id": "u", "text": "Unknown?", "evidence": [{"document_id": "z"}, {"document_id": "y"}]},
        {"id": "n", "text": "Nowhere?", "evidence": [{"document_id": "a", "quote": "12345"}]},
        {"id": "none", "text": "None?"},
    ]
    documents = [{"id": "a", "text": A}, {"id": "a", "text": B}, {"id": "c"}, "[", {"id": "b", "text": B}]
    report = check(make(documents=documents, questions=rows, manifest="nmae: x"))
    errors = {finding.code: finding.count for finding in report.of_level("error")}
    assert errors == {
        "unknown-entry": 1, "duplicate-document-id": 1, "bad-document": 1, "bad-json": 2, "duplicate-question-id": 1,
        "bad-split": 1, "bad-tags": 1, "span-outside-text": 1, "quote-mismatch": 1, "unknown-document": 2,
        "quote-not-found": 1,
    }  # fmt: skip
    assert found(report, "unanswerable").where == ("none",)  # those whose evidence is broken are not
    assert found(report, "untouched-documents").where == ("b",)
    assert (report.ok, report.exit_code, report.figures.n_documents) == (False, 2, 2)
    assert "More of this kind: 1." in found(report, "unknown-document").message
    assert all(finding.message.endswith((".", "?")) for finding in report.findings)


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({"documents/a.txt": b"\0"}, "unreadable"),
        ({}, "unreadable"),
        ({"documents/a.txt": "x", "documents.jsonl": '{"id": "d", "text": "x"}'}, "documents-in-two-places"),
        ({"documents/a.txt": "x", "questions.jsonl": b"\xff"}, "unreadable"),
        ({"documents/a.txt": "x", "questions.jsonl": b""}, "no-questions"),
    ],
)
def test_broken_files_are_findings(make, files: dict, code: str):
    folder = make(files={"questions.jsonl": '{"id": "q", "text": "x", "evidence": [{"document_id": "a"}]}', **files})
    assert found(check(folder), code)


def test_missing_documents_are_one_error_not_one_a_question(make):
    rows = [{"id": str(i), "text": f"{i}?", "evidence": [{"document_id": "a"}]} for i in range(30)]
    report = check(make(questions=rows, files={}))
    assert [finding.code for finding in report.findings] == ["unreadable"]


def test_many_cases_are_counted_and_the_first_twenty_named(tmp_path: Path):
    finding = found(written(tmp_path, [Question(str(i), f"{i * 7919} what?") for i in range(1234)]), "unanswerable")
    assert (finding.count, len(finding.where)) == (1234, 20)
    assert "1,234" in finding.message


def test_what_is_no_dataset_is_refused(tmp_path: Path, refused):
    assert "it is empty" in refused(check, tmp_path)
    assert "There is no folder" in refused(check, tmp_path / "x")
