"""What the standings let one conclude: which configuration to take, and how many more questions would tell more."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from pipelines.compare.wording import number
from pipelines.errors import counted
from pipelines.records import DoubleArray, Metric
from pipelines.resampling.means import finite
from pipelines.sweeps.proposal import cheapest
from pipelines.sweeps.reported import MoreQuestions, Proposal, Selection
from pipelines.sweeps.selection import ALPHA, Standings

# Beyond this, asking more questions is no plan.
PRACTICAL_QUESTIONS = 100_000
# The spread of fewer differences says too little to plan by.
LEAST_TO_PLAN_BY = 10


def conclude(
    found: Standings, numbers: Sequence[int], objective: Metric, costs: DoubleArray, cost_metrics: Sequence[Metric]
) -> Selection:
    """Put the standings into numbers of configurations and sentences; `costs` is [n_configurations, n_costs]."""
    identical, tied = found.positions("identical"), found.positions("identical", "tied")
    n_worse = len(found.positions("worse"))
    n_questions = int(np.count_nonzero(found.basis.questions))
    n_comparisons = int(np.count_nonzero(~np.isnan(found.p)))
    return Selection(
        winner=numbers[found.winner],
        tied=tuple(numbers[i] for i in tied),
        identical=tuple(numbers[i] for i in identical),
        n_worse=n_worse,
        n_comparisons=n_comparisons,
        n_questions=n_questions,
        proposal=_proposal(found, numbers, objective, costs, cost_metrics),
        more_questions=more_questions(found, numbers),
        sentence=_selection_sentence(found, numbers, objective, n_questions, (len(tied), len(identical), n_worse)),
    )


def _selection_sentence(
    found: Standings, numbers: Sequence[int], objective: Metric, n_questions: int, counts: tuple[int, int, int]
) -> str:
    n_tied, n_identical, n_worse = counts
    best = (
        f"#{numbers[found.winner]} has the best {objective.name}: {_amount(found.mean[found.winner], objective)} on "
        f"{counted(n_questions, 'question')}."
    )
    if not n_tied + n_worse:
        return f"{best} Nothing else was ranked."
    others = f"{n_tied:,} of {n_tied + n_worse:,} others are not shown to be worse (p after Holm, 0.05)"
    same = f", {n_identical:,} of them identical to it on every question" if n_identical else ""
    return f"{best} {others}{same}."


def _proposal(
    found: Standings, numbers: Sequence[int], objective: Metric, costs: DoubleArray, metrics: Sequence[Metric]
) -> Proposal:
    candidates = _as_good_alone(found)
    choice = cheapest(costs[candidates], metrics)
    taken, winner = candidates[choice.position], found.winner
    if choice.decided_by is None:
        sentence = _kept_sentence(numbers[winner], len(candidates) - 1, costs[candidates], metrics)
        return Proposal(numbers[winner], None, None, None, None, sentence)
    cost, before = (float(costs[i, choice.decided_by]) for i in (taken, winner))
    saved = 1 - cost / before if before else 0.0
    metric = metrics[choice.decided_by]
    sentence = _saving_sentence(found, numbers, taken, objective, (metric, cost, before))
    return Proposal(numbers[taken], metric.name, cost, before, saved, sentence)


def _as_good_alone(found: Standings) -> list[int]:
    """Return the winner, and what even a comparison by itself does not tell from it, neither by p nor by interval.

    Over many rows the correction leaves nearly everything tied; the cheapest of that would be the worst there is.
    """
    apart = (found.p < ALPHA) | (found.low > 0) | (found.high < 0)
    return [i for i in found.positions("winner", "identical", "tied") if not apart[i]]


def _kept_sentence(winner: int, n_tied: int, costs: DoubleArray, metrics: Sequence[Metric]) -> str:
    known = [m.name for m, column in zip(metrics, costs.T, strict=True) if not np.isnan(column).any()]
    if not n_tied:
        return f"Take the winner, #{winner}: nothing else would pass for as good."
    if not known:
        return f"Take the winner, #{winner}: no cost is known of all {n_tied + 1:,} that it is tied with."
    return (
        f"Take the winner, #{winner}: nothing cheaper by a margin that counts ({', '.join(known)}) would pass for as "
        "good, compared alone."
    )


def _saving_sentence(
    found: Standings, numbers: Sequence[int], taken: int, objective: Metric, saving: tuple[Metric, float, float]
) -> str:
    metric, cost, before = saving
    less = (
        f"{100 * (1 - cost / before):.0f} % less {metric.name} ({_amount(cost, metric)} against "
        f"{_amount(before, metric)})"
    )
    if found.standing[taken] == "identical":
        return f"Take #{numbers[taken]}: identical to the winner, #{numbers[found.winner]}, at {less}."
    return (
        f"Take #{numbers[taken]}: not shown to be worse than the winner, #{numbers[found.winner]} ({objective.name} "
        f"differs by {number(found.difference[taken])}{_doubt(found, taken)}), at {less}."
    )


def _doubt(found: Standings, taken: int) -> str:
    """Say how far behind the one proposed may be."""
    if not math.isfinite(found.low[taken]):
        return ""
    return f", 95 % interval {number(found.low[taken])} to {number(found.high[taken])}"


def more_questions(found: Standings, numbers: Sequence[int]) -> MoreQuestions:
    """Return how many more questions like these would show the difference seen in four of five attempts.

    needed = n * (smallest detectable difference / difference)**2, rounded up, from the winner and the best one that is
    not identical to it; two-sided 0.05, no correction: it is a plan for these two alone.
    """
    rivals = found.positions("tied", "worse")
    if not rivals:
        return _no_plan(None, 0, None, "there is nothing else that differs from the winner")
    rival = rivals[0]
    n, difference = int(found.n_shared[rival]), finite(found.difference[rival])
    if found.standing[rival] == "worse":
        return _no_plan(numbers[rival], n, difference, "they are already separated")
    if n < LEAST_TO_PLAN_BY:
        return _no_plan(numbers[rival], n, difference, f"{n} questions in common are too few to plan by")
    if not difference or not math.isfinite(found.smallest_detectable[rival]):
        return _no_plan(numbers[rival], n, difference, "their means are equal, or all differences are")
    if found.p[rival] < ALPHA:
        why = f"alone they differ (p < {ALPHA}), only not among all comparisons: test these two on fresh questions"
        return _no_plan(numbers[rival], n, difference, why)
    needed = math.ceil(n * (found.smallest_detectable[rival] / difference) ** 2)
    n_more = max(1, needed - n)
    return MoreQuestions(numbers[rival], n, n_more, difference, _plan(found, numbers, rival, n, n_more))


def _plan(found: Standings, numbers: Sequence[int], rival: int, n: int, n_more: int) -> str:
    pair = f"#{numbers[found.winner]} and #{numbers[rival]}"
    if n_more > PRACTICAL_QUESTIONS:
        return f"No practical number of questions would separate {pair}: choose by cost."
    return (
        f"About {n_more:,} more questions like these {n:,} would separate {pair} in four of five attempts, if the "
        "difference is what it seems; it is probably smaller, the winner being the luckiest."
    )


def _no_plan(against: int | None, n: int, difference: float | None, reason: str) -> MoreQuestions:
    return MoreQuestions(against, n, None, difference, f"No number of further questions is given: {reason}.", reason)


def _amount(value: float, metric: Metric) -> str:
    return number(value) if metric.unit is None else f"{number(value)} {metric.unit}"
