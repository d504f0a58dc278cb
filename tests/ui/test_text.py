"""Users' text is shown letter by letter, whatever it holds."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from tests.ui.conftest import HOSTILE
from workbench.text import Mark, chart_text, marked_html, plain, segments, shortened, windows


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def _read(html: str) -> _Reader:
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader


@given(st.text(max_size=200), st.lists(st.tuples(st.integers(-5, 220), st.integers(-5, 220)), max_size=4))
def test_marked_text_holds_no_tag_but_ours_and_every_letter(text: str, spans: list[tuple[int, int]]) -> None:
    clean = text.replace("\r", "")
    found = _read(marked_html(clean, [Mark(a, b, "evidence") for a, b in spans]))
    assert found.tags <= {"div", "mark", "bdi"}
    assert found.text == clean


def test_hostile_text_in_a_document_becomes_no_element() -> None:
    found = _read(marked_html(HOSTILE, [Mark(0, 30, "evidence"), Mark(10, 60, "chunk")]))
    assert found.tags == {"div", "mark", "bdi"}
    assert found.text == HOSTILE


def test_windows_show_what_lies_around_marks_and_say_what_is_left_out() -> None:
    # 1,000 characters, a mark at 500-510, 50 around it: 450 to 560 are shown, 450 and 440 are not.
    assert windows(1000, [Mark(500, 510, "chunk")], 50) == [(450, 560)]
    html = marked_html("x" * 1000, [Mark(500, 510, "chunk")], margin=50)
    assert "… 450 characters …" in html
    assert "… 440 characters …" in html


def test_windows_that_are_near_become_one() -> None:
    assert windows(1000, [Mark(100, 110, "chunk"), Mark(200, 210, "evidence")], 50) == [(50, 260)]


def test_segments_tell_where_evidence_and_chunk_overlap() -> None:
    kinds = segments(10, [Mark(2, 6, "evidence"), Mark(4, 8, "chunk")])
    assert [(a, b, sorted(k)) for a, b, k in kinds] == [
        (0, 2, []), (2, 4, ["evidence"]), (4, 6, ["chunk", "evidence"]), (6, 8, ["chunk"]), (8, 10, []),
    ]  # fmt: skip


def test_plain_escapes_all_punctuation_and_parts_what_would_become_a_link() -> None:
    found = plain(HOSTILE)
    assert not re.search(r"(?<!\\)[!-/:-@\[^-`{-~]", found)
    for linked in ("http\\://", "www\\.", "\\@evil", "\\-\\>"):
        assert linked not in found, linked


def test_direction_marks_stay_within_the_text_they_belong_to() -> None:
    assert plain("a\u202eb").startswith("\u2068")
    assert shortened("a\u202eb").endswith("\u2069")
    assert plain("plain words") == "plain words"


def test_chart_text_holds_no_tag() -> None:
    assert "<" not in chart_text("<b>bold</b><a href='http://evil.example'>x</a>")


def test_long_names_are_cut() -> None:
    assert len(shortened("x" * 10_000, 90)) == 90
