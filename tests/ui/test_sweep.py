"""The sweep page: a space from declarations alone, an estimate, one job, its progress, and what it found."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pipelines import api
from pipelines.catalog import Knob, all_components, knobs
from pipelines.errors import ConfigurationError
from pipelines.pipeline import Pipeline
from pipelines.runs.database import Database
from pipelines.runs.jobs import Jobs
from pipelines.settings import database_url
from pipelines.worker import Worker
from tests.ui.conftest import HOSTILE, Open, evaluate, told, upload
from workbench.parts import sweep_values, sweep_words

SPACE: Mapping[str, Any] = {"chunk": [{"use": "fixed", "size": [32, 64]}], "retrieve": [{"use": "bm25", "k1": [1, 2]}]}
SEARCH = {"objectives": ["ndcg@10"]}


@pytest.fixture(autouse=True)
def no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sweeps are carried out by the test itself, when it says so."""
    monkeypatch.setattr("pipelines.runs.spawn.ensure_worker", lambda *_: None)


def submit(dataset: str, name: str = "small sweep", **values: Any) -> api.SweepView:
    """Enter a sweep of four BM25 configurations; nothing of it is done yet."""
    spec = api.SweepSpec.parse({**SPACE, "search": SEARCH, **values})
    found = api.sweep_of_job(api.run_sweep(spec, api.open_dataset(dataset), split="dev", name=name).id)
    assert found is not None
    return found


def work() -> None:
    """Do what waits."""
    Worker(Database(database_url()), 0.01).run()


def done(dataset: str, name: str = "small sweep", **values: Any) -> api.SweepView:
    view = submit(dataset, name, **values)
    work()
    return api.sweep(view.sweep.id)


def errors(app: AppTest) -> list[str]:
    return [one.value.replace("\\", "").replace("\u2060", "") for one in app.error]


def words(app: AppTest) -> str:
    """Return everything that the page says, Markdown unescaped."""
    return told(app).replace("\\", "").replace("\u2060", "")


def new(open_page: Open, **query: str | list[str]) -> AppTest:
    return open_page("sweep", new="yes", **query)


def link(values: Mapping[str, Any]) -> str:
    return json.dumps(values)


def drawn(app: AppTest) -> set[str]:
    kinds = (app.text_input, app.multiselect, app.text_area, app.number_input, *(app.get("button_group"),))
    return {str(widget.key) for kind in kinds for widget in kind}


# What a knob may be


@pytest.mark.parametrize(
    ("described", "written", "expected"),
    [
        ({"type": "integer"}, "128, 256; 512", [128, 256, 512]),
        ({"type": "integer"}, "64", 64),
        ({"type": "integer"}, "16 to 64", {"from": 16, "to": 64}),
        ({"type": "integer"}, "16 to 64 step 16", {"from": 16, "to": 64, "step": 16}),
        ({"type": "number"}, "0.1, .5,1", [0.1, 0.5, 1.0]),
        ({"type": "number"}, "0.01 to 1 log", {"from": 0.01, "to": 1.0, "log": True}),
        ({"type": "number"}, "-0.5 to 1e2", {"from": -0.5, "to": 100.0}),
        ({"anyOf": [{"type": "number"}, {"type": "null"}]}, "none, 0.3", [None, 0.3]),
        ({"anyOf": [{"type": "number"}, {"type": "null"}]}, " ", None),
    ],
)
def test_numbers_are_read_as_they_are_written(described: dict[str, Any], written: str, expected: object) -> None:
    found = sweep_values.read_numbers(Knob("n", "", None, False, described), written)
    assert found == expected
    assert sweep_values.read_numbers(Knob("n", "", None, False, described), sweep_values.written_out(found)) == found


@pytest.mark.parametrize("written", ["", "a", "1.5", "1, two", "1 2", "none", "1 to", "nan", "1e3", "<b>"])
def test_what_is_no_whole_number_is_one_sentence(written: str) -> None:
    with pytest.raises(ConfigurationError, match="'n' holds"):
        sweep_values.read_numbers(Knob("n", "", 1, False, {"type": "integer"}), written)


