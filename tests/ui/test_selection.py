"""A tick belongs to a row, not to a place in the grid: when rows move, it goes with its row or it ends."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from tests.ui.conftest import Open, evaluate, upload
from workbench.grids import selection_key


def _script() -> None:
    import streamlit as st

    from workbench import grids

    ids = st.session_state["ids"]
    rows = [{"name": one} for one in ids]
    fields = [grids.Field("name")]
    kept = grids.show(fields, rows, "kept", select="multi-row", ids=ids, held="ticked")
    ended = grids.show(fields, rows, "ended", select="multi-row")
    st.session_state["found"] = [ids[i] for i in kept], [ids[i] for i in ended]


def _grids(ids: list[str]) -> AppTest:
    app = AppTest.from_function(_script)
    app.session_state["ids"] = ids
    return app.run()


def _keys(app: AppTest) -> list[str]:
    return [grid.proto.id for grid in app.dataframe]


def test_the_key_is_of_the_rows_in_their_order() -> None:
    assert selection_key("grid", ["a", "b"]) == selection_key("grid", ["a", "b"])
    others = (["b", "a"], ["a"], ["a", "b", "c"], ["ab", ""], ["a", "c"])
    assert len({selection_key("grid", ids) for ids in (["a", "b"], *others)}) == 6


def test_grids_are_new_when_their_rows_change_order_and_only_then() -> None:
    app = _grids(["a", "b", "c"])
    before = _keys(app)
    assert _keys(app.run()) == before
    app.session_state["ids"] = ["c", "b", "a"]
    assert not set(_keys(app.run())) & set(before)


def test_rows_still_shown_stay_selected_and_no_other_is() -> None:
    app = _grids(["a", "b", "c"])
    app.session_state["ticked"] = ["b", "c"]
    for ids, expected in ((["new", "c", "b"], ["c", "b"]), (["new", "b"], ["b"]), (["new", "c"], [])):
        app.session_state["ids"] = ids
        app.run()
        assert app.session_state["found"] == (expected, [])
        app.run()
        assert app.session_state["found"] == (expected, [])


def test_the_table_of_runs_keeps_the_ticked_runs_when_it_is_sorted_anew(open_page: Open) -> None:
    name = upload()
    first, _ = evaluate(name, 32, "dev", name="a"), evaluate(name, 512, "dev", name="b")
    app = open_page("runs", sort="name", order="lowest first")
    before = _keys(app)
    app.session_state["runs/ticked"] = [first]
    app.selectbox(key="runs/order").set_value("highest first").run()
    assert _keys(app) != before
    assert app.session_state["runs/ticked"] == [first]
    assert app.session_state["runs/ticked.begun"] == [1]
