"""The what-if page: a changed knob, what it does, what cannot be done on the spot, and keeping it as one job."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pipelines import api
from pipelines.settings import cache_folder
from pipelines.whatif import forget_all
from tests.ui.conftest import HOSTILE, Open, evaluate, told, upload


@pytest.fixture(autouse=True)
def _none_open() -> None:
    forget_all()


def _knob(run: str, knob: str, drawn: int = 0) -> str:
    return f"what_if.{run}.{drawn}.{knob}"


def _said(app: AppTest) -> str:
    return told(app).replace("\\", "").replace("\u2060", "")


def _table(app: AppTest) -> dict[str, dict[str, str]]:
    frame = app.dataframe[0].value
    return {row["metric"]: row for row in frame.to_dict("records")}


def _nothing_scores(app: AppTest, run: str) -> AppTest:
    return app.number_input(key=_knob(run, "retrieve.bm25.min_score")).set_value(1000.0).run()


# What is seen --------------------------------------------------------------------------------------------------------


def test_without_a_run_it_says_what_to_do(open_page: Open) -> None:
    app = open_page("what_if")
    assert not app.exception and not app.error
    assert len(app.info) == 1


def test_the_runs_own_settings_change_nothing_and_cannot_be_kept_again(open_page: Open) -> None:
    app = open_page("what_if", run=evaluate(upload()))
    assert not app.exception and not app.error and not app.warning
    assert {row["difference"] for row in _table(app).values()} <= {"0.000", "0"}
    assert _table(app)["recall@5"]["n"] == 2  # three questions, of which one cannot be answered
    assert app.button(key="what_if/keep").disabled
    assert len(api.recent_jobs()) == 0


def test_a_changed_knob_changes_the_table_and_the_link(open_page: Open) -> None:
    run = evaluate(upload())
    app = _nothing_scores(open_page("what_if", run=run), run)
    row = _table(app)["recall@5"]
    assert (row["was"], row["now"], row["difference"]) == ("1.000", "0.000", "-1.000")
    assert row["outcomes"] == "0 / 0 / 2"
    assert "Nothing at all is found for 3 of 3 questions, where it was 1." in _said(app)
    assert "2,000 resamples" in _said(app)
    assert json.loads(app.query_params["retrieve"]) == {"min_score": 1000.0}
    assert len(api.runs(()).rows) == 1


def test_the_link_opens_the_same_view_again(open_page: Open) -> None:
    run = evaluate(upload())
    app = open_page("what_if", run=run, retrieve='{"min_score":1000.0}', k="3", on="hit@3", outcome="Worse")
    assert _table(app)["recall@3"]["now"] == "0.000"
    assert list(app.dataframe[1].value["question"]) == ["q1", "q2"]
    assert list(app.dataframe[1].value["difference"]) == [-1.0, -1.0]
    assert app.query_params["on"] == "hit@3"


def test_k_is_the_cut_off_that_is_shown_also_one_that_the_run_has_not(open_page: Open) -> None:
    run = evaluate(upload())
    app = open_page("what_if", run=run)
    app.slider(key="what_if/k").set_value(7).run()
    assert "recall@7" in _table(app)
    assert app.query_params["k"] == "7"


def test_back_to_the_runs_settings(open_page: Open) -> None:
    run = evaluate(upload())
    app = _nothing_scores(open_page("what_if", run=run), run)
    app.button(key="what_if/back").click().run()
    assert _table(app)["recall@5"]["difference"] == "0.000"
    assert "retrieve" not in app.query_params
    assert app.number_input(key=_knob(run, "retrieve.bm25.min_score", 1)).value is None


def test_another_run_begins_with_its_own_settings(open_page: Open) -> None:
    name = upload()
    first, second = evaluate(name), evaluate(name, 128)
    app = _nothing_scores(open_page("what_if", run=first), first)
    app.selectbox(key="what_if/run").set_value(second).run()
    assert _table(app)["recall@5"]["difference"] == "0.000"
    assert "retrieve" not in app.query_params


def test_what_was_tried_is_there_again_after_another_page(open_page: Open) -> None:
    name = upload()
    run = evaluate(name)
    evaluate(name, 128)
    app = _nothing_scores(open_page("what_if", run=run), run)
    app.query_params.clear()
    app.switch_page("views/runs.py").run()
    app.query_params.clear()
    app.switch_page("views/what_if.py").run()
    assert app.query_params["run"] == run
    assert _table(app)["recall@5"]["now"] == "0.000"
    assert json.loads(app.query_params["retrieve"]) == {"min_score": 1000.0}


def test_numbers_with_two_near_ends_are_sliders(open_page: Open) -> None:
    run = evaluate(upload())
    app = open_page("what_if", run=run)
    assert {slider.key for slider in app.slider} >= {
        "what_if/k", _knob(run, "retrieve.bm25.k1"), _knob(run, "retrieve.bm25.b")
    }  # fmt: skip
    app.slider(key=_knob(run, "retrieve.bm25.b")).set_value(0.1).run()
    assert json.loads(app.query_params["retrieve"]) == {"b": 0.1}


# What cannot be shown ------------------------------------------------------------------------------------------------


def test_what_would_have_to_run_is_named_and_can_be_run(open_page: Open) -> None:
    run = evaluate(upload())
    app = open_page("what_if", run=run)
    app.selectbox(key=_knob(run, "retrieve.use")).set_value("dense").run()
    assert not app.exception and not app.error
    assert "embed would have to run" in _said(app)
    app.button(key="what_if/keep").click().run()
    assert api.job(app.query_params["job"]).payload["pipeline"]["retrieve"]["use"] == "dense"


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("{yaer: 2023}", "which no document has"),
        ("{year: ", "not well-formed"),
        ("{year: {$about: 3}}", "unknown operator"),
    ],
)
def test_a_filter_that_is_none_is_one_sentence(where: str, said: str, open_page: Open) -> None:
    run = evaluate(upload())
    app = open_page("what_if", run=run)
    app.selectbox(key=_knob(run, "filter.use")).set_value("where").run()
    app.text_area(key=_knob(run, "filter.where.where")).set_value(where).run()
    assert not app.exception
    assert len(app.error) == 1
    assert said in _said(app)
    assert app.button(key="what_if/keep").disabled


def test_a_number_out_of_bounds_is_one_sentence_and_cannot_be_kept(open_page: Open) -> None:
    run = evaluate(upload())
    app = open_page("what_if", run=run)
    app.number_input(key=_knob(run, "retrieve.bm25.depth")).set_value(0).run()
    assert len(app.error) == 1
    assert "depth must be" in _said(app)
    assert app.button(key="what_if/keep").disabled


@pytest.mark.parametrize("asked", ["{", "5", '{"use":"nothing"}', '{"b":9}', HOSTILE])
def test_a_link_that_holds_no_settings_is_one_sentence(asked: str, open_page: Open) -> None:
    app = open_page("what_if", run=evaluate(upload()), retrieve=asked)
    assert not app.exception and not app.error
    assert len(app.warning) == 1
    assert _table(app)["recall@5"]["difference"] == "0.000"


@pytest.mark.parametrize("k", ["0", "-3", "x", "99999", "5"])
def test_any_k_of_a_link_is_taken_or_left(k: str, open_page: Open) -> None:
    app = open_page("what_if", run=evaluate(upload()), k=k)
    assert not app.exception and not app.error
    assert 1 <= int(app.query_params["k"]) <= 20


def test_a_wrong_link_is_one_sentence(open_page: Open) -> None:
    evaluate(upload())
    app = open_page("what_if", run="nowhere")
    assert not app.exception
    assert len([*app.error, *app.warning]) == 1
    assert "nowhere" in _said(app)


def test_a_dataset_changed_since_is_one_sentence(open_page: Open, home: Path) -> None:
    name = upload()
    run = evaluate(name)
    (home / "datasets" / name / "dataset.yaml").write_text("name: small\ndescription: changed\n")
    app = open_page("what_if", run=run)
    assert not app.exception
    assert len(app.error) == 1
    assert "was changed after run" in _said(app)


def test_a_dataset_that_is_gone_is_one_sentence(open_page: Open, home: Path) -> None:
    name = upload()
    run = evaluate(name)
    shutil.rmtree(home / "datasets" / name)
    app = open_page("what_if", run=run)
    assert not app.exception
    assert len(app.error) == 1
    assert "cannot be opened" in _said(app)


def test_outputs_that_are_gone_can_be_computed_again_by_one_job(open_page: Open) -> None:
    run = evaluate(upload())
    shutil.rmtree(cache_folder())
    app = open_page("what_if", run=run)
    assert not app.exception
    assert "not in the store any more" in _said(app)
    for _ in range(3):
        app.button(key="what_if/again").click().run()
    assert [job.id for job in api.recent_jobs()] == [app.query_params["job"]]


@pytest.mark.parametrize("split", ["dev", None])
def test_hostile_text_is_never_markdown(split: str | None, open_page: Open) -> None:
    name = upload(f"Bad {HOSTILE}", HOSTILE)
    run = evaluate(name, 64, split, name=HOSTILE)
    app = _nothing_scores(open_page("what_if", run=run), run)
    assert not app.exception and not app.error
    for element in (*app.markdown, *app.caption, *app.error, *app.warning, *app.info, *app.success, *app.subheader):
        assert not re.search(r"(?<!\\)(!\[p\]|<img|<script|\[link\])", element.value)


def test_a_name_of_ten_thousand_characters_breaks_nothing(open_page: Open) -> None:
    app = open_page("what_if", run=evaluate(upload("n" * 10_000), name="r" * 10_000))
    assert not app.exception and not app.error


# Keeping -------------------------------------------------------------------------------------------------------------


def test_five_clicks_keep_one_run_and_the_link_holds_its_job(open_page: Open) -> None:
    run = evaluate(upload(), split="dev")
    app = _nothing_scores(open_page("what_if", run=run), run)
    for _ in range(5):
        app.button(key="what_if/keep").click().run()
    assert not app.exception and not app.error
    jobs = api.recent_jobs()
    assert [job.id for job in jobs] == [app.query_params["job"]]
    assert jobs[0].payload["split"] == "dev"
    assert jobs[0].payload["pipeline"]["retrieve"]["min_score"] == 1000.0
    assert _table(app)["recall@5"]["now"] == "0.000"


def test_the_progress_can_be_closed(open_page: Open) -> None:
    run = evaluate(upload(), split="dev")
    app = _nothing_scores(open_page("what_if", run=run), run)
    app.button(key="what_if/keep").click().run()
    assert any(text.value.startswith("fixed 64") for text in app.text)
    app.button(key="what_if/close").click().run()
    assert "job" not in app.query_params
    assert _table(app)["recall@5"]["now"] == "0.000"


def test_the_run_page_leads_here(open_page: Open) -> None:
    run = evaluate(upload())
    links = [link.proto for link in open_page("runs", run=run).get("page_link")]
    assert [link.query_string for link in links if link.page.endswith("what_if")] == [f"run={run}"]
