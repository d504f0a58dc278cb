"""Racing: the bet is fair under every order, the best is dropped no more often than promised, losers go early."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest

from pipelines.errors import ConfigurationError
from pipelines.records import Metric
from pipelines.sweeps.betting import BOLDNESS, PRIOR_VARIANCE, log_winnings
from pipelines.sweeps.racing import Dropped, Race, check_raceable

NAN = math.nan


def _raced(table: np.ndarray, race: Race) -> tuple[np.ndarray, list[Dropped]]:
    """Race a full table; return who is alive at the end and all who were dropped."""
    alive, dropped = np.ones(len(table), dtype=np.bool_), []
    for seen in race.rounds():
        for one in race.drop(np.where(alive[:, None], table[:, seen], NAN), alive):
            dropped.append(one)
        alive[[one.index for one in dropped]] = False
    return alive, dropped


@pytest.mark.parametrize(
    "differences",
    [
        [1.0, 1.0, -1.0, -1.0, 0.0, 0.0],  # sums to 0: the bet is exactly fair
        [0.9, 0.1, -0.2, -0.3, -0.5, 0.0],
        [1.0, -1.0, -1.0, 0.5, 0.5, -0.2],  # sums to -0.2: it loses
        [-1.0, -1.0, -1.0, 1.0, 1.0, 1.0],
    ],
)
def test_over_all_orders_the_mean_winnings_are_1_at_most(differences: list[float]) -> None:
    orders = np.array(list(itertools.permutations(differences)))
    winnings = np.exp(log_winnings(orders, len(differences)))
    assert np.isfinite(winnings[:, :-1]).all() or sum(differences) < 0
    mean = winnings.mean(axis=0)
    assert (mean <= 1 + 1e-9).all()
    if sum(differences) == 0:
        assert mean[0] == pytest.approx(1)
        assert winnings.std(axis=0)[-1] > 0  # and it did bet


def test_the_first_two_bets_by_hand() -> None:
    first, second = np.exp(log_winnings(np.array([0.5, 0.4]), 4))
    # Before anything is seen mean and c are 0, so nothing is staked.
    assert first == 1
    # Then c = -0.5 / 3; mean 0.5 / 2, variance (1/4 + 0.25 - 2 * 0.25 * 0.5 + 0.0625) / 2, edge 0.25 + 0.5 / 3.
    edge, variance = 0.25 + 0.5 / 3, (PRIOR_VARIANCE + 0.25 - 0.25 + 0.0625) / 2
    stake = min(edge / (variance + edge**2), BOLDNESS / (1 - 0.5 / 3))
    assert second == pytest.approx(1 + stake * (0.4 + 0.5 / 3))


def test_a_lead_that_cannot_be_caught_up_is_certain() -> None:
    # 3 seen of 5, lead 2.7: even two lost by 1 leave 0.7.
    won = log_winnings(np.array([0.9, 0.9, 0.9, -1.0]), 5)
    assert won[3] == math.inf
    assert math.isfinite(log_winnings(np.array([1.0, 1.0, -1.0]), 4)[2])  # two lost would make it even


def _equal_rows(random: np.random.Generator, m: int, n: int) -> np.ndarray:
    """Return 0/1 rows, related by shared questions, each with exactly n / 2 ones: everyone is truly best."""
    ease = random.normal(0, 1, n) + random.normal(0, 0.7, (m, n))
    return (ease.argsort(axis=1).argsort(axis=1) >= n // 2).astype(np.float64)


def _nearly_equal(random: np.random.Generator, m: int, n: int) -> np.ndarray:
    """Return 0/1 rows of which the first has a single question more than all others."""
    table = _equal_rows(random, m, n)
    table[0, np.flatnonzero(table[0] == 0)[0]] = 1
    return table


def _graded(random: np.random.Generator, m: int, n: int) -> np.ndarray:
    """Return rows of the same graded values, U-shaped, in related orders: everyone is truly best."""
    levels = np.sort(random.beta(0.4, 0.6, n))
    ease = random.normal(0, 1, n) + random.normal(0, 0.7, (m, n))
    return levels[ease.argsort(axis=1).argsort(axis=1)]


def _rare(random: np.random.Generator, m: int, n: int) -> np.ndarray:
    """Return rows that are 1 but for four questions each: the differences are rare and large."""
    rows = np.ones((m, n))
    for row in rows:
        row[random.choice(n, 4, replace=False)] = 0
    return rows


@pytest.mark.parametrize("make", [_equal_rows, _nearly_equal, _graded, _rare])
def test_the_best_is_dropped_no_more_often_than_alpha(make: Callable[..., np.ndarray]) -> None:
    random, n_simulations, alpha = np.random.default_rng(1), 250, 0.1
    lost = 0
    for seed in range(n_simulations):
        race = Race(48, 8, alpha=alpha, rounds=4, seed=seed)
        lost += not _raced(make(random, 8, 48), race)[0][0]
    # 0.1 and three of its standard errors: sqrt(0.1 * 0.9 / 250) = 0.019. Forgetting the other rivals gives 0.2 to 0.3.
    assert lost / n_simulations <= alpha + 3 * 0.019


def test_clear_losers_go_at_the_first_look_and_the_leader_stays() -> None:
    random = np.random.default_rng(3)
    chances = np.array([0.8] * 3 + [0.3] * 9)
    table = (random.random((12, 240)) < chances[:, None]).astype(np.float64)
    alive, dropped = _raced(table, Race(240, 12))
    assert {one.index for one in dropped if one.after_n == 48} == set(range(3, 12))
    assert alive[table.mean(axis=1).argmax()]
    assert all(one.by < 3 and one.difference < 0 and one.log_e >= math.log(20) for one in dropped)


def test_what_is_dropped_names_its_means_and_words_them() -> None:
    # Lost every question: 0 against 1 on 20 of 40, so nothing to come can turn it.
    table = np.stack([np.ones(40), np.zeros(40)])
    race = Race(40, 2, rounds=2)
    lost = race.drop(table[:, race.rounds()[0]], np.ones(2, dtype=np.bool_))
    assert [(one.index, one.by, one.after_n, one.n_shared) for one in lost] == [(1, 0, 20, 20)]
    assert (lost[0].mean, lost[0].by_mean, lost[0].difference) == (0.0, 1.0, -1.0)
    assert lost[0].sentence(40, 0.05, 12) == (
        "dropped after 20 of 40 questions: worse than #12 (0.00 against 1.00), error rate 5 % over the sweep"
    )
    certain = race.drop(np.stack([np.ones(39), np.zeros(39)]), np.ones(2, dtype=np.bool_))
    assert certain[0].to_dict()["log_e"] is None


def test_lower_is_better_mirrors_higher_is_better() -> None:
    table = np.random.default_rng(5).random((6, 50)) * np.linspace(0.2, 1, 6)[:, None]
    alive = np.ones(6, dtype=np.bool_)
    low = Race(80, 6, higher_is_better=False).drop(table, alive)
    high = Race(80, 6).drop(1 - table, alive)
    assert [(one.index, one.by) for one in low] == [(one.index, one.by) for one in high] != []
    assert all(one.difference > 0 for one in low)


def test_rounds_are_growing_prefixes_of_one_order() -> None:
    rounds = Race(11, 3, rounds=4, seed=9).rounds()
    assert [len(seen) for seen in rounds] == [3, 6, 9, 11]  # ceil of 2.75, 5.5, 8.25, 11
    assert all((short == long[: len(short)]).all() for short, long in itertools.pairwise(rounds))
    assert sorted(rounds[-1].tolist()) == list(range(11))
    assert (rounds[-1] != Race(11, 3, seed=8).rounds()[-1]).any()
    assert [len(seen) for seen in Race(2, 3).rounds()] == [1, 2]


def test_rows_that_are_out_and_the_order_of_rows_change_nothing() -> None:
    table = np.random.default_rng(6).random((8, 60)) * np.linspace(0.3, 1, 8)[:, None]
    race, alive = Race(100, 8), np.array([True] * 6 + [False] * 2)
    lost = race.drop(table, alive)
    assert lost and all(one.index < 6 and one.by < 6 for one in lost)
    other = table.copy()
    other[6:] = NAN
    assert race.drop(other, alive) == lost
    turned = race.drop(table[::-1], alive[::-1])
    assert {7 - one.index for one in turned} == {one.index for one in lost}


def test_a_question_unscored_for_either_counts_for_neither() -> None:
    table = np.tile([[1.0], [0.0]], (1, 30))
    table[1, :10] = NAN
    lost = Race(60, 2).drop(table, np.ones(2, dtype=np.bool_))
    assert (lost[0].after_n, lost[0].n_shared) == (30, 20)
    as_ties = np.where(np.isnan(table[1]), 1.0, table[1])  # a difference of 0
    tied = Race(60, 2).drop(np.stack([table[0], as_ties]), np.ones(2, dtype=np.bool_))
    assert tied[0].log_e == lost[0].log_e
    assert Race(60, 2).drop(np.full((2, 30), NAN), np.ones(2, dtype=np.bool_)) == []


def test_equal_rows_a_single_row_and_full_tables_lose_nobody() -> None:
    both = np.ones(2, dtype=np.bool_)
    assert Race(50, 2).drop(np.tile(np.arange(40) % 2, (2, 1)).astype(np.float64), both) == []
    assert Race(50, 1).drop(np.zeros((1, 40)), np.ones(1, dtype=np.bool_)) == []
    assert Race(40, 2).drop(np.stack([np.ones(40), np.zeros(40)]), both) == []


def test_refusals() -> None:
    race, both = Race(10, 2), np.ones(2, dtype=np.bool_)
    with pytest.raises(ConfigurationError, match=r"values in \[0, 1\], but got 0 to 412"):
        race.drop(np.array([[412.0, 0.0], [1.0, 1.0]]), both)
    with pytest.raises(ConfigurationError, match="2 configurations, but got 3 rows and 2 marks"):
        race.drop(np.zeros((3, 4)), both)
    with pytest.raises(ConfigurationError, match="10 questions, but got values of 11"):
        race.drop(np.zeros((2, 11)), both)
    with pytest.raises(ConfigurationError, match=r"alpha must be above 0 and at most .*, but got 0"):
        Race(10, 2, alpha=0)
    with pytest.raises(ConfigurationError, match="rounds must be 1 or greater, but got 0"):
        Race(10, 2, rounds=0)
    with pytest.raises(ConfigurationError, match="context_tokens@10 is in tokens"):
        check_raceable(Metric("context_tokens@10", "context_tokens", False, "tokens"))
    check_raceable(Metric("recall@5", "recall", True))
