"""Conditions on metadata: what they mean, and what is said of one that means nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipelines.errors import ConfigurationError
from pipelines.records import Column
from pipelines.stages.filter import Asked
from pipelines.stages.filter.conditions import evaluate, validate
from pipelines.stages.filter.where import WhereFilter

COLUMNS = {
    "year": Column.of([2021, 2022, None, 2024]),
    "day": Column.of(["2021-03-31", "2022-12-01", "2023-01-15T10:00:00", None]),
    "name": Column.of(["a", "b", "b", None]),
    "new": Column.of([True, False, None, True]),
    "number": Column.of([1, 1.0, True, "1"]),
}


def met(where: dict[str, Any]) -> list[int]:
    validate(where)
    return np.flatnonzero(evaluate(where, COLUMNS, 4)).tolist()


@pytest.mark.parametrize(
    ("where", "rows"),
    [
        ({"year": 2022}, [1]),
        ({"year": {"$ne": 2022}}, [0, 2, 3]),
        ({"year": {"$gt": 2021, "$lt": 2024}}, [1]),
        ({"year": {"$gte": 2021}, "new": True}, [0, 3]),
        ({"year": {"$in": [2021, 2024]}}, [0, 3]),
        ({"year": {"$nin": [2021, 2024]}}, [1, 2]),
        ({"day": {"$gte": "2022-01-01"}}, [1, 2]),
        ({"day": {"$lt": "2022-12-01"}}, [0]),
        ({"new": False}, [1]),
        ({"number": 1}, [0, 1]),
        ({"number": True}, [2]),
        ({"number": "1"}, [3]),
        ({"$or": [{"name": "a"}, {"year": 2024}]}, [0, 3]),
        ({"$and": [{"name": "b"}, {"year": 2022}]}, [1]),
        ({"$and": [{"$or": [{"name": "a"}, {"name": "b"}]}, {"new": {"$ne": True}}]}, [1, 2]),
        ({"year": 1999}, []),
        ({"day": {"$contains": "-12-"}}, [1]),
        ({"name": {"$not_contains": "a"}}, [1, 2, 3]),
        ({"number": {"$contains": "1"}}, [3]),
    ],
)
def test_meanings(where: dict[str, Any], rows: list[int]) -> None:
    assert met(where) == rows


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ({}, "must be a mapping"),
        ({"$and": []}, "takes a list of conditions"),
        ({"$and": {"year": 1}}, "takes a list of conditions"),
        ({"$not": [{"year": 1}]}, "only $and and $or"),
        ({"year": {}}, "has an empty condition"),
        ({"year": {"$grt": 1}}, "unknown operator '$grt'; there are $eq, $ne"),
        ({"year": {"$in": 1}}, "takes a list"),
        ({"year": {"$in": []}}, "takes a list"),
        ({"year": None}, "is compared with None"),
        ({"name": {"$contains": ""}}, "takes a text to look for"),
        ({"name": {"$contains": 3}}, "takes a text to look for"),
        ({"year": {"$eq": [1]}}, "is compared with [1]"),
        ({"name": {"$gt": "b"}}, "takes a number or a date such as 2024-03-31, but holds 'b'"),
        ({"new": {"$gt": True}}, "takes a number or a date"),
        ({"$or": [{"year": 1}, "x"]}, "must be a mapping"),
    ],
)
def test_what_is_no_condition(where: Any, said: str) -> None:
    with pytest.raises(ValueError) as refused:
        validate(where)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ({"yaer": 2022}, "Did you mean 'year'?"),
        ({"year": "2022"}, "a text, but the documents hold a number there (such as 2021, 2022, 2024)"),
        ({"name": 7}, "a number, but the documents hold a text there"),
        ({"new": 1}, "a number, but the documents hold a true/false there"),
        ({"year": {"$in": [2022, "2023"]}}, "compares the metadata field 'year' with '2023', a text"),
        ({"day": {"$gt": 2022}}, "a number, but the documents hold a text there"),
    ],
)
def test_conditions_that_no_document_could_meet(where: dict[str, Any], said: str) -> None:
    validate(where)
    with pytest.raises(ConfigurationError) as refused:
        evaluate(where, COLUMNS, 4)
    assert said in str(refused.value)


def test_a_date_is_a_text_too() -> None:
    assert met({"day": "2021-03-31"}) == [0]
    assert met({"day": {"$in": ["2021-03-31", "no date"]}}) == [0]


def test_one_mask_for_all_questions() -> None:
    asked = [Asked("a?", {}), Asked("b?", {"year": 2021})]
    candidates = WhereFilter(where={"year": {"$gte": 2022}}).candidates(asked, COLUMNS, 4)
    assert candidates.mask.tolist() == [0, 0]
    assert candidates.allowed.tolist() == [[False, True, False, True]]
