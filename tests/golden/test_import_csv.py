"""The csv importer: tables as people save them, texts beside them, and every mistake with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.golden.dataset import Dataset
from pipelines.golden.importers import ImportReport, import_dataset
from pipelines.records import Evidence, Question

HEAD = "question,answer,document_id,quote\n"
FIRST = "On the ﬁrst day it rained.\r\nOn the second day it rained."


@pytest.fixture
def source(tmp_path: Path):
    def make(table: str | bytes, texts: dict[str, str | bytes] | None = None, name: str = "questions.csv") -> Path:
        folder = tmp_path / "src"
        for file, content in {
            name: table,
            **(texts or {"texts/rain.txt": FIRST, "texts/sun.md": "The sun shone."}),
        }.items():
            path = folder / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return folder

    return make


@pytest.fixture
def imported(tmp_path: Path, source):
    def run(*args: object, **kwargs: object) -> tuple[ImportReport, Dataset]:
        report = import_dataset("csv", source(*args, **kwargs), tmp_path / "out")
        dataset = Dataset.open(report.dataset_path)
        dataset.validate()
        return report, dataset

    return run


def test_each_kind_of_evidence(imported):
    rows = "When?,day one,rain,first day\nWhere?,,sun.md,\nWhy?,none,,\n"
    report, dataset = imported(HEAD + rows + "Both?,x,rain.txt,second day\nBoth?,,texts/sun,sun\n")
    assert report.exit_code == 0
    assert dataset.documents().ids == ("rain", "sun")
    assert dataset.documents().texts[0] == FIRST
    assert dataset.questions == (
        Question("q0001", "When?", "day one", evidence=(Evidence("rain", 7, 15, "ﬁrst day"),)),
        Question("q0002", "Where?", evidence=(Evidence("sun"),)),
        Question("q0003", "Why?", "none"),
        Question(
            "q0004", "Both?", "x", evidence=(Evidence("rain", 35, 45, "second day"), Evidence("sun", 4, 7, "sun"))
        ),
    )
    assert "white space and typography" in report.notices[0]
    assert report.summary().startswith("Imported 'out': 2 documents, 4 questions and 4 pieces of evidence")


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("start", ["", "\ufeff", "sep=DELIMITER\n", "\n"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_tables_as_programs_save_them(imported, delimiter: str, start: str, newline: str):
    header = delimiter.join(["ID", " Question ", "Answer", "document_id", "QUOTE", "split", "tags"])
    row = delimiter.join(["7", '"One; two,\nthree ""four"""', "", "rain", "second day", "Dev", '"a; b,a"'])
    table = start.replace("DELIMITER", delimiter) + header + "\n" + row + "\n\n"
    _, dataset = imported(table.replace("\n", newline))
    (question,) = dataset.questions
    assert question.text == f'One; two,{newline}three "four"'
    assert (question.id, question.split, question.tags) == ("7", "dev", ("a", "b"))


def test_a_file_that_cannot_be_read_is_listed_and_the_rest_is_taken(imported):
    report, dataset = imported(HEAD + "When?,,a,one\n", {"a.txt": "day one", "b.txt": b"\0", "c.pdf": "none"})
    assert [problem.message[:12] for problem in report.problems] == ["src/b.txt is", "src/c.pdf is"]
    assert (report.n_questions, dataset.documents().ids) == (1, ("a",))


def test_a_table_without_questions_is_no_obstacle_beside_a_broken_file(imported):
    report, _ = imported(HEAD, {"a.txt": "day one", "c.pdf": "none"})
    assert (report.n_documents, report.n_questions, len(report.problems)) == (1, 0, 1)


def test_a_table_may_be_named_itself_and_lie_among_the_texts(tmp_path: Path, source):
    folder = source(HEAD + "When?,,a,x\n", {"a.txt": "x", "b.xyz": "%PDF", "other.csv": "1"})
    report = import_dataset("csv", folder / "questions.csv", tmp_path / "out", name="Named")
    assert (report.n_documents, report.name) == (1, "Named")
    assert "b.xyz, other.csv" in report.notices[0]


def test_a_folder_called_documents_is_preferred(imported):
    _, dataset = imported(
        HEAD + "When?,,a/b,x\n", {"documents/a/b.txt": "x", "documents/c.txt": "y", "readme.txt": "no"}
    )
    assert dataset.documents().ids == ("a/b", "c")


def test_a_quote_that_is_not_found_is_reported_and_the_rest_imported(imported):
    rows = "When?,,rain,third  day it rained\nBoth?,,rain,second day\nBoth?,,sun,the moon\nNot there?,,snow,x\n"
    report, dataset = imported(HEAD + rows)
    assert [question.id for question in dataset.questions] == ["q0002"]
    assert len(dataset.questions[0].evidence) == 1
    assert [problem.question_id for problem in report.problems] == ["q0001", "q0002", "q0003"]
    assert "day it rained" in report.problems[0].nearest
    assert report.left_out == ("q0001", "q0003")
    assert "so it is left out" in report.problems[0].message
    assert "so it is left out" not in report.problems[1].message
    assert "names the document 'snow', which is not there; there are rain, sun" in report.problems[2].message
    assert report.exit_code == 2
    assert "3 could not be imported" in report.summary()
    assert "Questions left out: 2." in report.summary()


