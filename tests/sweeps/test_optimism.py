"""Optimism: the interval of dev minus test, and the out-of-bag estimate against what it estimates."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from pipelines.records import Metric
from pipelines.sweeps.optimism import difference_interval, out_of_bag
from pipelines.sweeps.optimism_rows import on_test

NAN = math.nan
RECALL = Metric("recall@5", "recall", True)


def test_two_questions_against_one_value() -> None:
    # Dev draws 0, 0.5 or 1 with probability 1/4, 1/2, 1/4; test is always 0.25.
    assert difference_interval(np.array([0.0, 1.0]), np.array([0.25, 0.25])) == (-0.25, 0.75)


def test_interval_agrees_with_scipy_and_swaps_its_sign() -> None:
    random = np.random.default_rng(0)
    dev, test = random.beta(0.5, 0.4, 150), random.beta(0.5, 0.5, 90)
    low, high = difference_interval(dev, test, seed=1)
    reference = stats.bootstrap(
        (dev, test),
        lambda a, b, axis: a.mean(axis) - b.mean(axis),
        method="percentile",
        n_resamples=10_000,
        rng=np.random.default_rng(2),
    ).confidence_interval
    assert (low, high) == pytest.approx((reference.low, reference.high), abs=0.04 * (reference.high - reference.low))
    assert difference_interval(dev, test, seed=1) == (low, high)
    assert difference_interval(test, dev, seed=1) == pytest.approx((-high, -low), abs=0.05 * (high - low))


def test_interval_covers_about_as_often_as_it_says() -> None:
    random = np.random.default_rng(7)
    hits = 0
    for seed in range(300):
        dev, test = random.random(60) < 0.7, random.random(40) < 0.6
        low, high = difference_interval(dev.astype(float), test.astype(float), resamples=500, seed=seed)
        hits += low <= 0.1 <= high
    assert 0.90 <= hits / 300 <= 0.985  # 300 tables: the standard error of 0.95 is 0.013


def _simulated(true_means: np.ndarray, n: int, n_simulations: int) -> tuple[float, float, float]:
    """Return, over simulations of 0/1 scores, the winner's mean dev score, its mean true score, and the estimate."""
    random = np.random.default_rng(11)
    shown, truth, expected = [], [], []
    for seed in range(n_simulations):
        values = (random.random((len(true_means), n)) < true_means[:, None]).astype(np.float64)
        winner = int(values.mean(axis=1).argmax())
        bag = out_of_bag(values, higher_is_better=True, winner=winner, resamples=200, seed=seed)
        assert bag is not None
        shown.append(values[winner].mean())
        truth.append(true_means[winner])
        expected.append(bag.expected)
    return float(np.mean(shown)), float(np.mean(truth)), float(np.mean(expected))


def test_estimate_takes_away_the_luck_of_the_best_of_many() -> None:
    shown, truth, expected = _simulated(np.full(40, 0.5), n=60, n_simulations=150)
    assert shown > truth + 0.1  # the best of 40 equal ones looks much better than it is
    assert expected == pytest.approx(truth, abs=0.01)


def test_estimate_is_slightly_too_low_where_choosing_pays() -> None:
    # It chooses on about 63 % of the questions, and so a little worse than the sweep did.
    shown, truth, expected = _simulated(np.linspace(0.4, 0.65, 30), n=60, n_simulations=150)
    assert truth - 0.03 <= expected <= truth + 0.005 < shown


def test_a_clear_winner_wins_again_and_is_not_flattered() -> None:
    random = np.random.default_rng(2)
    values = np.stack([random.beta(1, 9, 200), random.beta(9, 1, 200)])
    bag = out_of_bag(values, higher_is_better=True, winner=1)
    assert bag is not None and bag.same_winner == 1.0
    assert bag.expected == pytest.approx(values[1].mean(), abs=0.002)
    mirrored = out_of_bag(-values, higher_is_better=False, winner=1)
    assert mirrored is not None and (mirrored.expected, mirrored.same_winner) == (-bag.expected, 1.0)


def test_equals_a_plain_loop_over_the_same_draws() -> None:
    random = np.random.default_rng(4)
    values = random.random((5, 12))
    values[random.random((5, 12)) < 0.2] = NAN
    drawn = np.random.default_rng([3, 5]).integers(0, 12, size=(50, 12))
    scores, again = [], 0
    for row in drawn:
        chosen = int(np.nanargmax([np.nanmean(v[row]) for v in values]))
        outside = values[chosen][np.setdiff1d(np.arange(12), row)]
        if not np.isnan(outside).all():
            scores.append(np.nanmean(outside))
        again += chosen == 2
    bag = out_of_bag(values, higher_is_better=True, winner=2, resamples=50, seed=3)
    assert bag is not None
    assert bag.expected == pytest.approx(np.mean(scores), abs=1e-12)
    assert bag.same_winner == again / 50


def test_one_question_leaves_nothing_to_score() -> None:
    assert out_of_bag(np.array([[1.0], [0.0]]), higher_is_better=True, winner=0) is None


def test_a_row_on_test_by_hand() -> None:
    row = on_test(7, "r", np.array([1.0, 1.0, 0.0, NAN]), np.array([0.0, 1.0, NAN]), RECALL, seed=0)
    assert (row.n_dev, row.n_test) == (3, 2)
    assert (row.dev_mean, row.test_mean) == (2 / 3, 1 / 2)
    assert row.difference == 2 / 3 - 1 / 2
    assert row.low is not None and row.low < 0 < row.high  # type: ignore[operator]
    assert "0.500 on 2 test questions, 0.667 on 3 dev questions" in row.sentence
    assert "no more than chance could give" in row.sentence
    flattered = on_test(7, "r", np.ones(30), np.zeros(30), RECALL, seed=0)
    assert (flattered.low, flattered.high) == (1.0, 1.0) and flattered.sentence.endswith("dev flattered it.")


@pytest.mark.parametrize(
    ("test", "reason"),
    [(None, "not measured on test"), (np.array([NAN]), "no question is scored on test")],
)
def test_what_was_not_measured_has_a_reason(test: np.ndarray | None, reason: str) -> None:
    row = on_test(7, "r", np.array([1.0, 0.0]), test, RECALL, seed=0)
    assert (row.dev_mean, row.test_mean, row.difference, row.low, row.reason) == (0.5, None, None, None, reason)
    alone = on_test(7, "r", np.array([1.0, 0.0]), np.array([1.0]), RECALL, seed=0)
    assert (alone.difference, alone.low) == (-0.5, None) and alone.reason is not None
