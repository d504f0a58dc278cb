"""Quotes: what is found maps back to the very characters, and what is not comes with the nearest."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.golden.folding import fold
from pipelines.golden.quotes import Found, Missing, find_quote

# Each pair: as a text may hold it, and as a quote may.
SAME = [
    ("ﬁ", "fi"), ("ﬀ", "ff"), ("ﬃ", "ffi"), ("“", '"'), ("’", "'"), ("—", "-"), ("–", "-"), ("\u00a0", " "),
    (" \n\t ", " "), ("\r\n", " "), ("so\u00adft", "soft"), ("\u200b", ""), ("\u200f", ""), ("…", "..."),
    ("e\u0301", "é"), ("a", "a"), ("bc", "bc"), ("Z9", "Z9"), ("é", "é"), ("日本", "日本"), ("🙂", "🙂"),
]  # fmt: skip
PIECES = st.lists(st.sampled_from(SAME), max_size=30)
RAW = st.text(alphabet=st.sampled_from("ab \n\u00adﬁ“—…\u0301\u00a0\u200be🙂é"), max_size=60)


def test_an_exact_quote_is_found_where_it_is():
    assert find_quote("second", "the second day") == Found(4, 10, "exact", 1)


def test_the_example_in_the_documentation_holds():
    assert find_quote("the ﬁrst  day", "On the first day.") == Found(3, 16, "folded", 1)


def test_the_first_of_several_is_taken_and_all_are_counted():
    assert find_quote("day", "day by day, day") == Found(0, 3, "exact", 3)
    assert find_quote("aa", "aaa") == Found(0, 2, "exact", 2)  # the two overlap
    assert find_quote("a  b", "a b, a\nb") == Found(0, 3, "folded", 2)


@pytest.mark.parametrize(
    ("quote", "text", "found"),
    [
        ("the first day", "on the ﬁrst\n   day.", "the ﬁrst\n   day"),
        ('said "no" - twice', "He said “no” — twice.", "said “no” — twice"),
        ("it's here", "So it’s\u00a0here", "it’s\u00a0here"),
        ("example", "an exam\u00ad\nple of", "exam\u00ad\nple"),
        ("example", "an exam\u00adple of", "exam\u00adple"),
        ("café", "the cafe\u0301 is", "cafe\u0301"),
        (" first day ", "the first\nday", "first\nday"),
        ("wait...", "Now wait…", "wait…"),
        ("eld", "the ﬁeld", "eld"),
        ("ield", "the ﬁeld", "ﬁeld"),  # half a ligature cannot be had
    ],
)
def test_typography_is_folded_and_mapped_back(quote: str, text: str, found: str):
    result = find_quote(quote, text)
    assert isinstance(result, Found)
    assert text[result.start : result.end] == found
    assert result.occurrences == 1


@given(PIECES, PIECES, PIECES)
def test_a_folded_quote_maps_back_to_what_it_came_from(before: list, inner: list, after: list):
    written, quote = ("".join(column) for column in zip(*inner, strict=True)) if inner else ("", "")
    head, tail = ("".join(text for text, _ in side) for side in (before, after))
    text = head + " (" + written + ") " + tail
    result = find_quote("(" + quote + ")", text)
    assert isinstance(result, Found)
    if result.occurrences == 1:
        start = len(head) + 1
        assert text[result.start : result.end] == text[start : start + len(written) + 2]


@given(RAW)
def test_every_folded_character_knows_its_origin(text: str):
    folded = fold(text)
    spans = [folded.span(i, i + 1) for i in range(len(folded.text))]
    assert all(0 <= start < end <= len(text) for start, end in spans)
    assert spans == sorted(spans)
    for i, (start, end) in enumerate(spans):
        assert folded.text[i] in fold(text[start:end]).text or text[start:end].isspace() or folded.text[i] == " "


@given(RAW, st.data())
def test_any_piece_of_a_text_is_found_in_it(text: str, data: st.DataObject):
    start = data.draw(st.integers(0, len(text)))
    piece = text[start : data.draw(st.integers(start, len(text)))]
    result = find_quote(piece, text)
    if piece.strip():
        assert isinstance(result, Found)
        assert text[result.start : result.end] == piece
    else:
        assert isinstance(result, Missing)


@given(RAW, RAW)
def test_it_never_fails_and_bounds_are_sound(quote: str, text: str):
    result = find_quote(quote, text)
    if isinstance(result, Found):
        assert 0 <= result.start < result.end <= len(text)
        assert result.occurrences >= 1
    else:
        assert 0.0 <= result.similarity <= 1.0
        assert result.why
        if result.nearest_start is not None:
            assert text[result.nearest_start :].startswith(result.nearest)


def test_the_nearest_is_shown():
    text = "Profit fell. Net income rose by 12 percent in 2023. Costs fell."
    result = find_quote("Net income rose by 21 percent in 2023", text)
    assert isinstance(result, Missing)
    assert result.nearest == "Net income rose by 12 percent in 2023"
    assert result.nearest_start == text.index("Net")
    assert result.similarity == pytest.approx(1 - 1 / 37)  # one of 37 characters has to move


def test_other_capitals_are_named():
    result = find_quote("NET INCOME", "the net income rose")
    assert isinstance(result, Missing)
    assert (result.nearest, result.why) == ("net income", "it differs in upper and lower case")


@pytest.mark.parametrize(
    ("quote", "text"), [("", "x"), (" \n", "x"), ("x", ""), ("qqq", "zzz"), ("\u00ad", "x"), ("x" * 9999, "zz")]
)
def test_nothing_near_is_said(quote: str, text: str):
    result = find_quote(quote, text)
    assert isinstance(result, Missing)
    assert (result.nearest, result.nearest_start) == ("", None)


def test_what_is_missing_from_megabytes_is_said():
    text = "".join(
        f"In year {i} the company's revenue was {i * 7919 % 10007} million “euros”.\n" for i in range(50_000)
    )
    quotes = [
        "revenue was nowhere near  the moon " * 9,
        "year 49999 the company's revenue were",
        'the company\'s x "euros"',
    ]
    for quote in quotes:
        assert isinstance(find_quote(quote, text), Missing)
    assert len(text) > 2_500_000
