"""Gold on files: found by its quote in every parsing, or lost and said; and what a check tells of the files."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.mixed_files import encrypted_pdf
from benchmarks.reports import AnnualReport, annual_report
from pipelines.component import build
from pipelines.errors import DatasetError
from pipelines.golden.check import check
from pipelines.golden.dataset import Dataset
from pipelines.golden.loading import LoadRow, load_report
from pipelines.records import PAGE, Evidence, Gold, Question
from pipelines.stages.load import Loader

N_PAGES = 8


@pytest.fixture(scope="module")
def report() -> AnnualReport:
    return annual_report(N_PAGES)


def loader(use: str = "auto", **knobs: object) -> Loader:
    found = build("load", {"use": use, **knobs}, "auto", "test")
    assert isinstance(found, Loader)
    return found


def evidence(*items: dict[str, object]) -> list[dict[str, object]]:
    return [{"id": f"q{i}", "text": f"What {i}?", "evidence": [item]} for i, item in enumerate(items)]


@pytest.mark.parametrize(
    "knobs",
    [
        {},
        {"drop_running_heads": "never"},
        {"join_hyphens": "never", "tidy_white_space": "never", "plain_ligatures": "never"},
    ],
)
def test_each_quote_is_found_on_its_page_in_every_parsing(make, report: AnnualReport, knobs: dict[str, object]):
    rows = evidence(*({"document_id": "report", "quote": fact, "page": page} for page, fact in report.facts))
    dataset = Dataset.open(make(files={"documents/report.pdf": report.data}, questions=rows))
    chosen = loader(**knobs)
    documents = dataset.documents(chosen)
    for question, (page, fact) in zip(dataset.resolved(loader=chosen), report.facts, strict=True):
        (item,) = question.evidence
        assert item.start is not None and item.end is not None
        assert " ".join(documents.texts[0][item.start : item.end].split()) == fact
        (first, last, _) = documents.marks[PAGE].of_document(0)[page - 1]
        assert first <= item.start < item.end <= last
    assert Gold.of(dataset.resolved(loader=chosen), documents).located is None


def test_what_a_parsing_lost_is_unlocated_and_said(make, report: AnnualReport):
    rows = evidence(
        {"document_id": "report", "quote": report.facts[0][1]},
        {"document_id": "report", "quote": "Nobody ever wrote this sentence.", "start": 3, "end": 35},
        {"document_id": "closed", "quote": "Nobody may read this."},
        {"document_id": "closed"},
        {"document_id": "report"},
    )
    files = {"documents/report.pdf": report.data, "documents/closed.pdf": encrypted_pdf()}
    dataset = Dataset.open(make(files=files, questions=rows))
    documents, resolved = dataset.documents(), dataset.resolved()
    assert documents.ids == ("report",)
    assert resolved[1].evidence == (Evidence("report", quote="Nobody ever wrote this sentence."),)
    gold = Gold.of(resolved, documents)
    assert gold.located is not None
    assert gold.located.tolist() == [True, False, False, False, True]
    (note,) = dataset.resolution(dataset.questions, documents).notes()
    assert note.startswith("3 of 5 pieces of evidence are not in the parsed text")
    found = {finding.code: finding for finding in check(dataset).findings}
    assert found["evidence-not-in-parsed-text"].count == 3
    assert found["unread-files"].count == 1
    assert "encrypted" in found["unread-files"].message
    assert check(dataset).ok


def test_a_span_beside_a_quote_is_kept_where_it_holds_and_mended_where_not(make, report: AnnualReport):
    fact = report.facts[0][1]
    rows = evidence({"document_id": "report", "quote": fact, "start": 5, "end": 9})
    dataset = Dataset.open(make(files={"documents/report.pdf": report.data}, questions=rows))
    (item,) = dataset.resolved()[0].evidence
    assert item.start is not None and item.start > 9
    again = Question("q", "?", evidence=(item,))
    assert dataset.resolution([again], dataset.documents()).questions == (again,)


def test_a_span_without_a_quote_fits_one_parsing_only(make, refused, report: AnnualReport):
    rows = evidence({"document_id": "report", "start": 5, "end": 9})
    dataset = Dataset.open(make(files={"documents/report.pdf": report.data}, questions=rows))
    message = refused(dataset.validate)
    assert "has a span and no quote" in message
    assert "give the quote" in message


def test_an_unknown_document_is_still_an_error(make, refused, report: AnnualReport):
    rows = evidence({"document_id": "../../etc/passwd", "quote": "root"})
    dataset = Dataset.open(make(files={"documents/report.pdf": report.data}, questions=rows))
    assert "which is not there" in refused(dataset.validate)


def test_a_quote_that_stands_twice_is_told(make):
    text = "Profit rose.\n\nAnd once more: profit rose. Profit rose."
    page = f"<html><body><p>{text}</p></body></html>"
    rows = evidence({"document_id": "a", "quote": "Profit rose."})
    dataset = Dataset.open(make(files={"documents/a.html": page}, questions=rows))
    (note,) = dataset.resolution(dataset.questions, dataset.documents()).notes()
    assert "1 of 1 quotes stand more than once" in note
    assert dataset.resolved()[0].evidence[0].start == 0
    assert "ambiguous-quotes" in {finding.code for finding in check(dataset).findings}


def test_gold_of_a_sheet_holds_row_by_row_and_the_other_way_round(make):
    table = "name,said\nAda,the first programmer of all\nAlan,the second one of them\n"
    rows = evidence(
        {"document_id": "people", "quote": "the second one of them"},
        {"document_id": "people/1", "quote": "the first programmer of all"},
    )
    dataset = Dataset.open(make(files={"documents/people.csv": table}, questions=rows))
    for sheets, ids in (("sheet", ["people", "people"]), ("row", ["people/2", "people/1"])):
        chosen = loader(sheets=sheets)
        documents = dataset.documents(chosen)
        items = [question.evidence[0] for question in dataset.resolved(loader=chosen)]
        assert [item.document_id for item in items] == ids
        for item in items:
            text = documents.texts[documents.position[item.document_id]]
            assert text[item.start : item.end] == item.quote


def test_gold_of_a_duplicate_is_that_of_the_document_that_stays(make):
    page = "<html><body><p>The harbour was built in the year 1874 by the town.</p></body></html>"
    rows = evidence({"document_id": "b", "quote": "in the year 1874"}, {"document_id": "b"})
    dataset = Dataset.open(make(files={"documents/a.html": page, "documents/b.html": page}, questions=rows))
    chosen = loader(duplicates="exact")
    documents, loaded = dataset.load(chosen)
    assert documents.ids == ("a",)
    assert "'b' is the same as 'a'" in loaded.notes[0][1]
    first, second = (question.evidence[0] for question in dataset.resolved(loader=chosen))
    assert documents.texts[0][first.start : first.end] == "in the year 1874"
    assert second == Evidence("a")


def test_given_text_that_is_cleaned_is_a_parsing_too(make):
    rows = evidence({"document_id": "a", "quote": "docu-\nment", "start": 2, "end": 12})
    dataset = Dataset.open(make(files={"documents/a.txt": "A docu-\nment."}, questions=rows))
    assert dataset.resolved()[0].evidence[0].start == 2
    cleaned = loader(join_hyphens="always")
    assert dataset.resolved(loader=cleaned)[0].evidence == (Evidence("a", 2, 10, "document"),)


def test_rows_that_are_cleaned_are_a_parsing_too(make):
    rows = evidence({"document_id": "a", "quote": "docu-\nment", "start": 2, "end": 12})
    dataset = Dataset.open(make(documents=[{"id": "a", "text": "A docu-\nment."}], questions=rows))
    assert dataset.resolved()[0].evidence[0].end == 12
    cleaned = loader(join_hyphens="always")
    assert dataset.documents(cleaned).texts == ("A document.",)
    assert dataset.resolved(loader=cleaned)[0].evidence == (Evidence("a", 2, 10, "document"),)


def test_the_report_lists_what_was_left_out_and_what_is_to_know(make, report: AnnualReport):
    files = {"documents/report.pdf": report.data, "documents/closed.pdf": encrypted_pdf(), "documents/b.bin": b"x"}
    files["documents/c.txt"] = "Über größere Gebühren wird beraten. ".encode("latin-1") * 9
    dataset = Dataset.open(make(files=files, questions=[]))
    found = load_report(dataset)
    assert (found.n_files, found.n_documents, found.n_left_out) == (4, 2, 2)
    assert [(row.file, row.kind) for row in found.rows] == [
        ("documents/b.bin", "left out"), ("documents/closed.pdf", "left out"), ("documents/c.txt", "note"),
    ]  # fmt: skip
    assert all(isinstance(row, LoadRow) and row.why.endswith(".") for row in found.rows)


@pytest.mark.parametrize("page", [0, -1, 1.5, "3", True])
def test_a_page_is_a_whole_number_from_one(make, refused, page: object):
    rows = evidence({"document_id": "rain", "quote": "second day", "page": page})
    assert "'page' is" in refused(Dataset.open, make(questions=rows))


def test_uploaded_files_are_kept_as_they_are(tmp_path: Path, report: AnnualReport):
    from pipelines.golden.upload import from_uploads

    table = "question,answer,document_id,quote\n" + "".join(
        f'What of {page}?,,report.pdf,"{fact}"\n' for page, fact in report.facts
    )
    table += 'And?,,report.pdf,"This is not in it at all, I fear."\n'
    files = [("some/report.pdf", report.data), ("notes.txt", b"Some notes.")]
    done = from_uploads("Report", files, table.encode(), None, tmp_path)
    assert (done.n_documents, done.n_questions, done.problems) == (2, N_PAGES + 1, ())
    assert any("counts as missed" in notice for notice in done.notices)
    dataset = Dataset.open(done.dataset_path)
    assert (done.dataset_path / "documents" / "report.pdf").read_bytes() == report.data
    documents = dataset.documents()
    assert PAGE in documents.marks
    located = Gold.of(dataset.resolved(), documents).located
    assert located is not None
    assert located.tolist() == [True] * N_PAGES + [False]


def test_an_upload_that_cannot_be_read_is_refused(tmp_path: Path):
    from pipelines.golden.upload import from_uploads

    with pytest.raises(DatasetError, match=r"^a\.pdf is an encrypted PDF file"):
        from_uploads("x", [("a.pdf", encrypted_pdf())], None, None, tmp_path)
    assert list(tmp_path.iterdir()) == []
