"""Lists and mappings as lines: what is written is read back, and what cannot be read is one sentence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import ConfigurationError
from workbench import lines

TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=12)


@given(st.lists(TEXTS, max_size=4))
def test_a_list_is_read_back(items: list[str]) -> None:
    assert lines.read_items(lines.items_text(items), "words") == items


@given(st.dictionaries(TEXTS, TEXTS, max_size=4))
def test_a_mapping_to_texts_is_read_back(terms: dict[str, str]) -> None:
    assert lines.read_terms(lines.terms_text(terms), "aliases", several=False) == terms


@given(st.dictionaries(TEXTS, st.lists(TEXTS, min_size=1, max_size=3), max_size=4))
def test_a_mapping_to_lists_is_read_back(terms: dict[str, list[str]]) -> None:
    assert lines.read_terms(lines.terms_text(terms), "aliases", several=True) == terms


def test_a_person_writes_names_and_their_texts() -> None:
    written = 'EBITDA: operating profit, "earnings, before all"\n\n capex :capital expenditure '
    assert lines.read_terms(written, "synonyms", several=True) == {
        "EBITDA": ["operating profit", "earnings, before all"],
        "capex": ["capital expenditure"],
    }
    assert lines.terms_text({"EBITDA": ["operating profit", "earnings"]}) == "EBITDA: operating profit, earnings"


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("EBITDA operating profit", "line 1: 'EBITDA operating profit' cannot be read"),
        ("a: b\na: c", "names 'a' twice"),
        (": b", "line 1"),
        ("[1, 2]", "is no mapping"),
        ("{a: ", "line 1"),
    ],
)
def test_what_is_no_mapping_is_one_sentence(written: str, told: str) -> None:
    with pytest.raises(ConfigurationError, match="'synonyms'") as raised:
        lines.read_terms(written, "synonyms", several=True)
    assert told in str(raised.value)


def test_brackets_that_hold_no_list_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="no list"):
        lines.read_items("{a: 1}", "words")
