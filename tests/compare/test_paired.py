"""Paired differences: hand arithmetic, the permutation test against full enumeration and scipy, and its level."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pipelines.compare.holm import holm
from pipelines.compare.paired import Paired, paired, refined_patterns

NAN = math.nan


def _one(baseline: list[float], values: list[float], higher_is_better: bool = True, **settings: int) -> Paired:
    """Compare a single metric of a single run."""
    old, new = np.array(baseline)[:, None], np.array(values)[None, :, None]
    return paired(old, new, higher_is_better=np.array([higher_is_better]), **settings)


def _p(differences: list[float], **settings: int) -> float:
    return float(_one([0.0] * len(differences), differences, **settings).p[0, 0])


def test_by_hand() -> None:
    found = _one([0.2, 0.4, 0.5, 1.0, 0.0], [0.6, 0.4, 0.3, NAN, 0.8])
    # Over the four questions scored in both: differences 0.4, 0, -0.2, 0.8.
    assert (found.n[0, 0], found.dropped[0, 0]) == (4, 1)
    assert found.baseline_mean[0, 0] == pytest.approx((0.2 + 0.4 + 0.5 + 0.0) / 4)
    assert found.mean[0, 0] == pytest.approx((0.6 + 0.4 + 0.3 + 0.8) / 4)
    assert found.difference[0, 0] == pytest.approx((0.4 + 0 - 0.2 + 0.8) / 4)
    assert (found.wins[0, 0], found.ties[0, 0], found.losses[0, 0]) == (2, 1, 1)
    # The mean is 0.25, squares 0.15**2 + 0.25**2 + 0.45**2 + 0.55**2 = 0.59, sd = sqrt(0.59 / 3).
    assert found.smallest_detectable[0, 0] == pytest.approx((1.959964 + 0.841621) * math.sqrt(0.59 / 3) / math.sqrt(4))
    # Sums of (+-0.4, +-0.2, +-0.8) at least 1.0 from zero: 1.4, 1.0 (with -0.2) and both mirrored: 4 of 8.
    assert found.p[0, 0] == 4 / 8


def test_wins_follow_the_direction_of_the_metric_and_the_difference_does_not() -> None:
    higher, lower = (_one([1.0, 2.0, 3.0], [2.0, 3.0, 1.0], direction) for direction in (True, False))
    assert (higher.wins[0, 0], higher.losses[0, 0]) == (2, 1)
    assert (lower.wins[0, 0], lower.losses[0, 0]) == (1, 2)
    assert higher.p[0, 0] == lower.p[0, 0]
    assert higher.difference[0, 0] == lower.difference[0, 0] == 0


def test_equal_numbers() -> None:
    found = _one([0.1, 0.7, 0.3], [0.1, 0.7, 0.3])
    assert (found.difference[0, 0], found.low[0, 0], found.high[0, 0], found.p[0, 0]) == (0, 0, 0, 1)
    assert found.ties[0, 0] == 3
    assert math.isnan(found.smallest_detectable[0, 0])


def test_float_noise_is_a_tie() -> None:
    assert 0.1 + 0.2 != 0.3
    found = _one([0.3] * 20, [0.1 + 0.2] * 20)
    assert (found.ties[0, 0], found.p[0, 0], found.difference[0, 0]) == (20, 1.0, 0.0)
    assert (0.3 - 0.2) + (0.0 - 0.1) != 0
    assert _one([0.2, 0.1], [0.3, 0.0]).difference[0, 0] == 0
    assert _one([1e9], [1e9 + 1e-4]).ties[0, 0] == 1
    assert _one([1e-7], [2e-7]).wins[0, 0] == 1  # dollars a question


def test_one_question_has_no_spread() -> None:
    found = _one([0.0], [1.0])
    assert (found.difference[0, 0], found.p[0, 0], found.n[0, 0]) == (1.0, 1.0, 1)
    assert np.isnan([found.low[0, 0], found.high[0, 0], found.smallest_detectable[0, 0]]).all()


def test_nothing_in_common() -> None:
    found = _one([NAN, 1.0], [1.0, NAN])
    assert (found.n[0, 0], found.dropped[0, 0]) == (0, 2)
    assert np.isnan([found.difference[0, 0], found.p[0, 0], found.mean[0, 0], found.baseline_mean[0, 0]]).all()


@pytest.mark.parametrize("n", range(1, 14))
def test_small_tables_are_enumerated(n: int) -> None:
    differences = np.round(np.random.default_rng(n).normal(0.2, 0.5, n), 1)  # rounded: many sums tie
    observed = abs(differences.sum())
    sums = [abs(np.dot(signs, differences)) for signs in itertools.product((-1, 1), repeat=n)]
    assert _p(differences.tolist()) == sum(s >= observed - 1e-9 for s in sums) / 2**n


@given(st.lists(st.sampled_from([-0.3, -0.1, 0.0, 0.1, 0.2, 0.3]), min_size=2, max_size=9))
def test_agrees_with_scipy_where_it_enumerates(differences: list[float]) -> None:
    tenths = np.round(10 * np.array(differences))  # whole numbers: scipy has no noise to stumble over
    reference = stats.permutation_test((tenths,), np.sum, permutation_type="samples", n_resamples=np.inf)
    assert _p(differences, resamples=100) == pytest.approx(reference.pvalue, abs=1e-12)


def test_ties_add_nothing_to_enumerate() -> None:
    moving = [0.5, 0.5, 0.5, -0.25, 0.5]
    assert _p(moving + [0.0] * 495) == _p(moving)


def test_drawn_patterns_agree_with_enumeration() -> None:
    differences = np.random.default_rng(3).normal(0.5, 0.6, 16)
    signs = np.array(list(itertools.product((-1, 1), repeat=16)))
    exact = np.mean(np.abs(signs @ differences) >= abs(differences.sum()) - 1e-9)
    assert 0.02 < exact < 0.5
    assert _p(differences.tolist(), resamples=50_000) == pytest.approx(exact, abs=4 * math.sqrt(exact / 50_000))


def test_a_clear_difference_reaches_the_smallest_p_that_the_patterns_allow() -> None:
    assert _p([0.5] * 60) == 1 / 10_001
    assert _p([0.5] * 60, patterns=40_000) == 1 / 40_001


def test_tables_of_any_size_can_show_a_difference() -> None:
    # With 10,000 patterns 1,000 comparisons could never be significant: 1,000 * 1 / 10,001 > 0.05.
    random = np.random.default_rng(6)
    baseline, others = random.random((60, 20)), random.random((50, 60, 20))
    others[7, :, 3] = baseline[:, 3] + 0.2
    found = holm(paired(baseline, others, higher_is_better=np.ones(20, dtype=bool)).p)
    assert refined_patterns(10_000, 1_000) == 100_000
    assert found[7, 3] == pytest.approx(1_000 / 100_001)
    assert np.count_nonzero(found < 0.05) == 1


def test_p_is_below_alpha_as_often_as_alpha_where_there_is_no_difference() -> None:
    random = np.random.default_rng(2)
    others = random.random((2_000, 30, 1)) - 0.5
    p = paired(np.zeros((30, 1)), others, higher_is_better=np.array([True]), resamples=500, patterns=500).p
    for alpha in (0.01, 0.05, 0.2):
        assert np.mean(p <= alpha) == pytest.approx(alpha, abs=4 * math.sqrt(alpha / 2_000))


def test_the_smallest_detectable_difference_is_found_in_four_of_five_attempts() -> None:
    random = np.random.default_rng(12)
    noise = random.normal(0.0, 1.0, (400, 100, 1))
    effect = (1.959964 + 0.841621) / math.sqrt(100)
    p = paired(np.zeros((100, 1)), noise + effect, higher_is_better=np.array([True]), resamples=1_000).p
    assert np.mean(p < 0.05) == pytest.approx(0.8, abs=0.06)  # three standard errors of 400 attempts


def test_intervals_of_the_difference_cover_it() -> None:
    random = np.random.default_rng(13)
    baseline = random.random((70, 1))
    others = np.clip(baseline[None] + random.normal(0.0, 0.3, (600, 70, 1)), -1, 2)
    found = paired(baseline, others, higher_is_better=np.array([True]), resamples=1_000, patterns=1_000)
    assert 0.92 <= np.mean((found.low <= 0) & (found.high >= 0)) <= 0.975


def _table() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(4)
    baseline, others = random.random((90, 5)), random.random((6, 90, 5))
    others[:, ::9, 2] = NAN
    baseline[5:, 4] = NAN
    others[2] = np.where(random.random((90, 5)) < 0.95, baseline, others[2])
    others[3] += 0.3
    return baseline, others


def test_equal_seeds_give_equal_bits_for_every_block_size() -> None:
    baseline, others = _table()
    better = np.array([True, False, True, True, False])
    settings = {"higher_is_better": better, "resamples": 700, "patterns": 3_000, "seed": 5}
    whole = paired(baseline, others, **settings)
    for block_bytes in (1, 5_003, 200_000):
        again = paired(baseline, others, block_bytes=block_bytes, **settings)
        assert all(getattr(whole, name).tobytes() == getattr(again, name).tobytes() for name in vars(whole))


def test_a_run_is_judged_the_same_whatever_else_is_in_the_table() -> None:
    baseline, others = _table()
    better = np.ones(5, dtype=bool)
    whole = paired(baseline, others, higher_is_better=better, patterns=10_000)
    alone = paired(baseline, others[[3]], higher_is_better=better, patterns=10_000)
    assert all(getattr(whole, name)[3].tobytes() == getattr(alone, name)[0].tobytes() for name in vars(whole))


def test_every_question_is_accounted_for() -> None:
    baseline, others = _table()
    found = paired(baseline, others, higher_is_better=np.ones(5, dtype=bool), resamples=100)
    assert (found.wins + found.ties + found.losses == found.n).all()
    assert (found.n + found.dropped == 90).all()