def test_conditions_are_read_one_a_line_or_one_over_several() -> None:
    knob = Knob("where", "", {}, False, {"type": "object"})
    assert sweep_values.read_mappings(knob, "{year: 2023}\n{region: North}") == [{"year": 2023}, {"region": "North"}]
    assert sweep_values.read_mappings(knob, "year: 2023\nregion: North") == {"year": 2023, "region": "North"}
    assert sweep_values.read_mappings(knob, "") == {}


def _allowed(knob: Knob) -> Any:
    """Return a value that a required knob takes."""
    examples = knob.schema.get("examples", ())
    named: dict[str, Any] = {"where": {}, "endpoint": "http://127.0.0.1:9/v1", "terms": {"ARR": ["recurring revenue"]}}
    return next(iter(examples), named.get(knob.name, "some-model"))


def _deciding(declared: Sequence[Knob]) -> dict[str, Any]:
    """Return all values of the knobs that decide whether others apply."""
    names = {name for knob in declared for name in knob.when}
    return {knob.name: list(knob.choices) for knob in declared if knob.name in names}


def _given(knob: Knob) -> object:
    return {} if knob.name == "where" else next(iter(knob.schema.get("examples", ())), "some-model")


@pytest.mark.parametrize("stage", [name for name, found in all_components().items() if len(found) > 1])
def test_every_knob_of_every_component_is_drawn(stage: str, open_page: Open) -> None:
    upload()
    declared = {name: knobs(component) for name, component in all_components()[stage].items()}
    given = [
        {"use": name, **{knob.name: _allowed(knob) for knob in found if knob.required}, **_deciding(found)}
        for name, found in declared.items()
    ]
    app = new(open_page, spec=link({stage: given}))
    assert not app.exception
    keys = {key.split(".", 3)[3].removesuffix(".use") for key in drawn(app) if key.startswith("sweep.form.")}
    assert {f"{stage}.{name}.{knob.name}" for name, found in declared.items() for knob in found} <= keys


def _trained(**knobs: Any) -> str:
    return link({"embed": [{"use": "finetuned", **knobs}]})


def test_a_knob_is_drawn_where_it_applies_for_any_value_that_is_tried(open_page: Open) -> None:
    upload()
    app = new(open_page, spec=_trained(method="adapter"))
    adapter = {key.rsplit(".", 1)[1] for key in drawn(app) if ".embed.finetuned." in key}
    assert "adapter_side" in adapter
    assert not adapter & {"epochs", "lora_rank"}
    app = new(open_page, spec=_trained(method=["adapter", "lora"]))
    both = {key.rsplit(".", 1)[1] for key in drawn(app) if ".embed.finetuned." in key}
    assert {"adapter_side", "epochs", "lora_rank"} <= both


def test_values_of_a_knob_that_applies_no_more_are_not_tried(open_page: Open) -> None:
    upload()
    app = new(open_page, spec=_trained(method="lora", lora_rank=[4, 8]))
    assert "2 configurations" in words(app)
    method = next(one for one in app.get("button_group") if str(one.key).endswith(".embed.finetuned.method"))
    method.set_value(["adapter"]).run()
    assert "1 configuration" in words(app)
    assert "lora_rank" not in app.query_params["spec"]


# A new sweep


def _size(app: AppTest, written: str) -> AppTest:
    box = next(one for one in app.text_input if str(one.key).endswith(".chunk.recursive.size"))
    return box.set_value(written).run()


def test_without_a_dataset_it_says_what_to_do(open_page: Open) -> None:
    app = new(open_page)
    assert not app.exception
    assert "there is none yet" in app.info[0].value
    assert not app.button


def test_a_dataset_without_questions_is_said_and_cannot_be_run(open_page: Open) -> None:
    api.upload_dataset("bare", [("a.txt", b"The sky is blue.")], None, None)
    app = new(open_page)
    assert "has no questions yet" in words(app)
    assert not app.error
    assert app.button(key="sweep.run").disabled


def test_nothing_varies_is_allowed_and_said(open_page: Open) -> None:
    upload()
    app = new(open_page)
    assert "1 configuration: nothing varies yet" in words(app)
    assert not app.button(key="sweep.run").disabled


