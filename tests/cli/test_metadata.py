"""The commands of metadata, and what is said of filters and extractions that cannot be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .conftest import Call

Write = Callable[..., Path]


def test_extract(call: Call, pipeline: Write) -> None:
    path = pipeline(extract={"use": "dates"})
    shown = call("extract", path, "-d", "meridian")
    assert shown.code == 0
    assert "Extract 'dates': 4 fields of" in shown.out
    assert "accuracy" in shown.out
    found = call("extract", path, "-d", "meridian", "--json", "-").json
    fields = {field["field"]: field for field in found["fields"]}
    assert fields["year"]["accuracy"] > 0.9
    assert fields["date"]["accuracy"] is None
    assert "no field 'date' to compare with" in fields["date"]["reason"]


def test_filter(call: Call, pipeline: Write) -> None:
    path = pipeline(filter={"use": "inferred"})
    shown = call("filter", path, "-d", "meridian", "--split", "test")
    assert shown.code == 0
    for line in (
        "recall@5 with the filter",
        "recall@5 without",
        "difference, 95 % interval",
        "chunks removed",
        "company",
    ):
        assert line in shown.out
    found = call("filter", path, "-d", "meridian", "--split", "test", "--metric", "hit@5", "--json", "-").json
    assert found["gain"]["metric"] == "hit@5"
    assert found["gain"]["difference"] > 0
    assert found["questions"][0]["conditions"] is not None


def test_a_filter_that_removes_everything_is_a_run_with_a_note(call: Call, pipeline: Write) -> None:
    result = call(
        "run", pipeline(filter={"use": "where", "where": {"year": 1999}}), "-d", "meridian", "--split", "test"
    )
    assert result.code == 0
    assert "The filter removes every chunk for 70 of 70 questions" in result.out


@pytest.mark.parametrize(
    ("stages", "told"),
    [
        ({"filter": {"use": "where", "where": {"yaer": 2023}}}, "'yaer', which no document has.* Did you mean 'year'"),
        (
            {"filter": {"use": "where", "where": {"year": "2023"}}},
            "compares the metadata field 'year' with '2023', a text",
        ),
        ({"filter": {"use": "inferred", "fields": ["compani"]}}, "'compani' out of questions.* Did you mean 'company'"),
        ({"filter": {"use": "boost", "aliases": ["x = Nobody"]}}, "another name to 'Nobody'"),
        ({"filter": {"use": "inferred", "reference_date": "2024-02-31"}}, "must be a day of the calendar"),
        ({"filter": {"use": "boost", "weight": -1}}, "filter.boost.weight must be 0.0 to 10.0 share, but got -1"),
        ({"extract": {"use": "pattern", "patterns": ["("]}}, "which is no regular expression"),
        ({"extract": {"use": "pattern", "patterns": []}}, "extract.pattern.patterns must be a list of one or more"),
        ({"extract": {"use": "vocabulary", "fields": ["compani"]}}, "'compani', which no document has"),
        ({"extract": {"use": "entities", "model": "no_such_model"}}, "needs the spaCy model 'no_such_model'"),
        ({"extract": {"use": "several", "extractors": [{"use": "dats"}]}}, "no extract component 'dats'"),
    ],
)
def test_one_clear_sentence(
    call: Call, pipeline: Write, sentence: Callable[[object], str], stages: dict[str, Any], told: str
) -> None:
    import re

    result = call("filter", pipeline(**stages), "-d", "meridian", "--split", "test")
    assert result.code == 2
    assert result.out == ""
    assert re.search(told, sentence(result.err.strip()))
