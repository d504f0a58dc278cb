"""What a reviewer found: a choice that was lost between pages, and sentences that led nowhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import streamlit as st
from streamlit.runtime.scriptrunner import StopException
from streamlit.testing.v1 import AppTest

from pipelines import api
from tests.ui.conftest import Open, evaluate, told, upload


def _visit(app: AppTest, page: str) -> AppTest:
    """Go to a page as the sidebar does: the URL names nothing."""
    app.query_params.clear()
    return app.switch_page(f"views/{page}.py").run()


def test_the_sidebar_keeps_the_dataset_and_the_split(open_page: Open) -> None:
    upload("alpha"), upload("omega")
    app = open_page("data")
    app.selectbox(key="data/dataset").set_value("omega").run()
    _visit(app, "builder")
    assert app.selectbox(key="build/dataset").value == "omega"
    assert app.selectbox(key="build/split").value == "dev"
    app.selectbox(key="build/split").set_value("test").run()
    assert _visit(app, "data").selectbox(key="data/dataset").value == "omega"
    _visit(app, "builder")
    assert (app.query_params["dataset"], app.query_params["split"]) == ("omega", "test")


def test_what_a_link_names_comes_before_what_was_chosen_last(open_page: Open) -> None:
    upload("alpha"), upload("omega")
    app = open_page("data", dataset="omega")
    app.switch_page("views/builder.py")
    app.query_params["dataset"] = "alpha"
    assert app.run().selectbox(key="build/dataset").value == "alpha"
    assert _visit(app, "data").selectbox(key="data/dataset").value == "alpha"


def _words(text: str) -> str:
    """Read what Markdown shows letter by letter."""
    return text.replace("\\", "").replace("\u2060", "")


_QUESTIONS = b"question,answer,document_id,quote\nWhich colour?,blue,a,The sky is blue.\n"


def _fill(app: AppTest, name: str, questions: bytes | None = _QUESTIONS) -> AppTest:
    app.text_input[0].set_value(name)
    app.file_uploader[0].set_value([("a.txt", b"The sky is blue.", "text/plain")])
    if questions is not None:
        app.file_uploader[1].set_value([("q.csv", questions, "text/csv")])
    return app


def test_a_second_click_on_import_finds_what_the_first_one_wrote(
    open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload("alpha")
    spinner = st.spinner

    @contextmanager
    def cut(text: str) -> Iterator[None]:
        yield
        raise StopException  # as Streamlit ends a script when the button is pressed again

    app = _fill(open_page("data"), "mine")
    monkeypatch.setattr(st, "spinner", cut)
    app.button[0].click().run()
    monkeypatch.setattr(st, "spinner", spinner)
    app.button[0].click().run()
    assert not app.error
    assert [place.name for place in api.datasets()] == ["alpha", "mine"]
    assert app.selectbox(key="data/dataset").value == "mine"
    assert "Imported" in told(app)


def test_a_name_that_is_taken_is_told_without_a_path(open_page: Open) -> None:
    upload("mine")
    app = _fill(open_page("data"), "Mine")
    app.button[0].click().run()
    assert _words(app.error[0].value) == "There is already a dataset 'mine'; choose another name."
    assert [place.name for place in api.datasets()] == ["mine"]


def test_a_dataset_without_questions_is_said_not_to_be_evaluated_yet(open_page: Open) -> None:
    app = _fill(open_page("data"), "mine", None)
    app.button[0].click().run()
    assert "cannot be evaluated yet: it has no questions" in _words(told(app))
    assert not app.error


def test_runs_of_two_splits_are_refused_and_what_can_be_compared_is_offered(open_page: Open) -> None:
    name = upload()
    older, newer = evaluate(name, 32, "dev", name="older"), evaluate(name, 64, "dev", name="newer")
    alone = evaluate(name, 64, None, name="alone")
    app = open_page("compare", baseline=newer, other=alone)
    said = f"'newer · {newer[-6:]}' was evaluated on dev, 'alone · {alone[-6:]}' on all questions; choose runs of one"
    assert [_words(warning.value) for warning in app.warning] == [f"{said} split."]
    app.button(key=f"choice.group.{newer}").click().run()
    assert app.selectbox(key="compare/baseline").value == newer
    assert app.multiselect(key="compare/other").value == [older]
    assert not app.warning


def test_compare_begins_with_the_newest_run_that_has_peers(open_page: Open) -> None:
    name = upload()
    older, newer, alone = evaluate(name, 32, "dev"), evaluate(name, 64, "dev"), evaluate(name, 64, "test")
    app = open_page("compare")
    assert app.selectbox(key="compare/baseline").value == newer
    app.selectbox(key="compare/baseline").set_value(alone).run()
    assert app.button(key=f"choice.group.{newer}")
    app.selectbox(key="compare/baseline").set_value(older).run()
    app.multiselect(key="compare/other").set_value([newer]).run()
    assert not app.warning


def test_a_question_of_runs_on_two_splits_names_the_difference(open_page: Open) -> None:
    name = upload()
    first, second = evaluate(name, 32, "dev", name="one"), evaluate(name, 32, "test", name="two")
    app = open_page("question", run=[first, second])
    assert "on dev, 'two" in _words(app.warning[0].value)
    assert app.multiselect(key="question/run").value == [first]
