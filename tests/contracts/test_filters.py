"""Every filter: shapes, and that no chunk is left out without a condition."""

from __future__ import annotations

import numpy as np
import pytest

from pipelines.records import PADDING, Column
from pipelines.stages.filter import Asked, Filter

from .registry import build, one_knob_changed, registered

EVERY = registered("filter")
COLUMNS = {"number": Column.of([1, 2, 3, None, 5]), "name": Column.of(["a", None, "b", "a", "c"])}
ASKED = [Asked("one?", {}), Asked("two?", {"number": 3}), Asked("", {"name": "a"})]


@pytest.mark.parametrize("component", EVERY)
def test_shapes(component: type[Filter]) -> None:
    for one in one_knob_changed(component):
        for asked in (ASKED, ASKED[:1], []):
            candidates = one.candidates(asked, COLUMNS, 5)
            assert candidates.mask.dtype == np.int32
            assert candidates.mask.shape == (len(asked),)
            assert candidates.allowed.dtype == np.bool_
            assert candidates.allowed.shape[1] == 5
            assert np.all((candidates.mask >= PADDING) & (candidates.mask < len(candidates.allowed)))


@pytest.mark.parametrize("component", EVERY)
def test_groups_hold_every_question_once(component: type[Filter]) -> None:
    for one in one_knob_changed(component):
        groups = one.candidates(ASKED, COLUMNS, 5).groups()
        assert sorted(int(q) for rows, _ in groups for q in rows) == [0, 1, 2]


@pytest.mark.parametrize("component", EVERY)
def test_without_a_condition_every_chunk_is_left(component: type[Filter]) -> None:
    for _, allowed in build(component).candidates([Asked("one?", {})], COLUMNS, 5).groups():
        assert allowed is None or allowed.all()


@pytest.mark.parametrize("component", EVERY)
def test_no_chunks(component: type[Filter]) -> None:
    none = {name: column.take(np.zeros(0, dtype=np.int32)) for name, column in COLUMNS.items()}
    for one in one_knob_changed(component):
        assert one.candidates(ASKED, none, 0).allowed.shape[1] == 0


@pytest.mark.parametrize("component", EVERY)
def test_it_is_deterministic(component: type[Filter]) -> None:
    for one in one_knob_changed(component):
        first, second = (one.candidates(ASKED, COLUMNS, 5) for _ in range(2))
        assert np.array_equal(first.mask, second.mask)
        assert np.array_equal(first.allowed, second.allowed)
