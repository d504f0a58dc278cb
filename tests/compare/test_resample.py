"""Means and their bootstrap intervals: hand arithmetic, a plain loop, scipy, coverage, and equality to the bit."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pipelines.errors import ComparisonError
from pipelines.resampling.grid import Grid, column_means
from pipelines.resampling.means import Interval, mean_intervals

NAN = math.nan


def test_means_and_counts_leave_out_what_was_not_scored() -> None:
    found = mean_intervals(np.array([[1.0, NAN, NAN], [0.0, 0.5, NAN], [0.5, NAN, NAN]]), resamples=200)
    assert found.mean[0] == (1.0 + 0.0 + 0.5) / 3
    assert found.n.tolist() == [3, 1, 0]
    assert found.unscored.tolist() == [0, 2, 3]
    assert found[1] == Interval(mean=0.5, low=None, high=None, n=1, unscored=2)
    assert found[2] == Interval(mean=None, low=None, high=None, n=0, unscored=3)


def test_equal_values_give_an_interval_without_width() -> None:
    found = mean_intervals(np.full((7, 1), 0.1), resamples=200)
    assert found[0] == Interval(mean=0.1, low=0.1, high=0.1, n=7, unscored=0)


@pytest.mark.parametrize("shape", [(0, 3), (4, 0), (0, 0)])
def test_empty_tables(shape: tuple[int, int]) -> None:
    found = mean_intervals(np.empty(shape), resamples=200)
    assert len(found) == shape[1]
    assert np.isnan(found.mean).all()


def test_two_questions_have_the_three_means_that_can_be_drawn() -> None:
    # Drawing two of {0, 1}: mean 0 with probability 1/4, 1/2 with 1/2, 1 with 1/4; both tails are beyond 2.5 %.
    found = mean_intervals(np.array([[0.0], [1.0]]))
    assert (found.mean[0], found.low[0], found.high[0]) == (0.5, 0.0, 1.0)


def test_equals_a_plain_loop_over_the_same_draws() -> None:
    values = np.random.default_rng(5).random((40, 3))
    values[::4, 1] = NAN
    values[3:, 2] = NAN
    drawn = np.random.default_rng([9, 0]).integers(0, 40, size=(2_000, 40))
    found = mean_intervals(values, resamples=2_000, seed=9)
    for i, column in enumerate(values.T):
        means = [np.nanmean(c) for c in (column[row] for row in drawn) if not np.isnan(c).all()]
        assert (found.low[i], found.high[i]) == pytest.approx(np.percentile(means, [2.5, 97.5]), abs=1e-12)
    assert len(means) < 2_000  # three of forty scored: some resamples hold none of them and are left out


def test_agrees_with_scipy() -> None:
    values = np.random.default_rng(1).beta(0.5, 0.7, size=(150, 1))
    reference = stats.bootstrap(
        (values[:, 0],), np.mean, method="percentile", n_resamples=10_000, rng=np.random.default_rng(2)
    )
    found = mean_intervals(values, seed=3)
    width = reference.confidence_interval.high - reference.confidence_interval.low
    assert found.low[0] == pytest.approx(reference.confidence_interval.low, abs=0.03 * width)
    assert found.high[0] == pytest.approx(reference.confidence_interval.high, abs=0.03 * width)


@pytest.mark.parametrize("unscored_share", [0.0, 0.3])
def test_intervals_cover_the_true_mean_about_as_often_as_they_say(unscored_share: float) -> None:
    random = np.random.default_rng(11)
    values = (random.random((80, 600)) < 0.6).astype(np.float64)
    values[random.random(values.shape) < unscored_share] = NAN
    found = mean_intervals(values, resamples=1_000, seed=4)
    covered = np.mean((found.low <= 0.6) & (found.high >= 0.6))
    assert 0.92 <= covered <= 0.975  # 600 tables: the standard error of 0.95 is 0.009


def _mixed() -> np.ndarray:
    values = np.random.default_rng(8).random((101, 37)) * np.logspace(-6, 6, 37)
    values[::7, ::3] = NAN
    values[::2, ::5] = NAN
    return values


def test_equal_seeds_give_equal_bits_for_every_block_size_and_neighbour() -> None:
    values = _mixed()
    whole = mean_intervals(values, resamples=999, seed=1)
    for block_bytes in (1, 10_007, 300_000):
        again = mean_intervals(values, resamples=999, seed=1, block_bytes=block_bytes)
        assert (whole.low.tobytes(), whole.high.tobytes()) == (again.low.tobytes(), again.high.tobytes())
    for i in (0, 3, 36):
        alone = mean_intervals(values[:, [i]], resamples=999, seed=1)
        assert (alone.mean[0], alone.low[0], alone.high[0]) == (whole.mean[i], whole.low[i], whole.high[i])


def test_another_seed_gives_other_draws() -> None:
    values = _mixed()
    assert mean_intervals(values, seed=1, resamples=200).low[0] != mean_intervals(values, seed=2, resamples=200).low[0]


@given(
    st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40),
)
def test_sums_on_the_grid_do_not_depend_on_their_order(values: list[float]) -> None:
    column = np.array(values)[:, None]
    grid = Grid.of(column)
    one, other = grid.whole[:, 0].tolist(), grid.whole[::-1, 0].tolist()
    assert sum(one) == sum(other) == math.fsum(one)
    back = np.ldexp(grid.whole, grid.exponent)
    assert np.abs(back - column).max() <= len(values) * 2.0**-51 * np.abs(column).max()


def test_column_means_are_correctly_rounded() -> None:
    # Added up from left to right, 1e16 swallows both ones.
    assert column_means(np.array([[1.0], [1e16], [1.0], [-1e16]]))[0] == 0.5


@pytest.mark.parametrize("resamples", [0, 99, 1_000_001])
def test_refuses_numbers_of_resamples(resamples: int) -> None:
    with pytest.raises(ComparisonError, match=f"between 100 and 1000000, but got {resamples}"):
        mean_intervals(np.zeros((3, 1)), resamples=resamples)


def test_refuses_a_negative_seed_and_infinite_values() -> None:
    with pytest.raises(ComparisonError, match="seed must be 0 or greater, but got -1"):
        mean_intervals(np.zeros((3, 1)), seed=-1)
    with pytest.raises(ValueError, match="some are infinite"):
        mean_intervals(np.array([[1.0], [math.inf]]))
