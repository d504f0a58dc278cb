"""Holm's correction: worked by hand, and what must hold of any p-values."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipelines.compare.holm import holm

P = st.floats(0.0, 1.0)


def test_by_hand() -> None:
    # In order 0.01, 0.02, 0.03, 0.5: 4 * 0.01 = 0.04, 3 * 0.02 = 0.06, 2 * 0.03 = 0.06, 1 * 0.5 = 0.5.
    assert np.allclose(holm(np.array([0.03, 0.01, 0.5, 0.02])), [0.06, 0.04, 0.5, 0.06], atol=1e-15)


def test_never_falls_along_the_order() -> None:
    # 3 * 0.02 = 0.06, then 2 * 0.021 = 0.042 is lifted to 0.06, then 1 * 0.9.
    assert np.allclose(holm(np.array([0.02, 0.021, 0.9])), [0.06, 0.06, 0.9], atol=1e-15)


def test_is_capped_at_one() -> None:
    assert holm(np.array([0.6, 0.7])).tolist() == [1.0, 1.0]


def test_what_has_no_p_is_left_out_and_does_not_count() -> None:
    found = holm(np.array([[0.01, math.nan], [0.04, math.nan]]))
    assert found.shape == (2, 2)
    assert np.allclose(found[:, 0], [0.02, 0.04], atol=1e-15)  # two comparisons, not four
    assert np.isnan(found[:, 1]).all()


def test_nothing_to_correct() -> None:
    assert holm(np.empty((0, 3))).shape == (0, 3)
    assert np.isnan(holm(np.array([math.nan]))).all()


@given(st.lists(P, min_size=1, max_size=30))
def test_is_never_below_the_raw_p_nor_above_bonferroni_and_keeps_their_order(values: list[float]) -> None:
    p = np.array(values)
    adjusted = holm(p)
    assert (adjusted >= p).all()
    assert (adjusted <= np.minimum(1.0, len(p) * p)).all()
    assert (np.diff(adjusted[np.argsort(p, kind="stable")]) >= 0).all()


@given(st.lists(P, min_size=1, max_size=12), st.floats(0.001, 0.2))
def test_rejects_what_the_step_down_procedure_rejects(values: list[float], alpha: float) -> None:
    rejected = set()
    for step, i in enumerate(sorted(range(len(values)), key=values.__getitem__)):
        if (len(values) - step) * values[i] > alpha:
            break
        rejected.add(i)
    assert set(np.flatnonzero(holm(np.array(values)) <= alpha).tolist()) == rejected


@given(st.lists(P, min_size=1, max_size=12), st.integers(0, 12))
def test_order_of_the_table_does_not_matter(values: list[float], by: int) -> None:
    p = np.array(values)
    assert np.array_equal(np.roll(holm(p), by), holm(np.roll(p, by)))
