"""Forms from declarations alone, and running what they make, once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pipelines import api
from pipelines.catalog import STAGES, Knob, all_components, knobs
from pipelines.knobs import applies
from pipelines.pipeline import Pipeline
from tests.ui.conftest import Open, evaluate, upload
from workbench import declared, forms

BM25 = {"chunk": {"use": "fixed", "size": 64}, "retrieve": "bm25"}


def _widgets(app: AppTest) -> list[Any]:
    kinds = (
        app.number_input,
        app.selectbox,
        app.toggle,
        app.text_input,
        app.text_area,
        app.multiselect,
        app.date_input,
    )
    return [widget for kind in kinds for widget in kind]


def _choose(app: AppTest, stage: str, component: str) -> AppTest:
    return app.selectbox(key=f"build.0.{stage}.use").select(component).run()


@pytest.mark.parametrize("stage", [stage.name for stage in STAGES])
def test_every_knob_of_every_component_is_drawn(stage: str, open_page: Open) -> None:
    app = open_page("builder")
    if not any(box.key == f"build.0.{stage}.use" for box in app.selectbox):
        return
    for name, component in all_components()[stage].items():
        declared = knobs(component)
        _choose(app, stage, name)
        drawn = {widget.key.removesuffix(".use") for widget in _widgets(app)}
        usual = [knob.name for knob in declared if applies(component, knob.name, {})]
        assert {f"build.0.{stage}.{name}.{knob}" for knob in usual} <= drawn
        assert not app.exception
        assert bool(app.error) == any(knob.required for knob in declared), name


def test_a_stage_a_row_in_the_catalogues_order(open_page: Open) -> None:
    keys = [
        box.key for box in open_page("builder").selectbox if box.key.startswith("build.0.") and box.key.endswith(".use")
    ]
    order = [stage.name for stage in STAGES]
    assert [key.split(".")[2] for key in keys] == [name for name in order if f"build.0.{name}.use" in keys]


def test_the_file_follows_the_form(open_page: Open) -> None:
    app = _choose(open_page("builder"), "chunk", "fixed")
    app.number_input(key="build.0.chunk.fixed.size").set_value(128).run()
    assert "use: fixed\n  size: 128" in app.code[0].value


def test_a_number_out_of_bounds_is_told_and_cannot_be_run(open_page: Open) -> None:
    upload()
    app = open_page("builder")
    app.number_input(key="build.0.chunk.recursive.size").set_value(5).run()
    assert "size must be 16 to 8192 tokens, but got 5" in app.error[0].value.replace("\\", "")
    assert not app.code
    assert all(button.disabled for button in app.button if button.label == "Run")


def test_text_that_is_no_list_of_numbers_is_told_beside_the_form(open_page: Open) -> None:
    app = open_page("builder")
    app.text_input(key="build.0.score.standard.cutoffs").set_value("1, two").run()
    assert "whole numbers" in app.error[0].value
    assert app.number_input(key="build.0.score.standard.coverage")
    assert not app.code


def test_a_condition_is_read_as_yaml_with_dates_as_text(open_page: Open) -> None:
    app = _choose(open_page("builder"), "filter", "where")
    area = app.text_area(key="build.0.filter.where.where")
    area.set_value("{published: {$gte: 2023-01-31}}").run()
    assert "$gte: '2023-01-31'" in app.code[0].value
    app.text_area(key="build.0.filter.where.where").set_value("{published: ").run()
    assert "not well-formed" in app.error[0].value.replace("\\", "")


@pytest.mark.parametrize(
    ("described", "kind"),
    [
        ({"type": "integer", "minimum": 1, "maximum": 5}, forms._integer),
        ({"type": "number"}, forms._number),
        ({"type": "boolean"}, forms._boolean),
        ({"enum": ["a", "b"]}, forms._choice),
        ({"type": "string"}, forms._text),
        ({"type": "array", "items": {"type": "integer"}}, forms._integers),
        ({"type": "array", "items": {"type": "number"}}, forms._numbers),
        ({"type": "array", "items": {"type": "string"}}, forms._items),
        ({"type": "array", "items": {"enum": ["a", "b"], "type": "string"}}, forms._several),
        ({"type": "array", "items": {"type": "object"}}, forms._mapping),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, forms._integer),
        ({"anyOf": [{"enum": ["a", "b"]}, {"type": "null"}]}, forms._choice),
        ({"const": "only"}, forms._choice),
        ({"anyOf": [{"type": "integer"}, {"const": "auto", "type": "string"}]}, forms._either),
        ({"anyOf": [{"type": "object"}, {"type": "string"}]}, forms._mapping),
        ({"type": "string", "format": "date"}, forms._date),
        ({"anyOf": [{"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$"}, {"type": "null"}]}, forms._date),
        ({"type": "object", "additionalProperties": {"type": "string"}}, forms._terms),
        (
            {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "string"}}},
            forms._terms,
        ),
        ({"type": "object", "additionalProperties": True}, forms._mapping),
        ({"type": "object"}, forms._mapping),
        ({"type": "something new"}, forms._mapping),
    ],
)
def test_a_knob_that_no_component_has_yet_is_drawn_too(described: Mapping[str, Any], kind: object) -> None:
    knob = Knob("new", "What it does", None, False, described)
    assert forms._kind(declared.schema(knob)) is kind


def _submitted(app: AppTest, times: int) -> AppTest:
    for _ in range(times):
        app.button(key="launch.run").click().run()
    return app


def test_five_clicks_make_one_job_and_the_link_holds_it(open_page: Open) -> None:
    upload()
    app = _submitted(_choose(open_page("builder"), "retrieve", "bm25"), 5)
    assert not app.exception
    assert len(api.recent_jobs()) == 1
    assert app.query_params["job"] == api.recent_jobs()[0].id


def test_two_tabs_make_one_job(open_page: Open) -> None:
    upload()
    jobs = [_submitted(_choose(open_page("builder"), "retrieve", "bm25"), 1).query_params["job"] for _ in range(2)]
    assert jobs[0] == jobs[1]


def test_a_link_to_a_job_shows_its_progress_and_its_pipeline(open_page: Open) -> None:
    dataset = api.open_dataset(upload())
    job = api.submit(Pipeline.parse(BM25), dataset, split="dev", name="Mine")
    app = open_page("builder", job=job.id)
    assert not app.error
    assert "size: 64" in app.code[0].value
    assert any(text.value.startswith("Mine") for text in app.text)
    assert app.button(key=f"cancel.{job.id}")


def test_cancel_stops_what_waits(open_page: Open) -> None:
    dataset = api.open_dataset(upload())
    job = api.submit(Pipeline.parse(BM25), dataset)
    app = open_page("builder", job=job.id)
    app.button(key=f"cancel.{job.id}").click().run()
    assert api.job(job.id).state == "cancelled"


def test_the_sidebar_tells_of_jobs_on_any_page(open_page: Open) -> None:
    api.submit(Pipeline.parse(BM25), api.open_dataset(upload()), name="Long work")
    app = open_page("runs")
    assert "1 running or waiting" in [caption.value for caption in app.sidebar.caption]


def test_a_run_is_a_beginning(open_page: Open) -> None:
    app = open_page("builder", run=evaluate(upload(), 96))
    assert "size: 96" in app.code[0].value


def test_an_optional_number_can_be_emptied(open_page: Open) -> None:
    key = "build.0.retrieve.dense.min_score"
    app = open_page("builder")
    assert app.number_input(key=key).value is None
    app.number_input(key=key).set_value(0.25).run()
    assert "min_score: 0.25" in app.code[0].value
    app.number_input(key=key).set_value(None).run()
    assert "min_score: null" in app.code[0].value


def test_a_component_is_chosen_by_reading_about_all(open_page: Open) -> None:
    app = open_page("builder")
    app.button(key="build.0.chunk.use.take.sentence").click().run()
    assert app.selectbox(key="build.0.chunk.use").value == "sentence"
    assert "use: sentence" in app.code[0].value
    assert not any(button.key == "build.0.chunk.use.take.sentence" for button in app.button)


def test_an_extractor_of_several_is_put_together_by_choosing(open_page: Open) -> None:
    app = _choose(open_page("builder"), "extract", "several")
    assert len(app.error) == 1
    key = "build.0.extract.several.extractors"
    app.multiselect(key=f"{key}.use").set_value(["section", "dates"]).run()
    assert not app.error
    app.text_input(key=f"{key}.dates.year_field").set_value("fiscal_year").run()
    pipeline = api.read_pipeline("pipeline.yaml", app.code[0].value.encode())
    extractors = pipeline.settings()["extract"]["extractors"]
    assert [one["use"] for one in extractors] == ["section", "dates"]
    assert extractors[1]["year_field"] == "fiscal_year"


def test_synonyms_are_written_one_term_a_line(open_page: Open) -> None:
    app = _choose(open_page("builder"), "transform", "synonyms")
    area = app.text_area(key="build.0.transform.synonyms.terms")
    area.set_value("ARR: annual recurring revenue, yearly recurring revenue").run()
    assert not app.error
    pipeline = api.read_pipeline("pipeline.yaml", app.code[0].value.encode())
    terms = pipeline.settings()["transform"]["terms"]
    assert terms == {"ARR": ["annual recurring revenue", "yearly recurring revenue"]}
    app.text_area(key="build.0.transform.synonyms.terms").set_value("ARR annual").run()
    assert "line 1" in app.error[0].value


def test_of_many_knobs_those_of_one_kind_are_folded_together(open_page: Open) -> None:
    app = _choose(open_page("builder"), "retrieve", "hybrid")
    labels = [one.label for one in app.expander]
    assert "Recency" in labels
    assert not app.error


def _knobs(app: AppTest, component: str) -> set[str]:
    kinds = (app.selectbox, app.number_input, app.text_input, app.text_area, app.toggle)
    keys = [str(one.key) for kind in kinds for one in kind]
    return {key.rsplit(".", 1)[1] for key in keys if f".{component}." in key}


def test_a_knob_is_drawn_only_where_it_applies(open_page: Open) -> None:
    app = _choose(open_page("builder"), "embed", "finetuned")
    own = "build.0.embed.finetuned"
    assert {"method", "adapter_side", "negatives_each"} <= _knobs(app, "finetuned")
    assert not _knobs(app, "finetuned") & {"epochs", "lora_rank"}
    app.selectbox(key=f"{own}.method").set_value("lora").run()
    assert {"epochs", "lora_rank"} <= _knobs(app, "finetuned")
    assert "adapter_side" not in _knobs(app, "finetuned")
    app.selectbox(key=f"{own}.negatives").set_value("none").run()
    assert "negatives_each" not in _knobs(app, "finetuned")
    assert not app.error


def test_what_was_set_in_a_knob_is_there_again_when_it_applies_again(open_page: Open) -> None:
    app = _choose(open_page("builder"), "embed", "finetuned")
    own = "build.0.embed.finetuned"
    app.number_input(key=f"{own}.adapter_stay").set_value(7.0).run()
    app.selectbox(key=f"{own}.method").set_value("full").run()
    pipeline = api.read_pipeline("pipeline.yaml", app.code[0].value.encode())
    assert pipeline.settings()["embed"]["adapter_stay"] == 1.0
    app.selectbox(key=f"{own}.method").set_value("adapter").run()
    assert app.number_input(key=f"{own}.adapter_stay").value == 7.0
    assert "adapter_stay: 7.0" in app.code[0].value
