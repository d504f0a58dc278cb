"""The `where` filter answers as an actual Chroma collection does, within what Chroma supports."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.records import Column
from pipelines.stages.filter.conditions import evaluate, validate

N = 150
YEARS, SHARES, NAMES = range(2019, 2025), (0.0, 0.25, 0.5, 1.5, -2.0), ("Ada", "Bob", "it's", "=1", "", "日本", "2021")
MIXED: tuple[Any, ...] = (0, 1, 1.0, 2.5, True, False, "1", "one")


def rows() -> list[dict[str, Any]]:
    """Metadata of every type, in one field mixed; most fields are missing from some rows."""
    rng = np.random.default_rng(7)
    found = []
    for i in range(N):
        row = {
            "row": i,
            "year": int(rng.choice(YEARS)),
            "share": float(rng.choice(SHARES)),
            "name": str(rng.choice(NAMES)),
            "new": bool(rng.integers(0, 2)),
            "mixed": MIXED[rng.integers(0, len(MIXED))],
        }
        found.append({k: v for k, v in row.items() if k == "row" or rng.random() < 0.8})
    return found


ORDERED = {"year": st.sampled_from([*YEARS, 1999, 2030]), "share": st.sampled_from([*SHARES, 0.3, 9.0])}
ANY = {**ORDERED, "name": st.sampled_from([*NAMES, "nobody"]), "new": st.booleans(), "mixed": st.sampled_from(MIXED)}
ROWS = rows()
COLUMNS = {name: Column.of(row.get(name) for row in ROWS) for name in ("row", *ANY)}


@st.composite
def one_field(draw: st.DrawFn) -> dict[str, Any]:
    field = draw(st.sampled_from(sorted(ANY)))
    operators = ["", "$eq", "$ne", "$in", "$nin", *(["$gt", "$gte", "$lt", "$lte"] if field in ORDERED else [])]
    operator = draw(st.sampled_from(operators))
    if operator in ("$in", "$nin"):
        values = draw(st.lists(ANY[field], min_size=1, max_size=4))
        # Chroma takes lists of one type only.
        return {field: {operator: [value for value in values if type(value) is type(values[0])]}}
    value = draw(ANY[field])
    return {field: {operator: value} if operator else value}


CONDITIONS = st.recursive(
    one_field(),
    lambda inner: st.dictionaries(
        st.sampled_from(["$and", "$or"]), st.lists(inner, min_size=2, max_size=3), min_size=1, max_size=1
    ),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def collection() -> Iterator[Any]:
    import chromadb

    client = chromadb.EphemeralClient(chromadb.Settings(anonymized_telemetry=False))
    one = client.create_collection("where-as-chroma", embedding_function=None)
    one.add(ids=[str(i) for i in range(N)], embeddings=np.eye(N, 4, dtype=np.float32) + 1, metadatas=ROWS)
    yield one
    client.delete_collection("where-as-chroma")


def chroma(collection: Any, where: dict[str, Any]) -> set[int]:
    return {int(i) for i in collection.get(where=where, include=[])["ids"]}


def ours(where: dict[str, Any]) -> set[int]:
    validate(where)
    return set(np.flatnonzero(evaluate(where, COLUMNS, N)).tolist())


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(where=CONDITIONS)
def test_random_conditions(collection: Any, where: dict[str, Any]) -> None:
    assert ours(where) == chroma(collection, where)


@pytest.mark.parametrize("field", sorted(ANY))
def test_a_row_without_the_field_meets_ne_and_nin_only(collection: Any, field: str) -> None:
    absent = {i for i, row in enumerate(ROWS) if field not in row}
    value = next(row[field] for row in ROWS if field in row)
    assert absent, "the rows must lack the field somewhere"
    for where, meets in (({"$ne": value}, True), ({"$nin": [value]}, True), ({"$eq": value}, False)):
        found = ours({field: where})
        assert found == chroma(collection, {field: where})
        assert (absent <= found) is meets


def test_the_conditions_tell_rows_apart() -> None:
    """Were every condition met by all or by none, agreeing would mean nothing."""
    assert 0 < len(ours({"$or": [{"year": {"$gte": 2022}}, {"name": "Ada"}]})) < N
    assert 0 < len(ours({"$and": [{"year": {"$gte": 2022}}, {"new": True}]})) < N
