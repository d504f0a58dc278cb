"""Base models on the finetune page: asked for, done by one job, shown with every n, and a way to train one."""

from __future__ import annotations

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pipelines import api
from pipelines.finetune.base_columns import columns
from pipelines.finetune.base_models import write_rows
from pipelines.runs.jobs import Job
from tests.ui.conftest import HOSTILE, Open, evaluate, told, upload

METRICS = ("recall@5", "ndcg@10")


def words(app: AppTest) -> str:
    return told(app).replace("\\", "").replace("\u2060", "")


def row(model: str, **values: Any) -> dict[str, Any]:
    """Return a row of a comparison; what is not given is not known."""
    return {**{column.name: None for column in columns(METRICS)}, "reasons": {}, "model": model, **values}


def submitted(dataset: str) -> Job:
    """Enter a comparison; nothing of it is done."""
    return api.compare_models(["minilm", "static"], api.open_dataset(dataset), split="dev", metrics=METRICS)


def finish(job: Job, rows: list[dict[str, Any]]) -> None:
    """Have a comparison be over, with these rows."""
    write_rows(job.id, rows, [f"a note {HOSTILE}"])
    table = api.jobs()
    assert table.claim("worker") is not None
    table.finish(job.id, "worker", job.id)


@pytest.fixture
def compared() -> Job:
    """A comparison of two models of which the second is worse, and of one that could not be compared."""
    job = submitted(upload())
    first = {"recall@5": 0.8, "recall@5 low": 0.7, "recall@5 high": 0.9, "recall@5 n": 2, "parameters": 22_700_000}
    difference = {"recall@5 difference": -0.3, "recall@5 difference low": -0.5, "recall@5 difference high": -0.1}
    memory = {"memory_bytes": 500_000_000, "memory_from": "measured", "texts_per_second": 12.34, "dimensions": 384}
    finish(job, [
        row("minilm", **first, **memory, run=evaluate("small")),
        row("static", **{**first, "recall@5": 0.5}, **difference, **{"recall@5 verdict": "worse"}),
        row(HOSTILE, error=f"it holds pickled weights {HOSTILE}"),
    ])  # fmt: skip
    return job


def test_models_are_compared_by_one_job_however_often_asked(open_page: Open) -> None:
    upload()
    for _ in range(2):
        app = open_page("finetune", view="Base models")
        app.button(key="finetune.compare").click().run()
        assert not app.exception
    (job,) = api.recent_jobs()
    assert job.kind == api.MODELS
    assert job.payload["split"] == "dev"
    assert [one["label"] for one in job.payload["models"]] == ["minilm", "static"]


def test_without_models_or_questions_nothing_can_be_compared(open_page: Open) -> None:
    api.upload_dataset("bare", [("a.txt", b"The sky is blue.")], None, None)
    app = open_page("finetune", view="Base models")
    assert app.button(key="finetune.compare").disabled
    assert "has no questions yet" in words(app)


def test_a_comparison_is_shown_with_every_n_and_in_words(open_page: Open, compared: Job) -> None:
    app = open_page("finetune", models=compared.id)
    assert not app.exception
    table = app.dataframe[0].value
    assert list(table["recall@5"][:2]) == ["0.800 (0.700 to 0.900)", "0.500 (0.700 to 0.900)"]
    assert list(table["recall@5 n"][:2]) == [2, 2]
    assert table["recall@5 difference"][1] == "-0.300 (-0.500 to -0.100)"
    assert table["recall@5 verdict"][1] == "▼ worse"
    assert table["parameters"][0] == "22.7 M"
    assert "pickled weights" in table["error"][2]
    assert "ndcg@10" not in table
    assert not any("![p]" in caption.value.replace("\\!", "") for caption in app.caption)


def test_comparisons_are_listed(open_page: Open, compared: Job) -> None:
    app = open_page("finetune", view="Base models")
    table = app.dataframe[0].value
    assert list(table["models"]) == ["minilm, static"]
    assert list(table["state"]) == ["finished"]


def test_a_waiting_one_can_be_cancelled_and_its_job_leads_to_it(open_page: Open) -> None:
    job = submitted(upload())
    app = open_page("finetune", job=job.id)
    assert app.query_params["models"] == job.id
    app.button(key=f"finetune.Cancel.{job.id}").click().run()
    assert api.job(job.id).state == "cancelled"
    assert "Cancelled" in words(app)


def test_a_link_to_no_comparison_is_one_sentence(open_page: Open) -> None:
    upload()
    app = open_page("finetune", models="nowhere")
    assert not app.exception
    assert len(app.error) == 1
    assert "nowhere" in app.error[0].value
