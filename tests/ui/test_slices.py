"""A metric by kinds of questions: on the run's page, and in a comparison with its warnings."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import streamlit as st

from pipelines import api
from tests.ui.conftest import HOSTILE, Open, evaluate, told, upload
from workbench.parts import slice_view

GONE = "against the whole"


def _chart(app: object) -> dict[str, object]:
    found: dict[str, object] = json.loads(app.get("plotly_chart")[0].proto.spec)  # type: ignore[attr-defined]
    return found


def test_a_run_by_its_tags(open_page: Open) -> None:
    run = evaluate(upload())
    app = open_page("runs", run=run, view="Slices", on="recall@5", by="tag")
    assert not app.exception and not app.error
    rows = app.dataframe[0].value
    assert list(rows["value"]) == ["all questions", "animal", "hard", "(no tag)"]
    assert list(rows["n"]) == [2, 1, 0, 1]  # q3 has no evidence and is not scored
    assert "unanswerable" in list(rows["reason"])[2]
    assert app.query_params["view"] == "Slices"


def test_all_ways_at_once_name_the_way(open_page: Open) -> None:
    run = evaluate(upload())
    app = open_page("runs", run=run, view="Slices", on="recall@5", by=slice_view.ALL_WAYS)
    assert "tag" in set(app.dataframe[0].value["by"])
    labels = _chart(app)["layout"]["yaxis"]["ticktext"]  # type: ignore[index]
    assert any(label.startswith("tag: animal") for label in labels)


def test_a_comparison_by_slices_has_the_download_and_the_difference(open_page: Open) -> None:
    name = upload()
    first, second = evaluate(name, 32), evaluate(name, 512)
    app = open_page("compare", baseline=first, other=second, view="Slices", on="precision@1", metric="precision@1")
    assert not app.exception and not app.error
    found = api.slices(second, first, ("precision@1",))
    assert app.dataframe[0].value["difference"][0] == f"{found.whole('precision@1').difference:+.3f}"
    assert any(button.label == "Download CSV" for button in app.get("download_button"))


def test_what_goes_against_the_whole_is_warned_of_first(open_page: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    name = upload()
    first, second = evaluate(name, 32), evaluate(name, 512)
    found = api.slices(second, first, ("precision@1",))
    against = replace(found.rows[0], warning=GONE, verdict="worse", few=False)
    perhaps = replace(found.rows[1], warning=f"perhaps {GONE}")
    monkeypatch.setattr(api, "slices", lambda *_: replace(found, rows=(against, perhaps, *found.rows[2:])))
    st.cache_data.clear()
    app = open_page("compare", baseline=first, other=second, view="Slices", on="precision@1", metric="precision@1")
    assert not app.exception and not app.error
    assert len(app.warning) == 1
    assert against.value in app.warning[0].value
    assert "1 slice perhaps against the whole" in [one.label for one in app.expander]
    assert "▼ against the whole" in list(app.dataframe[0].value["warning"])


@pytest.mark.parametrize("page", ["runs", "compare"])
def test_hostile_tags_stay_text(page: str, open_page: Open) -> None:
    name = upload(extra=HOSTILE)
    first, second = evaluate(name, 32), evaluate(name, 64)
    query = {"run": first} if page == "runs" else {"baseline": first, "other": second}
    app = open_page(page, view="Slices", by="tag", **query)
    assert not app.exception
    assert "<img" not in told(app).replace("\\<img", "")
    assert "<img" not in json.dumps(_chart(app))