def test_an_ambiguous_quote_takes_the_first_and_says_so(imported):
    report, dataset = imported(HEAD + "When?,,rain,it rained\n")
    assert dataset.questions[0].evidence[0].start == FIRST.index("it rained")
    assert "occurs 2 times, and the first is taken" in report.notices[0]
    assert report.exit_code == 0


def test_rows_that_contradict_each_other_are_reported(imported):
    head = "id,question,answer,document_id,quote,split\n"
    rows = (
        "1,When?,,rain,second day,dev\n1,,more,sun,sun,test\n1,Other?,,sun,sun,\n,,,sun,sun,\n2,Why?,,,shone,\n"
        "3,Who?,,sun,The sun,dev,surplus\n4,How?\n5,What?,,sun,sun,tets\n"
    )
    report, dataset = imported(head + rows)
    said = [problem.message for problem in report.problems]
    expected = [
        "line 3: the split is test, but the same question was in dev",
        "line 4: the id '1' is already that of another question, 'When?'",
        "line 5: it has no question",
        "line 7: it has 7 cells, not 6",
        "line 8: it has 2 cells, not 6",
        "line 9: 'split' is 'tets'",
        "comes without a document",
    ]
    assert len(said) == len(expected)
    for message, part in zip(said, expected, strict=True):
        assert part in message
    assert [(q.id, q.answer, q.split, len(q.evidence)) for q in dataset.questions] == [
        ("1", "more", "dev", 2),
        ("5", None, None, 1),
    ]
    assert report.left_out == ("2",)


def test_hostile_cells_are_text(imported):
    nasty = '=HYPERLINK("http://evil") <script>alert(1)</script> ![x](http://evil/x.png) \u202e +1'
    cell = '"' + nasty.replace('"', '""') + '"'
    _, dataset = imported(f"{HEAD}{cell},{cell},rain,{cell}\n", {"texts/rain.txt": f"a {nasty} b"})
    assert dataset.questions[0] == Question(
        "q0001", nasty, nasty, evidence=(Evidence("rain", 2, 2 + len(nasty), nasty),)
    )


def test_a_cell_may_be_large(imported):
    text = "word " * 100_000
    _, dataset = imported(f"{HEAD}When?,,rain,{text}x\n", {"texts/rain.txt": text + "x"})
    assert dataset.questions[0].evidence[0].end == 500_001


def test_no_path_of_a_table_is_ever_read(imported):
    report, _ = imported(HEAD + "Good?,,rain,second day\nWhen?,,../../../../etc/passwd,root\n")
    assert "names the document '../../../../etc/passwd', which is not there" in report.problems[0].message


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("question,answer,document,quote\n", "has no column 'document_id'; it has question, answer, document, quote"),
        ("question;answer;document_id\n", "has no column 'quote'; it has question, answer, document_id"),
        ("", "has no column 'question'; it has no columns"),
        ("question,answer,document_id,quote,quote\n", "2 columns called 'quote'"),
        (HEAD + 'When?,"open,rain,x\n', "see that every quotation mark closes"),
        (HEAD + 'When?,"a"b,rain,x\n', "see that every quotation mark closes"),
        (b"PK\x03\x04\x00\x00", "is a binary file"),
        ("question,answer,document_id,quote\nÜ?,,rain,x".encode("latin-1"), "is not UTF-8 text (byte 0xdc"),
        (HEAD + "When?,,rain,nowhere\n", "None of the questions could be imported, so nothing was written."),
    ],
)
def test_a_table_that_cannot_be_read_is_refused(tmp_path: Path, source, refused, table: str | bytes, said: str):
    assert said in refused(import_dataset, "csv", source(table), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_sources_that_are_none(tmp_path: Path, source, refused):
    def run(src: Path) -> str:
        return refused(import_dataset, "csv", src, tmp_path / "out")

    assert "There is no folder" in run(tmp_path / "nowhere")
    assert "has no" not in run(tmp_path / "nowhere.csv")
    folder = source(HEAD, {"texts/a.txt": b"\0"})
    assert "a.txt is a binary file" in run(folder)
    (folder / "more.csv").write_text("x")
    assert "holds 2 CSV files (it holds more.csv, questions.csv, texts)" in run(folder)
    (tmp_path / "empty").mkdir()
    assert "holds no CSV file (it is empty)" in run(tmp_path / "empty")
    (tmp_path / "empty" / "q.csv").write_text(HEAD)
    assert "holds no text files" in run(tmp_path / "empty")
