"""The preview of the Build page: the chunks of one document, before anything is run."""

from __future__ import annotations

import re

from pipelines import api
from pipelines.records import PAGE
from tests.ui.conftest import FOX, HOSTILE, Open, told, upload
from workbench.text import Mark, marked_html, signs_of


def _preview(open_page: Open, extra: str = "") -> object:
    upload("small", extra)
    return open_page("builder", view="Preview", dataset="small", document="fox")


def test_the_chunks_of_the_chosen_document_stand_with_their_metadata(open_page: Open) -> None:
    app = _preview(open_page)
    assert not app.exception and not app.error
    rows = app.dataframe[0].value
    assert list(rows["number"]) == list(range(1, len(rows) + 1))
    assert len(rows) > 1
    assert f"{len(rows)} chunks of" in told(app).replace("\\", "")
    assert any("Sentence 1" in html.value for html in app.html)


def test_a_changed_knob_changes_the_chunks_and_the_pipeline(open_page: Open) -> None:
    app = _preview(open_page)
    before = len(app.dataframe[0].value)
    app.number_input(key="build.0.chunk.recursive.size").set_value(32).run()
    assert len(app.dataframe[0].value) > before
    app.segmented_control(key="build/view").set_value("Pipeline").run()
    assert "size: 32" in app.code[0].value
    assert not api.recent_jobs()


def test_settings_that_are_not_allowed_leave_no_preview(open_page: Open) -> None:
    app = _preview(open_page)
    app.number_input(key="build.0.chunk.recursive.size").set_value(1).run()
    assert len(app.error) == 1
    assert not app.dataframe
    assert "once the settings marked in red are mended" in told(app)


def test_without_a_dataset_it_says_what_to_do(open_page: Open) -> None:
    app = open_page("builder", view="Preview")
    assert not app.exception and not app.error
    assert "there is no dataset yet" in told(app)


def test_hostile_text_stays_text(open_page: Open) -> None:
    app = _preview(open_page, HOSTILE)
    assert not app.exception
    assert not any(re.search("<img|<script", html.value) for html in app.html)


def test_signs_stand_where_pages_begin_and_are_escaped() -> None:
    signs = signs_of({PAGE: [(0, 4, 1), (4, 9, "<b>2</b>")]})
    html = marked_html("one two three", [Mark(0, 2, "evidence")], signs=signs)
    assert html.index("page 1") < html.index("<bdi>on</bdi>") < html.index("page &lt;b&gt;2") < html.index("two three")
    assert "<b>2" not in html
    text = re.sub("<div[^>]*><bdi>page.*?</bdi></div>", "", html)
    assert "one two three" == re.sub("<[^>]+>", "", text)


def test_signs_outside_what_is_shown_are_left_out() -> None:
    html = marked_html("x" * 500 + FOX, [Mark(500, 510, "chunk")], margin=5, signs=[(3, "page 1"), (505, "page 2")])
    assert "page 1" not in html
    assert "page 2" in html