def test_several_values_make_several_configurations_and_stay_in_the_link(open_page: Open) -> None:
    upload()
    app = _size(new(open_page), "64, 128, 256")
    assert "3 configurations." in words(app)
    spec = json.loads(app.query_params["spec"])
    assert spec["chunk"] == [{"use": "recursive", "size": [64, 128, 256]}]
    assert "3 configurations." in words(new(open_page, spec=link(spec)))


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("5", "size must be 16 to 8192 tokens, but got 5"),
        ("128, two", "'size' holds 'two'; write whole numbers with commas between them"),
        ("", "'size' holds nothing"),
        ("64, 64", "names 64 twice"),
    ],
)
def test_a_value_that_is_not_allowed_is_said_once_and_cannot_be_run(written: str, said: str, open_page: Open) -> None:
    upload()
    app = _size(new(open_page), written)
    assert not app.exception
    assert [said in one for one in errors(app)] == [True]
    assert app.button(key="sweep.run").disabled
    assert app.button(key="sweep.estimate").disabled


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"retrieve": [{"use": "hybrid", "alpha": {"from": 0.1, "to": 0.9}}], "search": {"strategy": "random"}}, None),
        ({"search": {"objectives": ["latency_ms_p50", "ndcg@10"]}}, "which is one number a run"),
        ({"search": {"objectives": ["context_tokens@5"], "race": True}}, "context_tokens@5"),
    ],
)
def test_a_search_that_cannot_be_carried_out_is_said(values: dict[str, Any], said: str | None, open_page: Open) -> None:
    upload()
    app = new(open_page, spec=link(values))
    assert not app.exception
    assert app.button(key="sweep.run").disabled == (said is not None)
    assert [str(said) in one for one in errors(app)] == ([True] if said else [])


def test_an_infinite_grid_is_said(open_page: Open) -> None:
    upload()
    values = {"retrieve": [{"use": "hybrid", "alpha": {"from": 0.1, "to": 0.9}}], "search": {"strategy": "random"}}
    app = new(open_page, spec=link(values))
    assert "drawn from infinitely many" in words(app)
    box = next(one for one in app.selectbox if str(one.key).endswith(".strategy"))
    box.select("grid").run()
    assert "infinitely many values" in app.error[0].value
    assert app.button(key="sweep.run").disabled


def test_a_grid_too_large_is_said(open_page: Open) -> None:
    upload()
    app = new(open_page, spec=link({"chunk": [{"use": "fixed"}]}))
    box = next(one for one in app.text_input if str(one.key).endswith(".chunk.fixed.size"))
    box.set_value("16 to 8000").run()
    box = next(one for one in app.text_input if str(one.key).endswith(".chunk.fixed.overlap"))
    app = box.set_value("0 to 0.9 step 0.01").run()
    assert "more than the 100,000" in words(app).replace("\\", "")
    assert len(app.error) == 1


@pytest.mark.parametrize("spec", ["{", "[]", '{"chunk": "nowhere"}', '{"chnk": "fixed"}', '{"search": {"race": 3}}'])
def test_a_link_that_cannot_be_read_is_one_sentence_and_the_defaults(spec: str, open_page: Open) -> None:
    upload()
    app = new(open_page, spec=spec)
    assert not app.exception
    assert len([*app.error, *app.warning]) == 1
    assert "1 configuration: nothing varies" in words(app)


def test_what_the_forms_cannot_show_is_run_as_it_is(open_page: Open) -> None:
    upload()
    twice = {"chunk": [{"use": "fixed", "size": 32}, {"use": "fixed", "size": 64, "overlap": 0.2}]}
    app = new(open_page, spec=link(twice))
    assert "run as it is" in words(app)
    assert "2 configurations." in words(app)
    app.button(key="sweep.run").click().run()
    assert api.recent_jobs()[0].payload["sweep"]["chunk"] == twice["chunk"]


def test_the_file_is_what_the_command_line_reads(open_page: Open) -> None:
    upload()
    app = _size(new(open_page), "64, 128")
    spec = api.read_sweep("sweep.yaml", app.code[0].value.encode())
    assert spec.settings()["chunk"] == [{"use": "recursive", "size": [64, 128]}]


def test_an_estimate_tells_executions_seconds_and_disk(open_page: Open) -> None:
    upload()
    app = new(open_page, spec=link(SPACE))
    assert not app.dataframe
    app.button(key="sweep.estimate").click().run()
    assert not app.error
    table = app.dataframe[0].value
    # Two chunkings; each is searched with two k1, and every ranking is scored.
    assert dict(zip(table["stage"], table["n"], strict=True)).items() >= {"chunk": 2, "retrieve": 4, "score": 4}.items()
    assert "4 configurations" in words(app)
    assert "USD" in words(app)
    assert "needed" in words(app)
    assert "not measured" in words(app)


