"""A quote is found again however its file was parsed, or it is lost: never found at another place."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipelines.golden.anchor import Anchor, anchor
from pipelines.golden.squeezed import squeeze


def found(quote: str, text: str, **given: object) -> str | None:
    at = anchor(quote, text, **given)  # type: ignore[arg-type]
    return None if at is None else text[at.start : at.end]


def test_typography_line_ends_cells_and_bullets_are_no_difference():
    assert found("the first day", "On the first day.") == "the first day"
    assert found("the efficient office", "the eﬃ\u00ad\ncient  office") == "the eﬃ\u00ad\ncient  office"
    assert found("a consolidated statement", "a consoli-\ndated statement") == "a consoli-\ndated statement"
    assert found("a consoli-\ndated statement", "a consolidated statement.") == "a consolidated statement"
    assert found("Revenue hedge 13,484 27,115", "Revenue hedge | 13,484 | 27,115") == "Revenue hedge | 13,484 | 27,115"
    assert found("• one point\n• two points", "- one point\n- two points") == "one point\n- two points"
    assert found("“Profit” – it’s up", '"Profit" - it\'s up') == '"Profit" - it\'s up'


def test_what_is_not_there_is_not_found():
    assert found("the third day of rain", "On the first day.") is None
    assert found("", "text") is None
    assert found("a b", "ab") is None  # too short to leave white space out
    assert found("Revenue was 12", "Revenue was 13") is None


PAGES = [(0, 40, 1), (40, 80, 2), (80, 120, 3)]
THRICE = "".join(f"The board met here again. {'x' * 14}" for _ in range(3))


def test_the_page_decides_between_places():
    assert anchor("The board met", THRICE, PAGES, 2) == Anchor(40, 53, 1)
    assert anchor("The board met", THRICE, PAGES) == Anchor(0, 13, 3)
    assert anchor("The board met", THRICE, PAGES, 9) == Anchor(80, 93, 1)
    assert anchor("The board met", THRICE, (), 2) == Anchor(0, 13, 3)


BEFORE, AFTER = "The committee reviewed the internal controls and", "found that all of them had worked as they should."
FOOT, HEAD = "\n12 | Bank of the North\n", "Annual report 2025\n\n"
BROKEN = f"First. {BEFORE}{FOOT}{HEAD}{AFTER} Last."
BREAK = len(f"First. {BEFORE}{FOOT}")
TWO_PAGES = [(0, BREAK, 1), (BREAK, len(BROKEN), 2)]


def test_a_quote_goes_on_behind_what_stands_at_a_pages_end():
    assert found(f"{BEFORE} {AFTER}", BROKEN, pages=TWO_PAGES) == f"{BEFORE}{FOOT}{HEAD}{AFTER}"
    assert found(f"{BEFORE} {AFTER}", BROKEN, pages=[(0, len(BROKEN), 1)]) is None
    assert found(f"{BEFORE} lost. {AFTER}", BROKEN, pages=TWO_PAGES) is None


def test_a_running_head_in_the_quote_may_lack_in_the_text():
    text = f"First. {BEFORE}\n{AFTER} Last."
    pages = [(0, 8 + len(BEFORE), 1), (8 + len(BEFORE), len(text), 2)]
    assert found(f"{BEFORE}{FOOT}{HEAD}{AFTER}", text, pages=pages) == f"{BEFORE}\n{AFTER}"
    assert found(f"{BEFORE}{FOOT}{HEAD}{AFTER}", text, pages=[(0, len(text), 1)]) is None


@given(st.text(max_size=80), st.integers(0, 80), st.integers(1, 40))
def test_what_stands_in_a_text_is_found_in_it(text: str, start: int, length: int):
    quote = text[start : start + length]
    at = anchor(quote, text)
    if not quote.strip():
        assert at is None
        return
    assert at is not None
    assert at.start <= start
    assert text[at.start : at.end] == quote


@given(st.text(alphabet="ab -\n|ﬁ\u00adé\u0301", max_size=60))
def test_squeezing_knows_where_each_character_came_from(text: str):
    squeezed = squeeze(text)
    for i in range(len(squeezed.text)):
        start, end = squeezed.span(i, i + 1)
        assert squeezed.text[i] in squeeze(text[start:end]).text
    for place in range(len(text)):
        i = squeezed.at_or_after(place)
        assert i == len(squeezed.text) or squeezed.span(i, i + 1)[0] >= place
