"""Judging in a spreadsheet: written without formulas, read with every usual change of a spreadsheet."""

from __future__ import annotations

import csv
import io

import pytest

from pipelines import api
from pipelines.errors import DatasetError


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def table(rows: list[dict[str, str]], delimiter: str = ",") -> str:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(rows[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


@pytest.fixture
def queue(two_runs):
    return api.judging_queue([two_runs.small, two_runs.large], "ada")


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_filled_table_is_read_again(two_runs, queue, delimiter):
    rows = rows_of(api.judging_csv(queue, "ada"))
    assert len(rows) == len(queue.items)
    for row, grade in zip(rows, ("y", "n", "0,5", "3"), strict=False):
        row["grade"] = grade
    rows[0]["quote"], rows[3]["judge"] = rows[0]["passage"][4:20], ""
    filled = api.import_judging(two_runs.dataset, table(rows, delimiter), "filled.csv", "bob")
    assert filled.problems == ()
    assert filled.n_empty == len(rows) - 4
    assert [(one.grade, one.judge) for one in filled.judgments] == [
        (1.0, "ada"),
        (0.0, "ada"),
        (0.5, "ada"),
        (3.0, "bob"),
    ]
    first = filled.judgments[0]
    assert first.span == (first.start + 4, first.start + 20)
    assert len(api.judgments(two_runs.dataset)) == 4


def test_problems_name_their_line_and_the_rest_is_kept(two_runs, queue):
    rows = rows_of(api.judging_csv(queue))[:6]
    for row, changes in zip(rows, ({"grade": "7"}, {"grade": "x"}, {"grade": "1", "question_id": "gone"},
                                   {"grade": "1", "start": "1.5"}, {"grade": "1", "quote": "not there"},
                                   {"grade": "1"}), strict=True):  # fmt: skip
        row |= {"judge": "ada", **changes}
    filled = api.import_judging(two_runs.dataset, table(rows), "filled.csv")
    assert [problem.line for problem in filled.problems] == [2, 3, 4, 5, 6]
    assert len(filled.judgments) == 1


def test_a_judgement_without_any_name_is_a_problem(two_runs, queue):
    rows = rows_of(api.judging_csv(queue))[:1]
    rows[0]["grade"] = "1"
    assert "name" in api.import_judging(two_runs.dataset, table(rows), "filled.csv").problems[0].message


def test_formulas_are_disarmed_and_read_back(write_set, town_rows):
    documents, questions = town_rows
    documents[0]["id"] = "=1+1"
    documents[0]["text"] = "@SUM(A1) the harbour of Arden. " * 3
    for question in questions:
        question["evidence"] = [e for e in question["evidence"] if e["document_id"] != "arden"]
    questions[0] |= {"id": "-danger", "text": "=HYPERLINK the harbour of Arden?"}
    folder = write_set(documents, questions)
    run = api.evaluate(api.Pipeline.parse({"retrieve": {"use": "bm25"}}), api.open_dataset(folder)).run
    text = api.judging_csv(api.judging_queue([run.id], "ada"), "ada")
    rows = rows_of(text)
    assert not [cell for row in rows for cell in row.values() if cell[:1] in "=+-@" and cell]
    own = next(r for r in rows if r["question_id"] == "'-danger" and r["document_id"] == "'=1+1")
    own["grade"] = "y"
    (one,) = api.import_judging(api.open_dataset(folder), table([own]), "filled.csv").judgments
    assert (one.question_id, one.document_id) == ("-danger", "=1+1")


def test_a_table_of_other_documents_or_columns_is_refused(two_runs, queue, sentence):
    rows = rows_of(api.judging_csv(queue, "ada"))[:2]
    rows[1]["documents_version"] = "0" * 32
    for text in (table(rows), "a,b\n1,2\n", ""):
        with pytest.raises(DatasetError) as error:
            api.import_judging(two_runs.dataset, text, "filled.csv")
        sentence(error.value)
    assert api.judgments(two_runs.dataset) == []
