"""Headings and tables of Markdown, as places in the text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.models.markdown import headings, tables

LINES = st.sampled_from(
    ["# A", "B", "---", "===", "| a | b |", "|---|---|", "```", "", "  - item", "x | y", "\f", "~~~"]
)


@pytest.mark.parametrize(
    ("line", "title"),
    [
        ("# A `__name__` of write_stream", "A __name__ of write_stream"),
        ("# *Very* **important** _words_", "Very important words"),
        ("# [Link](https://a.example) and ![sign](b.png)", "Link and sign"),
        ("## Closed ##", "Closed"),
        ("   ### Indented", "Indented"),
    ],
)
def test_titles_are_without_markup(line: str, title: str) -> None:
    assert [said for _, _, said in headings(line)] == [title]


@pytest.mark.parametrize(
    "text", ["#none", "    # code", "```\n# code\n```", "- item\n---", "> quote\n===", "#", "a | b\n---"]
)
def test_what_is_no_heading(text: str) -> None:
    assert list(headings(text)) == []


def test_tables_with_a_rule_and_without_one_but_not_in_code() -> None:
    text = "a | b\n--- | ---\n1 | 2\n\n| x | y |\n| 1 | 2 |\n\n```\n| c | d |\n|---|---|\n```\n"
    assert [text[start:end] for start, end in tables(text)] == ["a | b\n--- | ---\n1 | 2", "| x | y |\n| 1 | 2 |"]


def test_a_row_may_be_long() -> None:
    text = "| a | b |\n|---|---|\n| " + "x" * 5000 + " | y |\n"
    assert list(tables(text)) == [(0, len(text) - 1)]


@given(st.lists(LINES, max_size=12).map("\n".join))
def test_headings_rise_and_tables_stand_apart(text: str) -> None:
    starts = [start for start, _, _ in headings(text)]
    assert starts == sorted(set(starts))
    ends = [place for span in tables(text) for place in span]
    assert ends == sorted(ends)
    assert all(0 <= place <= len(text) for place in [*starts, *ends])
