"""What is read out of questions where files of several makers hold other fields, and texts hold words of names."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipelines.records import Column
from pipelines.stages.filter import Asked, Filtered
from pipelines.stages.filter.inferred import InferredFilter

ROWS: list[dict[str, Any]] = [
    {"department": "Human Resources", "year": 2023},
    {"department": "Human Resources", "period": "FY2023"},
    {"department": "Emergency Department", "issued": "2023-06-30"},
    {"department": "Emergency Department", "year": 2024},
    {"department": "Emergency Department", "period": "FY2024"},
    {"department": "Emergency Department", "year": 2023, "period": "FY2024"},
    {"department": "Harbour House"},
]
TEXT = "The emergency exit is locked; the room with a view of the harbour is open to all human visitors."


def left(question: str, *fields: str) -> list[int]:
    """Return the rows that a question leaves, over some of the fields."""
    columns = {name: Column.of(row.get(name) for row in ROWS) for name in fields}
    sieve = InferredFilter(least=0).open(Filtered(columns, len(ROWS), [TEXT] * len(ROWS)))
    found = sieve.candidates([Asked(question, {})])
    return list(range(len(ROWS))) if found.mask[0] < 0 else np.flatnonzero(found.allowed[found.mask[0]]).tolist()


@pytest.mark.parametrize(
    ("question", "rows"),
    [
        ("What was decided in 2023?", [0, 1, 2]),  # each by what it has; all that it has must agree
        ("What was decided in FY2024?", [3, 4]),
        ("What was decided in 2023 and 2024?", [0, 1, 2, 3, 4, 5]),
        ("What was decided in 1999?", [0, 1, 2, 3, 4, 5, 6]),  # no document is of that year
    ],
)
def test_fields_of_time_stand_in_for_each_other(question: str, rows: list[int]) -> None:
    assert left(question, "year", "period", "issued") == rows


@pytest.mark.parametrize(
    ("question", "rows"),
    [
        ("What did HR say?", [0, 1]),  # initials of two words, in capitals
        ("How long is the wait in the ED?", [2, 3, 4, 5]),
        ("WHAT DID ED SAY TO HR?", list(range(7))),  # without small letters, two capitals say nothing
        ("Who said ed was here?", list(range(7))),
        ("What did Harbour decide?", [6]),
        ("Is the emergency exit locked?", list(range(7))),  # words that the texts write as no name
        ("For whom is the room with a view of the harbour?", list(range(7))),
        ("What does the emergency department do?", [2, 3, 4, 5]),  # the whole name, in small letters
    ],
)
def test_words_of_names(question: str, rows: list[int]) -> None:
    assert left(question, "department") == rows
