"""Every filter: shapes, and that no chunk is left out without a condition."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipelines.codecs import CANDIDATES
from pipelines.records import PADDING, Candidates, Column
from pipelines.stages.filter import Asked, Filter

from .registry import build, one_knob_changed, registered

EVERY = registered("filter")
BANK, OTHER = "Meridian Bank Group", "Halden Shipping"
COLUMNS = {
    "number": Column.of([1, 2, 3, None, 5]),
    "name": Column.of(["a", None, "b", "a", "c"]),
    "company": Column.of([BANK, OTHER, BANK, None, OTHER]),
    "year": Column.of([2023, 2023, 2024, 2024, None]),
}
ASKED = [
    Asked("one?", {}),
    Asked("What did Halden earn in 2023?", {"number": 3}),
    Asked("", {"name": "a", "year": 1999}),
    Asked("MBG in 2024, and Meridian since 2023", {"company": BANK, "year": 2024}),
]


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
        assert sorted(int(q) for rows, _ in groups for q in rows) == [0, 1, 2, 3]


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


@pytest.mark.parametrize("component", EVERY)
def test_a_question_alone_is_filtered_as_among_others(component: type[Filter]) -> None:
    for one in one_knob_changed(component):
        together = one.candidates(ASKED, COLUMNS, 5)
        for q, asked in enumerate(ASKED):
            alone = one.candidates([asked], COLUMNS, 5)
            for name in ("allowed", "level"):
                rows = [_row(found, name, i) for found, i in ((together, q), (alone, 0))]
                assert np.array_equal(*rows)


def _row(found: Candidates, name: str, question: int) -> object:
    array, mask = getattr(found, name), found.mask[question]
    return None if mask == PADDING or array is None else array[mask]


@pytest.mark.parametrize("component", EVERY)
def test_candidates_are_kept_as_they_are(component: type[Filter], tmp_path: Path) -> None:
    for n, one in enumerate(one_knob_changed(component)):
        found, folder = one.candidates(ASKED, COLUMNS, 5), tmp_path / str(n)
        folder.mkdir()
        CANDIDATES.save(found, folder)
        again = CANDIDATES.load(folder)
        for name in ("mask", "allowed", "level", "bonus", "agreement"):
            assert np.array_equal(getattr(found, name), getattr(again, name))
