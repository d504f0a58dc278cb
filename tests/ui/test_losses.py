"""Where evidence was lost: the waterfall adds up, each bar leads to its questions, the Question page says it too."""

from __future__ import annotations

import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pipelines import api
from pipelines.pipeline import Pipeline
from tests.ui.conftest import HOSTILE, Open, evaluate, told, upload
from workbench.loss_charts import Step, differences, side_by_side, waterfall

LOSSY: dict[str, Any] = {"chunk": {"use": "fixed", "size": 64}, "retrieve": {"use": "bm25", "min_score": 1000.0}}


def _lossy(dataset: str, name: str | None = None) -> str:
    return api.evaluate(Pipeline.parse(LOSSY), api.open_dataset(dataset), split="dev", name=name).run.id


def _chart(app: AppTest) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(app.get("plotly_chart")[0].proto.spec)
    return found


def test_the_bars_lead_from_all_evidence_to_the_recall_of_the_run(open_page: Open) -> None:
    run = _lossy(upload())
    app = open_page("runs", run=run, view="Lost evidence", cut="recall@5")
    assert not app.exception and not app.error
    bars = _chart(app)["data"]
    lost = [bar["x"][0] for bar in bars[1:-1]]
    recall = api.run(run).measured("recall@5")
    assert recall is not None and recall.mean is not None
    assert bars[0]["x"] == [1.0]
    assert bars[-1]["x"] == [pytest.approx(recall.mean)]
    assert 1 - sum(lost) == pytest.approx(recall.mean)
    assert [bar["base"][0] for bar in bars[1:-1]] == pytest.approx([1 - sum(lost[: i + 1]) for i in range(len(lost))])


def test_behind_a_bar_stand_its_questions_with_the_knob_to_turn(open_page: Open) -> None:
    run = _lossy(upload())
    found = api.losses(run)
    worst = max(found.waterfall(), key=lambda bar: bar.mean or 0.0)
    app = open_page("runs", run=run, view="Lost evidence", cut="recall@5")
    assert app.selectbox(key="runs/stage").value == worst.stage
    assert "stage" not in app.query_params  # the way back leads to the page before, not to this one
    assert list(app.dataframe[0].value["question"]) == [q.question_id for q in found.questions(worst.stage)]
    assert str(worst.advice) in told(app).replace("\\", "")
    app.selectbox(key="runs/stage").set_value("any stage").run()
    assert list(app.dataframe[0].value["question"]) == [q.question_id for q in found.questions()]


def test_a_run_that_loses_nothing_says_so(open_page: Open) -> None:
    run = evaluate(upload(), 256, "dev")
    app = open_page("runs", run=run, view="Lost evidence", cut="recall@20")
    assert not app.exception and not app.error
    assert "No evidence is lost at this cut." in told(app)


def test_questions_without_evidence_have_nothing_to_lose(open_page: Open) -> None:
    run = evaluate(upload(), 64, "test")
    app = open_page("runs", run=run, view="Lost evidence")
    assert not app.exception and not app.error
    assert "so none can be lost" in told(app)


def test_the_question_page_says_which_stage_lost_each_piece(open_page: Open) -> None:
    name = upload()
    lossy, whole = _lossy(name), evaluate(name, 256, "dev")
    lost = next(q for q in api.losses(lossy, "recall@5").questions() if q.question_id in ("q1", "q2"))
    app = open_page("question", run=[lossy, whole], question=lost.question_id, cut="recall@5")
    assert not app.exception and not app.error
    badges = [one.value for one in app.markdown if "badge" in one.value]
    assert any(lost.evidence[0].sentence() in badge.replace("\\", "") for badge in badges)
    assert any("handed on" in badge for badge in badges)
    app.selectbox(key="question/cut").set_value("recall@20").run()
    assert app.query_params["cut"] == "recall@20"


def test_hostile_text_stays_text(open_page: Open) -> None:
    name = upload(extra=HOSTILE)
    run = _lossy(name, HOSTILE)
    for app in (open_page("runs", run=run, view="Lost evidence"), open_page("question", run=run, question="q1")):
        assert not app.exception
        for element in (*app.markdown, *app.caption, *app.warning, *app.info, *app.success):
            assert "<img" not in element.value.replace("\\<img", "")


def test_the_figures_hold_what_they_are_given() -> None:
    steps = [Step("filter", "removed by the filter", 0.25, 0.1, 0.4, 3), Step("cut", "below k", 0.0, 0.0, 0.0, 0)]
    figure = waterfall(steps, 0.75, "recall@5")
    assert [bar.x[0] for bar in figure.data] == [1.0, 0.25, 0.0, 0.75]
    assert [bar.base[0] for bar in figure.data[1:3]] == [0.75, 0.75]
    both = side_by_side({"<b>a</b>": steps, "b": steps[:1]})
    assert [len(trace.x) for trace in both.data] == [2, 1]
    assert both.data[0].name == "&lt;b&gt;a&lt;/b&gt;"
    changed = differences([("below k", 0.1, 0.05, 0.2, "more"), ("filter", -0.1, -0.3, 0.1, "not shown")])
    assert [trace.marker.color for trace in changed.data][1] == "#ffffff"


def test_a_comparison_tells_where_the_difference_comes_from(open_page: Open) -> None:
    name = upload()
    lossy, whole = _lossy(name), evaluate(name, 256, "dev")
    app = open_page("compare", baseline=lossy, other=whole, view="Lost evidence", cut="recall@5")
    assert not app.exception and not app.error
    rows = app.dataframe[0].value
    recalls = [api.run(one).measured("recall@5") for one in (whole, lossy)]
    difference = recalls[0].mean - recalls[1].mean  # type: ignore[union-attr, operator]
    assert -rows["difference"].sum() == pytest.approx(difference)
    assert f"recall@5 differs by {difference:+.3f}" in told(app)
    assert len(app.get("plotly_chart")) == 2


def test_unjudged_chunks_are_counted_and_lead_to_judging(open_page: Open) -> None:
    run = evaluate(upload(), 64, "dev")
    found = api.label_holes(run)
    app = open_page("runs", run=run, view="Label holes")
    assert not app.exception and not app.error
    assert f"{found.n_unjudged:,}" in told(app)
    shares = app.dataframe[0].value
    assert list(shares["mean"].dropna()) == pytest.approx([one.mean for one in found.shares if one.mean is not None])
    bounds = app.dataframe[1].value.set_index("metric")
    assert bounds["high"]["hit@5"] >= bounds["mean"]["hit@5"] >= bounds["low"]["hit@5"]


def test_what_filter_and_extraction_find_is_told(open_page: Open) -> None:
    name = upload()
    settings = {**LOSSY, "extract": "dates"}
    plain_run = evaluate(name, 64, "dev")
    app = open_page("runs", run=plain_run, view="Metadata")
    assert not app.exception and not app.error
    assert "has no filter" in told(app)
    assert "extracts nothing" in told(app)
    run = api.evaluate(Pipeline.parse(settings), api.open_dataset(name), split="dev").run.id
    app = open_page("runs", run=run, view="Metadata")
    app.button(key="extraction.go").click().run()
    assert not app.exception and not app.error
    found = api.extraction_report(Pipeline.parse(settings), api.open_dataset(name))
    assert len(app.dataframe) == (1 if found.fields else 0)
