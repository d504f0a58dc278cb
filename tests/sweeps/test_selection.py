"""The winner, who is tied with it, the cheapest of them, and how many more questions would tell."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pipelines.compare.holm import holm
from pipelines.compare.paired import paired
from pipelines.records import DoubleArray, Metric
from pipelines.sweeps.basis import basis
from pipelines.sweeps.conclusions import conclude, more_questions
from pipelines.sweeps.proposal import Cheapest, cheapest, cost_order
from pipelines.sweeps.selection import Standings, standings

NAN = math.nan
NDCG = Metric("ndcg@10", "ndcg", True)
USD, TOKENS, LATENCY = (
    Metric("usd", "usd", False, "USD"),
    Metric("context_tokens@10", "context_tokens", False, "tokens"),
    Metric("latency_ms_p50", "latency_ms", False, "ms"),
)


def _found(values: DoubleArray, costs: DoubleArray | None = None, higher_is_better: bool = True) -> Standings:
    prices = np.empty((len(values), 0)) if costs is None else costs
    found = standings(values, prices, higher_is_better=higher_is_better, resamples=1_000)
    assert found is not None
    return found


def _table() -> DoubleArray:
    """Return five rows over 40 questions: the winner, its twin, one a little and one far behind, and one hardly run."""
    random = np.random.default_rng(0)
    winner = random.random(40) * 0.5 + 0.5
    close = winner - random.normal(0.005, 0.1, 40)
    return np.stack([winner - 0.4 * random.random(40), close, winner, winner, np.where(np.arange(40) < 9, 1.0, NAN)])


def test_standings() -> None:
    found = _found(_table())
    assert found.standing == ("worse", "tied", "winner", "identical", "set aside")
    assert found.order.tolist() == [2, 3, 1, 0]
    assert found.positions("tied", "identical") == [3, 1]
    assert (found.winner, found.n_shared.tolist()) == (2, [40, 40, 0, 40, 0])
    assert np.isnan(found.difference[[2, 4]]).all()


def test_the_test_is_that_of_compare_with_holm_over_the_sweep() -> None:
    table = _table()[:4]
    found = _found(table)
    plain = paired(table[2][:, None], table[[3, 1, 0]][:, :, None], higher_is_better=np.array([True]), resamples=1_000)
    assert found.p[[3, 1, 0]].tolist() == plain.p[:, 0].tolist()
    assert found.p_holm[[3, 1, 0]].tolist() == holm(plain.p)[:, 0].tolist()
    assert found.difference[[3, 1, 0]].tolist() == plain.difference[:, 0].tolist()
    assert found.low[[3, 1, 0]].tolist() == plain.low[:, 0].tolist()


def test_where_lower_is_better_the_lowest_wins() -> None:
    found = _found(_table()[:4], higher_is_better=False)
    assert found.standing == ("winner", "worse", "worse", "worse")
    assert (found.difference[1:] > 0).all()


def test_equal_means_go_to_the_cheaper_then_to_the_first() -> None:
    # All three have mean 1/2.
    values = np.array([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]])
    assert _found(values).order.tolist() == [0, 1, 2]
    assert _found(values, np.array([[NAN, 5.0], [3.0, 9.0], [3.0, 8.0]])).order.tolist() == [2, 1, 0]
    # 0.1 + 0.2 and 0.3 differ in the last bit only: the cheaper one wins.
    noise = np.array([[0.1 + 0.2, 0.0], [0.3, 0.0]])
    assert _found(noise, np.array([[2.0], [1.0]])).winner == 1


def test_all_are_ranked_on_the_questions_that_all_scored() -> None:
    # The first left out the hard question: on its own four it has 0.75, on those shared by all the other is better.
    values = np.array([[1.0, 1.0, 1.0, 0.0, NAN], [1.0, 1.0, 1.0, 0.2, 0.0]])
    ground = basis(values)
    assert ground.shared and ground.questions.tolist() == [True] * 4 + [False]
    found = _found(values)
    assert found.winner == 1
    assert found.mean.tolist() == [0.75, pytest.approx(3.2 / 4)]


def test_what_scored_fewer_than_half_is_set_aside_and_what_shares_too_little_stands_alone() -> None:
    some = np.where(np.arange(10) < 4, 1.0, NAN)
    assert basis(np.stack([np.ones(10), some])).ranked.tolist() == [True, False]
    halves = np.stack([np.where(np.arange(10) < 6, 1.0, NAN), np.where(np.arange(10) >= 4, 0.5, NAN)])
    ground = basis(halves)
    # Both scored 6, together 10, in common 2 of 10: each is ranked on its own.
    assert not ground.shared and ground.means(halves).tolist() == [1.0, 0.5]
    assert not basis(np.full((2, 3), NAN)).ranked.any()
    assert standings(np.full((2, 3), NAN), np.empty((2, 0)), higher_is_better=True) is None


def test_the_best_of_equals_is_seldom_shown_to_be_worse() -> None:
    random, shown = np.random.default_rng(5), 0
    for seed in range(200):
        ease = random.normal(0, 1, 60)
        values = (ease + random.normal(0, 0.7, (20, 60)) > 0).astype(np.float64)
        found = standings(values, np.empty((20, 0)), higher_is_better=True, seed=seed, resamples=200)
        assert found is not None
        shown += found.standing[0] == "worse"
    assert shown / 200 <= 0.05 + 3 * 0.0154  # three standard errors of 0.05 with 200 tables


def test_costs_stand_in_order_and_at_the_objectives_cut() -> None:
    five = Metric("context_tokens@5", "context_tokens", False, "tokens")
    p95 = Metric("latency_ms_p95", "latency_ms", False, "ms")
    assert cost_order([p95, LATENCY, five, TOKENS, USD, NDCG], "ndcg@10") == (USD, TOKENS, LATENCY)
    assert cost_order([p95, LATENCY, five, TOKENS], "recall@5") == (five, LATENCY)
    assert cost_order([five, TOKENS, LATENCY, p95], "precision_omega") == (five, LATENCY)


def test_the_cheapest_by_the_first_cost_that_tells_them_apart() -> None:
    costs = [USD, TOKENS, LATENCY]
    # The third costs 4 % more than the second, which counts as equal; of these two it needs fewer tokens.
    assert cheapest(np.array([[2.0, 9.0, 1], [1.0, 9.0, 1], [1.04, 5.0, 1]]), costs) == Cheapest(2, 0)
    assert cheapest(np.array([[1.04, 5.0, 1.0], [1.0, 5.0, 1.0]]), costs) == Cheapest(0, None)
    # An unknown price does not decide for anyone: tokens do.
    assert cheapest(np.array([[2.0, 9.0, 1], [NAN, 8.0, 1]]), costs) == Cheapest(1, 1)
    assert cheapest(np.full((2, 3), NAN), costs) == Cheapest(0, None)


def test_latency_within_its_noise_does_not_decide() -> None:
    assert cheapest(np.array([[1.3], [0.4]]), [LATENCY]) == Cheapest(0, None)  # less than 1 ms apart
    assert cheapest(np.array([[199.0], [100.0]]), [LATENCY]) == Cheapest(0, None)  # less than twice as long
    assert cheapest(np.array([[201.0], [100.0]]), [LATENCY]) == Cheapest(1, 0)


def _concluded(values: DoubleArray, tokens: list[float]):  # type: ignore[no-untyped-def]
    costs = np.array(tokens)[:, None]
    found = _found(values, costs)
    return conclude(found, [10 + i for i in range(len(values))], NDCG, costs, [TOKENS])


def test_the_proposal_says_by_which_cost_and_how_much() -> None:
    values = _table()
    values[1] = values[2] - np.tile([0.02, -0.019], 20)  # behind by 0.0005, which nothing could show
    chosen = _concluded(values, [100.0, 600.0, 1000.0, 1000.0, 1.0])
    assert (chosen.winner, chosen.tied, chosen.identical, chosen.n_worse) == (12, (13, 11), (13,), 1)
    assert (chosen.n_comparisons, chosen.n_questions) == (3, 40)
    # The first is cheapest of all but worse; the second is 600 against 1000.
    proposal = chosen.proposal
    assert (proposal.number, proposal.metric, proposal.cost, proposal.winner_cost) == (11, TOKENS.name, 600.0, 1000.0)
    assert proposal.saved == pytest.approx(0.4)
    assert "40 % less context_tokens@10 (600.0 tokens against 1,000.0 tokens)" in proposal.sentence
    assert "2 of 3 others are not shown to be worse" in chosen.sentence
    assert "1 of them identical to it on every question" in chosen.sentence


def test_what_only_the_correction_keeps_tied_is_not_proposed() -> None:
    # Behind by a little on 40 questions: alone p < 0.05; among 30 comparisons it is tied, like 29 copies of the winner.
    values = np.stack([np.linspace(0.3, 0.9, 40)] * 30 + [np.linspace(0.3, 0.9, 40) - np.tile([0.1, -0.045], 20)])
    chosen = _concluded(values, [1000.0] * 30 + [1.0])
    assert 40 in chosen.tied
    found = _found(values, np.array([1000.0] * 30 + [1.0])[:, None])
    assert found.p[30] < 0.05 <= found.p_holm[30]
    assert chosen.proposal.number == chosen.winner


def test_an_identical_one_that_is_cheaper_is_proposed_and_named() -> None:
    proposal = _concluded(_table(), [1.0, 900.0, 1000.0, 500.0, 1.0]).proposal
    # The twin would have won the tie for being cheaper, so it is the winner itself.
    assert (proposal.number, proposal.metric) == (13, None)
    assert "nothing cheaper by a margin that counts" in proposal.sentence


def test_alone_or_without_costs_the_winner_is_taken() -> None:
    alone = _concluded(_table()[:1], [5.0])
    assert (alone.winner, alone.proposal.number, alone.n_comparisons) == (10, 10, 0)
    assert alone.more_questions.n_more is None and "Nothing else was ranked" in alone.sentence
    assert "no cost is known of all" in _concluded(_table(), [NAN] * 5).proposal.sentence


def test_more_questions_by_hand() -> None:
    # Differences 0.2, -0.1 in turn, 20 of each: mean 0.05, sd = 0.15 * sqrt(40 / 39).
    lower = 0.5 - np.tile([0.2, -0.1], 20)
    plan = more_questions(_found(np.stack([np.full(40, 0.5), lower])), [3, 4])
    sd = 0.15 * math.sqrt(40 / 39)
    needed = math.ceil(((1.959964 + 0.841621) * sd / 0.05) ** 2)  # 73
    assert (plan.against, plan.n, plan.n_more, plan.reason) == (4, 40, needed - 40, None)
    assert plan.difference == pytest.approx(-0.05)
    assert "About 33 more questions" in plan.sentence


def test_more_questions_keep_their_promise() -> None:
    # With as many questions as asked for, the difference is shown in about four of five attempts.
    random, n = np.random.default_rng(8), 73
    shown = 0
    for seed in range(200):
        gap = random.normal(0.05, 0.15 * math.sqrt(40 / 39), n)
        one = np.full(n, 0.5)
        p = paired(
            one[:, None], (one - gap)[None, :, None], higher_is_better=np.array([True]), resamples=500, seed=seed
        )
        shown += bool(p.p[0, 0] < 0.05)
    assert 0.8 - 3 * 0.028 <= shown / 200 <= 0.8 + 3 * 0.028


def test_no_plan_has_a_reason() -> None:
    base = np.linspace(0.2, 0.8, 40)
    twins = more_questions(_found(np.stack([base, base])), [1, 2])
    assert (twins.n_more, twins.against) == (None, None) and "nothing else that differs" in str(twins.reason)
    apart = more_questions(_found(np.stack([base, base - 0.1 * np.linspace(0.5, 1, 40)])), [1, 2])
    assert (apart.n_more, apart.against) == (None, 2) and "already separated" in str(apart.reason)
    even = more_questions(_found(np.tile([[1.0, 0.0], [0.0, 1.0]], 5)), [1, 2])
    assert even.n_more is None and "means are equal" in str(even.reason)
    few = more_questions(_found(np.array([[1.0, 0.5, 0.5], [0.5, 0.6, 0.4]])), [1, 2])
    assert few.n_more is None and "3 questions in common are too few" in str(few.reason)


def test_a_difference_that_only_holm_hides_asks_for_fresh_questions() -> None:
    base = np.linspace(0.3, 0.7, 60)
    # 0.02 behind with a spread of 0.06 on 60 questions: about 2.6 standard errors; the others 0.03 with one of 0.22.
    rival, other = (base - np.tile([mean + spread, mean - spread], 30) for mean, spread in ((0.02, 0.06), (0.03, 0.22)))
    found = _found(np.stack([base, rival, *[other] * 40]))
    assert found.winner == 0 and found.positions("tied", "worse")[0] == 1
    assert found.p[1] < 0.05 <= found.p_holm[1]
    plan = more_questions(found, list(range(42)))
    assert plan.n_more is None and "fresh questions" in str(plan.reason)
