"""The Pareto front: by hand, against the definition, and what unknown values and duplicates do."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pipelines.sweeps.pareto import front

NAN = math.nan


def test_by_hand() -> None:
    # Quality up, tokens down: the second is worse and dearer than the first, the fourth dearer than its equal.
    points = np.array([[0.8, 500.0], [0.7, 600.0], [0.9, 900.0], [0.9, 901.0], [0.2, 100.0]])
    assert front(points, np.array([True, False])).tolist() == [True, False, True, False, True]
    assert front(points, np.array([True, True])).tolist() == [False, False, False, True, False]
    assert front(points[:, :1], np.array([True])).tolist() == [False, False, True, True, False]


def test_duplicates_stay_together_and_unknown_values_never_dominate() -> None:
    points = np.array([[1.0, 1.0], [1.0, 1.0], [2.0, NAN], [NAN, 0.0], [0.5, 2.0]])
    assert front(points, np.array([True, False])).tolist() == [True, True, False, False, False]
    assert front(np.full((3, 2), NAN), np.array([True, False])).tolist() == [False] * 3
    assert front(np.empty((0, 2)), np.array([True, False])).tolist() == []


@given(arrays(np.float64, st.tuples(st.integers(0, 12), st.integers(1, 3)), elements=st.sampled_from([0.0, 1.0, 2.0])))
def test_is_the_definition(points: np.ndarray) -> None:
    higher = np.array([True, False, True])[: points.shape[1]]
    better = np.where(higher, points, -points)
    expected = [not any((b >= a).all() and (b > a).any() for b in better) for a in better]
    assert front(points, higher).tolist() == expected
    assert front(points, higher, block_bytes=1).tolist() == expected
