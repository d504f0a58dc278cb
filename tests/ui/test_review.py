"""What a reviewer found: a choice that was lost between pages, and sentences that led nowhere."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from tests.ui.conftest import Open, upload


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