def test_an_estimate_is_of_the_sweep_as_it_was(open_page: Open) -> None:
    upload()
    app = new(open_page)
    app.button(key="sweep.estimate").click().run()
    app = _size(app, "64, 128")
    assert "was changed since it was estimated" in words(app)
    assert not app.dataframe


def test_an_estimate_that_fails_is_one_sentence(open_page: Open, home: Path) -> None:
    name = upload()
    app = new(open_page, spec=link(SPACE))
    (home / "cache").write_text("in the way")
    app.button(key="sweep.estimate").click().run()
    assert not app.exception
    assert len(app.error) == 1
    assert name in app.selectbox(key="sweep.new/dataset").options


def test_a_full_disk_is_warned_of(open_page: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    upload()
    app = new(open_page, spec=link(SPACE))
    monkeypatch.setattr("pipelines.sweeps.estimate.shutil.disk_usage", lambda _: shutil._ntuple_diskusage(9, 9, 0))
    app.button(key="sweep.estimate").click().run()
    assert "The disk is short" in app.warning[0].value


def test_three_clicks_in_two_tabs_make_one_job(open_page: Open) -> None:
    upload()
    for _ in range(2):
        app = new(open_page, spec=link(SPACE))
        for _ in range(3):
            if any(button.key == "sweep.run" for button in app.button):
                app.button(key="sweep.run").click().run()
    assert not app.exception
    assert len(api.recent_jobs()) == 1
    assert app.query_params["sweep"] == api.sweeps()[0].sweep.id


# A sweep that waits, runs, stands still, or ended without a result


def test_the_sweeps_are_listed_with_state_counts_and_the_best(open_page: Open) -> None:
    name = upload()
    done(name, "first"), submit(name, "second")
    table = open_page("sweep").dataframe[0].value
    assert list(table["name"]) == ["second", "first"]
    assert list(table["state"]) == ["waiting", "finished"]
    assert list(table["finished"]) == [0, 4]
    assert re.fullmatch(r"ndcg@10 \d\.\d{3} \(n 2\)", table["best"][1])


def test_a_sweep_that_waits_shows_its_progress_from_any_session(open_page: Open) -> None:
    view = submit(upload())
    for app in (open_page("sweep", sweep=view.sweep.id), open_page("sweep", job=view.job.id)):
        assert not app.exception
        assert not app.error
        assert app.query_params["sweep"] == view.sweep.id
        assert app.button(key=f"sweep.Pause.{view.job.id}")
        assert "small sweep on small" in app.sidebar.get("page_link")[-1].proto.label


def test_progress_tells_configurations_and_the_expected_end(open_page: Open) -> None:
    view = submit(upload())
    jobs = Jobs(Database(database_url()))
    claimed = jobs.claim("elsewhere:1:1")
    assert claimed is not None
    progress = {"stage": "score", "trials_done": 1, "trials_total": 4, "pieces_done": 9, "pieces_total": 12}
    jobs.beat(view.job.id, "elsewhere:1:1", {**progress, "eta_s": 90.0})
    app = open_page("sweep", sweep=view.sweep.id)
    text = app.get("progress")[0].proto.text.replace("\\", "")
    assert "1 of 4 configurations · score · " in text
    assert "in 1 min 30 s" in text
    assert app.get("progress")[0].proto.value == 75  # 9 of 12 pieces
    assert "running, ends" in open_page("sweep").dataframe[0].value["state"][0]
    assert "1 of 4 · ends " in app.sidebar.get("page_link")[-1].proto.label.replace("\\", "")


def test_a_sampler_is_expected_to_go_on_as_it_began(open_page: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    search = {"strategy": "random", "trials": 12, "objectives": ["ndcg@10"]}
    view = submit(upload(), chunk=[{"use": "fixed", "size": {"from": 16, "to": 64}}], search=search)
    jobs = Jobs(Database(database_url()))
    jobs.claim("elsewhere:1:1")
    jobs.beat(view.job.id, "elsewhere:1:1", {"trials_done": 2, "trials_total": 4, "eta_s": 30.0})
    job = api.job(view.job.id)
    monkeypatch.setattr("workbench.parts.sweep_words.time.time", lambda: (job.started or 0.0) + 50)
    assert sweep_words.planned(job) == 12
    # 4 rows take 50 s + 30 s, so the 8 that are not proposed yet take 160 s more.
    assert sweep_words.left_s(job) == pytest.approx(30 + 160)
    assert sweep_words.share_done(job) == pytest.approx(2 / 12)


def test_pause_resume_and_cancel(open_page: Open) -> None:
    view = submit(upload())
    app = open_page("sweep", sweep=view.sweep.id)
    app = app.button(key=f"sweep.Pause.{view.job.id}").click().run()
    assert api.job(view.job.id).state == "paused"
    assert "Resume goes on from there" in words(open_page("sweep", sweep=view.sweep.id))
    app = open_page("sweep", sweep=view.sweep.id)
    app.button(key=f"sweep.Resume.{view.job.id}").click().run()
    assert api.job(view.job.id).state == "queued"
    app = open_page("sweep", sweep=view.sweep.id)
    app.button(key=f"sweep.Cancel.{view.job.id}").click().run()
    assert api.job(view.job.id).state == "cancelled"
    app = open_page("sweep", sweep=view.sweep.id)
    assert "What was finished is kept" in words(app)
    assert not app.error
    app.button(key=f"sweep.again.{view.job.id}").click().run()
    assert len(api.sweeps()) == 2


def test_a_failed_sweep_is_one_sentence_with_its_log(open_page: Open, home: Path) -> None:
    name = upload()
    view = submit(name)
    (home / "datasets" / name / "dataset.yaml").write_text("name: small\ndescription: changed\n")
    work()
    app = open_page("sweep", sweep=view.sweep.id)
    assert not app.exception
    assert api.job(view.job.id).state == "failed"
    assert errors(app) == [api.job(view.job.id).error]


def test_a_sweep_of_which_every_configuration_failed_says_why(open_page: Open) -> None:
    view = done(upload(), chunk=[{"use": "fixed", "size": 64}], embed=[
        {"use": "sentence-transformer", "model": ["no/such-model", "nor/this-one"]}], retrieve="dense")  # fmt: skip
    assert view.counts == {"failed": 2}
    app = open_page("sweep", sweep=view.sweep.id)
    assert not app.exception
    assert len(app.warning) == 1
    assert "No configuration could be evaluated" in words(app)
    table = open_page("sweep", sweep=view.sweep.id, view="Configurations").dataframe[0].value
    assert list(table.columns[:4]) == ["number", "state", "reason", "embed.model"]
    assert all("no/such-model" in reason or "nor/this-one" in reason for reason in table["reason"])


def test_a_sweep_that_does_not_exist_is_one_sentence(open_page: Open) -> None:
    upload()
    for query in ({"sweep": "nowhere"}, {"job": "nowhere"}, {"new": "yes", "from": "nowhere"}):
        app = open_page("sweep", **query)
        assert not app.exception
        assert [("nowhere" in one.value) for one in app.error] == [True]


# A finished sweep


def test_findings_say_the_selection_first_with_dev_beside_test(open_page: Open) -> None:
    view = done(upload())
    report = view.sweep.report or {}
    app = open_page("sweep", sweep=view.sweep.id)
    assert not app.exception
    assert not app.error
    assert report["selection"]["sentence"] in app.markdown[0].value.replace("\\", "").replace("\u2060", "")
    chosen = app.dataframe[0].value
    assert chosen.columns[1] == str(report["selection"]["winner"])
    assert list(chosen["figure"][1:4]) == ["ndcg@10, chosen on dev", "ndcg@10, reported on test", "dev minus test"]
    assert chosen.iloc[1, 1].endswith("(n 2)")
    assert all("(n 2)" in cell for cell in chosen.iloc[4:, 1] if "tokens" in cell)
    charts = [json.loads(one.proto.spec) for one in app.get("plotly_chart")]
    assert any("Pareto front" in str(trace.get("name")) for trace in charts[0]["data"])
    assert len(charts[1]["data"][0]["x"]) == len(report["effects"])


def test_all_configurations_are_in_the_table_and_in_the_file(open_page: Open) -> None:
    view = done(upload())
    app = open_page("sweep", sweep=view.sweep.id, view="Configurations")
    shown = app.dataframe[0].value
    file = app.get("download_button")[-1]
    assert file.proto.label == "Download CSV"
    assert len(shown) == 4
    assert list(shown.columns[:4]) == ["number", "standing", "state", "ndcg@10"]
    assert shown.columns[4] == "ndcg@10 n"
    assert shown["number"][0] == (view.sweep.report or {})["selection"]["winner"]
    assert not [name for name in shown.columns if name.startswith("usd")]
    assert (
        "ndcg@10 low"
        in open_page("sweep", sweep=view.sweep.id, view="Configurations", intervals="yes").dataframe[0].value
    )
    assert app.query_params["view"] == "Configurations"


def test_configurations_are_filtered_and_ordered_by_the_link(open_page: Open) -> None:
    view = done(upload())
    query = {"sweep": view.sweep.id, "view": "Configurations"}
    assert list(open_page("sweep", **query, order="number").dataframe[0].value["number"]) == [0, 1, 2, 3]
    tokens = list(open_page("sweep", **query, order="context_tokens@10").dataframe[0].value["context_tokens@10"])
    assert tokens == sorted(tokens)
    assert len(open_page("sweep", **query, find="fixed 32").dataframe[0].value) == 2
    assert "No configuration is among these" in words(open_page("sweep", **query, which="Dropped or failed"))


def test_a_run_that_was_deleted_since_is_said(open_page: Open) -> None:
    view = done(upload())
    winner = (view.sweep.report or {})["selection"]["winner"]
    with Database(database_url()).writing() as connection:
        run_id = next(trial.run_id for trial in view.trials if trial.number == winner)
        connection.exec_driver_sql("DELETE FROM run WHERE id = ?", (run_id,))
    app = open_page("sweep", sweep=view.sweep.id)
    assert not app.exception
    assert "its run was deleted since" in words(app)
    assert not open_page("sweep", sweep=view.sweep.id, view="Configurations").exception


def test_a_dataset_changed_since_is_said_and_the_findings_stay(open_page: Open, home: Path) -> None:
    name = upload()
    view = done(name)
    (home / "datasets" / name / "dataset.yaml").write_text("name: small\ndescription: changed\n")
    app = open_page("sweep", sweep=view.sweep.id)
    assert "was changed after this sweep" in words(app)
    assert app.dataframe
    shutil.rmtree(home / "datasets" / name)
    app = open_page("sweep", sweep=view.sweep.id)
    assert "is gone" in words(app)
    assert app.dataframe
    app.button(key=f"sweep.again.{view.job.id}").click().run()
    assert not app.exception
    assert len(app.error) == 1


def test_the_same_sweep_asked_for_later_is_found_and_can_be_run_again(
    open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload()
    app = new(open_page, spec=link(SPACE))
    app.button(key="sweep.run").click().run()
    work()
    monkeypatch.setattr("workbench.parts.sweep_plan._A_WHILE_S", 0.0)
    app = new(open_page, spec=link(SPACE))
    app = app.button(key="sweep.run").click().run()
    assert "was run on the same questions before" in words(app)
    job = api.sweeps()[0].job.id
    app.button(key=f"sweep.again.{job}").click().run()
    assert len(api.sweeps()) == 2


def test_change_it_fills_the_forms_with_what_was_asked(open_page: Open) -> None:
    view = done(upload())
    app = new(open_page, **{"from": view.sweep.id})
    boxes = {str(one.key).split(".", 3)[3]: one.value for one in app.text_input if "form" in str(one.key)}
    assert boxes["chunk.fixed.size"] == "32, 64"
    assert boxes["name"] == "small sweep"
    assert app.selectbox(key="sweep.new/split").value == "dev"
    assert "4 configurations." in words(app)


def test_a_run_is_a_beginning(open_page: Open) -> None:
    app = new(open_page, run=evaluate(upload(), 96, "dev"))
    boxes = {str(one.key).split(".", 3)[3]: one.value for one in app.text_input if "form" in str(one.key)}
    assert boxes["chunk.fixed.size"] == "96"
    assert "1 configuration: nothing varies yet" in words(app)


def test_a_run_that_is_paused_can_be_resumed(open_page: Open) -> None:
    job = api.submit(Pipeline.parse({"retrieve": "bm25"}), api.open_dataset(upload()), split="dev")
    api.pause(job.id)
    app = open_page("builder", job=job.id)
    assert not app.error
    app.button(key=f"resume.{job.id}").click().run()
    assert api.job(job.id).state == "queued"


def test_a_sweep_by_a_sampler_shows_its_importance(open_page: Open) -> None:
    search = {"strategy": "tpe", "trials": 6, "objectives": ["ndcg@10", "context_tokens@5"]}
    view = done(upload(), chunk=[{"use": "fixed", "size": {"from": 16, "to": 64}}], search=search)
    app = open_page("sweep", sweep=view.sweep.id)
    assert not app.exception
    assert not app.error
    assert "main effects need a grid" in words(app)


def test_dropped_rows_say_why(open_page: Open) -> None:
    view = done(upload())
    with Database(database_url()).writing() as connection:
        connection.exec_driver_sql(
            "UPDATE trial SET state = 'dropped', run_id = NULL, reason = 'surely not the best', n_questions = 1 "
            "WHERE sweep_id = ? AND number = 3", (view.sweep.id,))  # fmt: skip
    app = open_page("sweep", sweep=view.sweep.id, view="Configurations", which="Dropped or failed")
    assert list(app.dataframe[0].value["reason"]) == ["surely not the best"]
    assert list(app.dataframe[0].value["questions"]) == [1]


def test_hostile_names_and_values_are_never_markdown(open_page: Open) -> None:
    name = upload(f"Bad {HOSTILE}", HOSTILE)
    view = done(name, HOSTILE, filter=[{"use": "where", "where": [{"<b>bold</b>": "<img src=x>"}, {}]}])
    one = {"sweep": view.sweep.id}
    views = ({**one, "view": "Configurations"}, {**one, "view": "What was asked"})
    for query in ({}, one, *views, {"new": "yes", "from": view.sweep.id}):
        app = open_page("sweep", **query)
        assert not app.exception
        for element in (*app.markdown, *app.caption, *app.error, *app.warning, *app.info, *app.header, *app.subheader):
            assert not re.search(r"(?<!\\)(!\[p\]|<img|<script|<b>|\[link\])", element.value)
        for chart in app.get("plotly_chart"):
            assert "<img" not in chart.proto.spec.replace("\\u003c", "<")


def test_a_name_of_ten_thousand_characters_breaks_nothing(open_page: Open) -> None:
    view = done(upload("n" * 10_000), "s" * 10_000)
    for query in ({}, {"sweep": view.sweep.id}):
        app = open_page("sweep", **query)
        assert not app.exception
        assert not app.error


def test_the_file_holds_the_rows_disarmed() -> None:
    view = done(upload(), "risky", filter=[{"use": "where", "where": [{"=1+1": "x"}, {}]}])
    rows = list(csv.DictReader(io.StringIO(api.sweep_table(view).to_csv())))
    assert len(rows) == 8
    assert not [cell for row in rows for cell in row.values() if cell.startswith(("=", "@", "+"))]


def test_a_draft_is_there_again_after_another_page(open_page: Open) -> None:
    upload()
    app = _size(new(open_page), "64, 128")
    app.query_params.clear()
    app.switch_page("views/runs.py").run()
    app.switch_page("views/sweep.py")
    app.query_params["new"] = "yes"
    app.run()
    assert not app.exception
    assert "2 configurations." in words(app)
    next(one for one in app.button if one.label == "Start over").click().run()
    assert "nothing varies yet" in words(app)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"chunk": "fixed", "retrieve": "bm25"}, "Nothing else was ranked"),
        ({"search": {**SEARCH, "race": True}}, "has the best"),
        ({"search": {"objectives": ["recall@5", "context_tokens@5", "latency_ms_p50"]}}, "has the best"),
        ({"search": {**SEARCH, "report_on": "train"}}, "has the best"),
    ],
)
def test_other_sweeps_have_findings_too(values: dict[str, Any], said: str, open_page: Open) -> None:
    view = done(upload(), **values)
    for shown in ("Findings", "Configurations", "What was asked"):
        app = open_page("sweep", sweep=view.sweep.id, view=shown)
        assert not app.exception
        assert not app.error
        assert shown != "Findings" or said in words(app)
