"""What each page shows of known data, and that its link opens the same view again."""

from __future__ import annotations

import csv
import io
import json
import re

from streamlit.testing.v1 import AppTest

from pipelines import api
from tests.ui.conftest import FOX, Open, evaluate, told, upload


def _figures(app: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


def test_data_counts_and_highlights_the_evidence(open_page: Open) -> None:
    app = open_page("data", dataset=upload())
    assert _figures(app)["Documents"] == "2"
    assert _figures(app)["Questions"] == "3"
    assert _figures(app)["Unanswerable"] == "1"
    assert any(f"<bdi>{FOX}</bdi></mark>" in html.value for html in app.html)


def test_a_search_narrows_questions_and_stays_in_the_link(open_page: Open) -> None:
    app = open_page("data", dataset=upload(), find="moon")
    assert list(app.dataframe[0].value["id"]) == ["q2"]
    assert app.query_params["find"] == "moon"


def test_upload_writes_a_dataset_once(open_page: Open) -> None:
    app = open_page("data")
    app.text_input[0].set_value("mine")
    app.file_uploader[0].set_value([("a.txt", b"The sky is blue.", "text/plain")])
    questions = b"question,answer,document_id,quote\nWhich colour?,blue,a,The sky is blue.\nWhat else?,,a,not there\n"
    app.file_uploader[1].set_value([("q.csv", questions, "text/csv")])
    app.button[0].click().run()
    assert not app.error
    assert [place.name for place in api.datasets()] == ["mine"]
    assert "1 could not be imported" in told(app).replace("\\", "")


def test_runs_are_sorted_as_asked_with_n_beside_every_mean(open_page: Open) -> None:
    name = upload()
    evaluate(name, 32, "dev"), evaluate(name, 512, "dev")
    app = open_page("runs", metric=["recall@1", "precision@1"], sort="precision@1", order="lowest first")
    table = app.dataframe[0].value
    assert list(table.columns[3:7]) == ["recall@1", "recall@1 n", "precision@1", "precision@1 n"]
    assert list(table["precision@1"]) == sorted(table["precision@1"])
    assert app.query_params["sort"] == "precision@1"


def test_intervals_are_shown_when_the_link_says_so(open_page: Open) -> None:
    evaluate(upload(), 64, "dev")
    app = open_page("runs", metric="recall@5", intervals="yes")
    assert {"recall@5 low", "recall@5 high"} <= set(app.dataframe[0].value.columns)


def test_a_run_opens_with_metrics_pipeline_and_versions(open_page: Open) -> None:
    run_id = evaluate(upload(), 64, "dev", name="The run")
    app = open_page("runs", run=run_id)
    assert app.header[0].value == "The run"
    assert _figures(app)["Questions"] == "2"
    assert "size: 64" in app.code[0].value


def test_the_scores_of_a_run_as_a_file_hold_every_question_and_the_versions() -> None:
    run_id = evaluate(upload(), 64, "dev")
    rows = list(csv.DictReader(io.StringIO(api.question_scores(run_id).to_csv())))
    assert [row["question_id"] for row in rows] == ["q1", "q2"]
    assert rows[0]["run"] == run_id
    assert rows[0]["dataset_version"]


def test_compare_tells_the_verdicts_and_keeps_the_choice(open_page: Open) -> None:
    name = upload()
    first, second = evaluate(name, 32, "dev"), evaluate(name, 512, "dev")
    app = open_page("compare", baseline=first, other=second, metric=["precision@1", "recall@1"])
    assert list(app.dataframe[0].value["metric"]) == ["precision@1", "recall@1"]
    assert "precision@1 is" in told(app).replace("\\", "").replace("\u2060", "")
    assert app.query_params["other"] == second


def test_compare_says_how_many_questions_are_scored_and_why_others_are_not(open_page: Open) -> None:
    name = upload()
    first, second = evaluate(name, 32), evaluate(name, 512)
    app = open_page("compare", baseline=first, other=second, metric=["recall@1", "recall@5"])
    said = [c.value.replace("\\", "") for c in app.caption if "2 of 3 questions scored in both runs" in c.value]
    assert len(said) == 1
    assert "1 not scored (" in said[0]
    chart = json.loads(app.get("plotly_chart")[0].proto.spec)
    assert "n 2" in chart["layout"]["yaxis"]["ticktext"][0]
    assert "n 2, 1 not scored" in chart["data"][0]["hovertext"][0]


def test_runs_of_names_cut_alike_are_told_apart_by_letters(open_page: Open) -> None:
    name, long = upload(), "The same long name of an experiment " * 9
    first, second, third = (evaluate(name, size, name=f"{long}{size}") for size in (32, 64, 512))
    app = open_page("compare", baseline=first, other=[second, third], metric="recall@1")
    assert [cell[:4] for cell in app.dataframe[0].value["run_name"]] == ["B · ", "C · "]
    keys = [c.value.replace("\\", "") for c in app.caption if re.match("[A-E] · The same", c.value)]
    assert [text[0] for text in keys[:3]] == ["A", "B", "C"]
    assert keys[0].endswith(f"{first[-6:]} (baseline)")
    assert keys[1].endswith(second[-6:])
    chart = json.loads(app.get("plotly_chart")[0].proto.spec)
    assert [trace["name"][:4] for trace in chart["data"]] == ["A · ", "B · ", "C · "]


def test_runs_on_other_questions_are_not_offered_and_the_reason_is_told(open_page: Open) -> None:
    name = upload()
    first, second, other = evaluate(name, 32, "dev"), evaluate(name, 64, "dev"), evaluate(name, 32, "test")
    app = open_page("compare", baseline=first)
    assert app.multiselect(key="compare/other").value == [second]
    reasons = [table.value for table in app.dataframe if "reason" in table.value.columns]
    assert list(reasons[0]["reason"]) == ["another split, test"]
    assert other not in app.multiselect(key="compare/other").options


def test_questions_are_listed_worst_first(open_page: Open) -> None:
    name = upload()
    first, second = evaluate(name, 32, "dev"), evaluate(name, 512, "dev")
    app = open_page("compare", baseline=first, other=second, view="Questions", on="precision@1", metric="precision@1")
    differences = list(app.dataframe[0].value["difference"])
    assert len(differences) == 2
    assert differences == sorted(differences)


def test_configurations_show_only_what_differs(open_page: Open) -> None:
    name = upload()
    first, second = evaluate(name, 32), evaluate(name, 512)
    app = open_page("compare", baseline=first, other=second, view="Configurations")
    assert list(app.dataframe[0].value["setting"]) == ["chunk.size"]


def test_a_question_in_depth_has_every_run_and_its_evidence(open_page: Open) -> None:
    name = upload()
    runs = [evaluate(name, 32, "dev"), evaluate(name, 512, "dev")]
    app = open_page("question", run=runs, question="q1")
    assert not app.error
    assert len(app.dataframe) == 2
    assert f"✔ {len(FOX)} of {len(FOX)} chars" in set(app.dataframe[1].value["evidence"])
    assert FOX in [text.value for text in app.text]  # the gold itself, found or not
    assert any("first at rank 1" in caption.value for caption in app.caption)
    assert app.query_params["question"] == "q1"


def test_next_goes_to_the_next_question(open_page: Open) -> None:
    run_id = evaluate(upload(), 64, "dev")
    app = open_page("question", run=run_id, question="q1")
    app.button(key="question.Next").click().run()
    assert app.query_params["question"] == "q2"
