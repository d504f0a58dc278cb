"""Cleaning: what goes, what stays, and that every mark comes along."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.component import build
from pipelines.records import PAGE, SECTION, Document
from pipelines.stages.load import Loader
from pipelines.stages.load.cleaning import hyphens, ligatures, white_space
from pipelines.stages.load.duplicates import DUPLICATE_IDS, duplicate_ids, without_duplicates
from pipelines.stages.load.edits import Edit, Places, edited
from pipelines.stages.load.running_heads import running_heads

LETTERS = st.text(alphabet="ab \n-\u00adﬁ\t\u00a0\u200b\r", max_size=60)


@st.composite
def marked(draw: st.DrawFn) -> Document:
    """A text in pages, with sections that begin anywhere."""
    text = draw(LETTERS)
    cuts = sorted(draw(st.sets(st.integers(0, len(text)), max_size=5)))
    places = [0, *cuts, len(text)]
    rows = [(a, b, i + 1) for i, (a, b) in enumerate(pairwise(places)) if a < b]
    return Document("d", text, {}, {PAGE: rows, SECTION: [(a, b, str(v)) for a, b, v in rows[1:]]})


@st.composite
def edits_of(draw: st.DrawFn, length: int) -> list[Edit]:
    places = sorted(draw(st.sets(st.integers(0, length), max_size=8)))
    pairs = list(zip(places[::2], places[1::2], strict=False))
    return [Edit(a, b, draw(st.text(alphabet="xy", max_size=3))) for a, b in pairs]


@given(st.data())
def test_offsets_stay_in_order_and_between_edits_the_text_is_the_same(data: st.DataObject):
    document = data.draw(marked())
    edits = data.draw(edits_of(len(document.text)))
    after, places = edited(document, edits), Places(edits)
    moved = [places.of(i) for i in range(len(document.text) + 1)]
    assert moved == sorted(moved)
    assert moved[-1] == len(after.text)
    inside = {i for edit in edits for i in range(edit.start, edit.end)}
    for i, letter in enumerate(document.text):
        if i not in inside:
            assert after.text[moved[i]] == letter


@given(st.data())
def test_marks_stay_in_order_without_overlap_and_hold_what_they_held(data: st.DataObject):
    document = data.draw(marked())
    edits = [edit for edit in data.draw(edits_of(len(document.text))) if edit.start < edit.end]
    after = edited(document, edits)
    boundaries = {place for start, end, _ in document.marks[PAGE] for place in (start, end)}
    across = any(edit.start < place < edit.end for edit in edits for place in boundaries)
    for rows in after.marks.values():
        assert all(0 <= start < end <= len(after.text) for start, end, _ in rows)
        assert all(a[1] <= b[0] for a, b in pairwise(rows))
    if across:
        return
    for start, end, value in document.marks[PAGE]:
        own = edited(Document("p", document.text[start:end]), [
            Edit(e.start - start, e.end - start, e.new) for e in edits if start <= e.start and e.end <= end
        ])  # fmt: skip
        found = [after.text[a:b] for a, b, v in after.marks.get(PAGE, ()) if v == value]
        assert "".join(found) == own.text


@pytest.mark.parametrize("step", [ligatures, hyphens, white_space, running_heads])
@given(document=marked())
def test_each_step_is_sound_and_says_all_at_once(step, document: Document):
    found = list(step(document))
    assert all(a.end <= b.start for a, b in pairwise(found))
    assert all(0 <= edit.start <= edit.end <= len(document.text) for edit in found)
    after = edited(document, found)
    if step is not hyphens:
        assert edited(after, step(after)).text == after.text


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("a docu-\nment", "a document"),
        ("a docu\u00ad\nment", "a document"),
        ("a docu\u00ad\nMent", "a docuMent"),
        ("well-known, and well-\nknown", "well-known, and well-known"),
        ("wellknown, well-known, well-\nknown", "wellknown, well-known, wellknown"),
        ("North-\nSouth", "North-\nSouth"),
        ("2023-\n2024", "2023-\n2024"),
        ("a - \nb", "a - \nb"),
        ("end-\n\nment", "endment"),
    ],
)
def test_words_broken_at_line_ends(text: str, after: str):
    document = Document("d", text)
    assert edited(document, hyphens(document)).text == after


@pytest.mark.parametrize(
    ("text", "after"),
    [
        (" a  b\t c ", "a b c"),
        ("a \n b\n\n\n\nc", "a\n b\n\nc"),
        ("a\r\nb\rc\u2028d", "a\nb\nc\nd"),
        ("soft\u00adhyphen zero\u200bwidth", "softhyphen zerowidth"),
        ("a\u00a0b", "a b"),
        ("def f():\n    return 1", "def f():\n    return 1"),
    ],
)
def test_white_space(text: str, after: str):
    document = Document("d", text)
    assert edited(document, white_space(document)).text == after


def paged(*pages: str) -> Document:
    starts = [sum(len(page) for page in pages[:i]) for i in range(len(pages))]
    marks = [(start, start + len(page), i + 1) for i, (start, page) in enumerate(zip(starts, pages, strict=True))]
    return Document("d", "".join(pages), {}, {PAGE: marks})


def without_heads(document: Document) -> Document:
    return edited(document, running_heads(document))


def test_heads_feet_and_page_numbers_go_and_pages_stay():
    pages = [f"Annual report\n\nText of page {c} is its own\n{i + 7} | Bank\n" for i, c in enumerate("abcdef")]
    after = without_heads(paged(*pages))
    assert [after.text[a:b].strip() for a, b, _ in after.marks[PAGE]] == [
        f"Text of page {c} is its own" for c in "abcdef"
    ]
    assert [value for _, _, value in after.marks[PAGE]] == [1, 2, 3, 4, 5, 6]


def test_heads_that_differ_on_left_and_right_pages_and_roman_numbers_go():
    roman = ("iv", "v", "vi", "vii", "viii", "ix", "x")
    pages = [
        f"{'Bank' if i % 2 else 'Chapter one'}\nbody {c}\n{n}\n"
        for i, (c, n) in enumerate(zip("abcdefg", roman, strict=True))
    ]
    assert without_heads(paged(*pages)).text.split() == [word for c in "abcdefg" for word in ("body", c)]


def test_numbers_that_do_not_count_pages_stay():
    pages = [f"text {c}\nTotal {n}\n" for c, n in zip("abcdef", (12, 7, 7103, 4, 55, 1), strict=True)]
    assert without_heads(paged(*pages)).text == "".join(pages)


def test_two_pages_say_nothing_about_heads():
    document = paged("Head\na\n", "Head\nb\n")
    assert without_heads(document) is document


def test_a_sentence_goes_on_over_the_page():
    pages = [
        "Head\nIt was a docu-\n1\n",
        "Head\nment of some length,\n2\n",
        "Head\nand it ended. So\n3\n",
        "Head\nThen it began.\n4\n",
    ]
    after = without_heads(paged(*pages))
    assert edited(after, hyphens(after)).text == "It was a document of some length,\nand it ended. So\n\nThen it began."


def loader(use: str, **knobs: object) -> Loader:
    found = build("load", {"use": use, **knobs}, "auto", "test")
    assert isinstance(found, Loader)
    return found


def test_text_that_is_given_is_left_alone_unless_it_is_asked_for():
    for use in ("text", "markdown", "jsonl", "code"):
        assert not loader(use).cleaning()
        assert loader(use, plain_ligatures="always").cleaning().ligatures
    for use in ("pdf", "html", "docx"):
        assert loader(use).cleaning().hyphens
        assert not loader(use, join_hyphens="never").cleaning().hyphens
    assert loader("auto", join_hyphens="always").loader_for("a.txt").cleaning().hyphens
    assert loader("auto").as_given("a.txt")
    assert not loader("auto", join_hyphens="always").as_given("a.txt")
    assert not loader("auto").as_given("a.pdf")


PROSE = " ".join(f"word{i} of a longer text" for i in range(60))


def test_of_exact_duplicates_the_first_stays_and_names_the_others():
    documents = [
        Document("a", PROSE),
        Document("b", "other"),
        Document("c", PROSE.replace(" ", "\n")),
        Document("d", PROSE),
    ]
    found = without_duplicates(documents, None)
    assert [d.id for d in found.kept] == ["a", "b"]
    assert found.left_out == (("c", "a", 1.0), ("d", "a", 1.0))
    assert duplicate_ids(found.kept[0].metadata[DUPLICATE_IDS]) == ("c", "d")
    assert "'c' is the same as 'a'" in next(found.notes())


def test_near_duplicates_are_those_that_share_enough():
    near = PROSE.replace("word30", "changed")
    documents = [Document("a", PROSE), Document("b", near), Document("c", PROSE[:400]), Document("e", "")]
    assert [d.id for d in without_duplicates(documents, None).kept] == ["a", "b", "c", "e"]
    assert [d.id for d in without_duplicates(documents, 0.9).kept] == ["a", "c", "e"]
    assert [d.id for d in without_duplicates(documents, 1.0).kept] == ["a", "b", "c", "e"]
    assert without_duplicates(documents, 0.9) == without_duplicates(documents, 0.9)


def test_only_duplicates_of_what_stayed_count():
    # b is near to a, c near to b but not to a: c stays.
    words = [f"w{i}" for i in range(200)]
    shift = [Document(str(k), " ".join(words[k * 8 : 120 + k * 8])) for k in range(3)]
    assert [d.id for d in without_duplicates(shift, 0.85).kept] == ["0", "2"]
