"""Which questions belong to which slice."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import ConfigurationError
from pipelines.records import Document, Documents, Evidence, Question
from pipelines.slices.grouping import ways
from pipelines.slices.labels import in_quarters

DOCUMENTS = Documents.of(
    [
        Document("a", "One.", {"type": "report", "year": 2023, "open": True, "tag": "x"}),
        Document("b", "Two.", {"type": "note", "year": 2024, "open": False}),
        Document("c", "Three.", {"type": "report"}),
        Document("unused", "Four.", {"type": "memo"}),
    ]
)
QUESTIONS = (
    Question("q1", "When was it?", tags=("date",), split="dev", evidence=(Evidence("a"),)),
    Question("q2", "Who was it, and when was that?", tags=("date", "who"), split="test",
             evidence=(Evidence("a", 0, 2), Evidence("b", 0, 2))),
    Question("q3", "Why?", filter={"year": 2024}, split="test", evidence=(Evidence("c", 0, 2, group="g"),
                                                                        Evidence("c", 3, 4, group="g"))),
    Question("q4", "What for?", split="dev", evidence=(Evidence("b", grade=0),)),
)  # fmt: skip


def named(by: str | None = None) -> dict[tuple[str, str], str]:
    """Return the numbers of the questions of each slice."""
    found, _ = ways(QUESTIONS, DOCUMENTS, by)
    return {(s.by, s.value): "".join(str(i + 1) for i in s.members.nonzero()[0]) for s in found}


def test_a_question_is_in_every_slice_it_belongs_to():
    found = named()
    assert found["tag", "date"] == "12"
    assert found["tag", "who"] == "2"
    assert found["tag", "(no tag)"] == "34"
    assert found["evidence", "one piece"] == "13"  # the alternatives of q3 are one piece
    assert found["evidence", "several pieces"] == "2"
    assert found["answerable", "unanswerable"] == "4"  # only judged irrelevant
    assert found["filter", "filter known"] == "3"
    assert found["split", "test"] == "23"


def test_metadata_are_those_of_the_documents_with_relevant_evidence():
    found = named()
    assert found["type", "report"] == "123"
    assert found["type", "note"] == "2"  # q4 was judged irrelevant there
    assert ("type", "memo") not in found
    assert found["year", "2023"] == "12"
    assert found["year", "(no value)"] == "3"
    assert found["open", "true"] == "12"


def test_a_field_called_like_a_way_is_reached_by_its_full_name():
    with pytest.raises(ConfigurationError, match="it is x throughout"):
        ways(QUESTIONS, DOCUMENTS, "metadata.tag")
    assert set(by for by, _ in named("tag")) == {"tag"}


def test_an_unknown_way_is_one_clear_sentence(sentence):
    with pytest.raises(ConfigurationError) as error:
        ways(QUESTIONS, DOCUMENTS, "tpye")
    assert "Did you mean 'type'?" in sentence(error.value)


def many(values: list) -> tuple[tuple[Question, ...], Documents]:
    documents = [Document(str(i), "Text.", {"field": value}) for i, value in enumerate(values)]
    return tuple(Question(d.id, "Why?", evidence=(Evidence(d.id),)) for d in documents), Documents.of(documents)


def test_many_numbers_are_cut_in_quarters_dates_by_year_and_texts_left_out():
    by = lambda values: [s.value for s in ways(*many(values))[0] if s.by == "field"]  # noqa: E731
    assert by(list(range(40))) == ["0 to 9", "10 to 19", "20 to 29", "30 to 39"]
    assert by([f"20{10 + i // 12}-{1 + i % 12:02d}-01" for i in range(36)]) == ["2010", "2011", "2012"]
    found, left = ways(*many([f"text {i}" for i in range(40)]))
    assert not [s for s in found if s.by == "field"]
    assert [one.field for one in left] == ["field"]
    assert "40 values" in left[0].why
    assert len(ways(*many([f"text {i}" for i in range(40)]), "field")[0]) == 40  # asked for by name


@given(st.lists(st.integers(0, 12), min_size=1, max_size=60))
def test_quarters_part_all_values_and_keep_equal_ones_together(values: list[int]):
    found = in_quarters(values)
    assert len(found.code) == len(values)
    assert 1 <= len(found.names) <= 4
    assert set(found.code.tolist()) == set(range(len(found.names)))
    for value in set(values):
        assert len({c for c, v in zip(found.code.tolist(), values, strict=True) if v == value}) == 1
