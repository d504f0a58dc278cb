"""Dev beside test, configuration by configuration, and the estimate from dev alone where there is no test."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipelines.compare.wording import number
from pipelines.records import DoubleArray, Metric
from pipelines.resampling.grid import column_means
from pipelines.resampling.means import finite
from pipelines.sweeps.optimism import LEAST_QUESTIONS, difference_interval, out_of_bag
from pipelines.sweeps.reported import Optimism, OptimismEstimate
from pipelines.sweeps.selection import Standings

OUT_OF_BAG_RESAMPLES = 1_000
LEAST_TO_ESTIMATE = 10


def on_test(
    number_: int, run_id: str, dev: DoubleArray, test: DoubleArray | None, objective: Metric, seed: int
) -> Optimism:
    """Return one configuration's dev mean, test mean and their difference; `test` is None where it was not measured."""
    known = dev[~np.isnan(dev)]
    unseen = np.empty(0) if test is None else test[~np.isnan(test)]
    dev_mean, test_mean = (finite(column_means(values[:, None])[0]) for values in (known, unseen))
    if dev_mean is None or test_mean is None:
        reason = "not measured on test" if test is None else "no question is scored on " + _empty(dev_mean)
        sentence = f"#{number_}: dev and test cannot be compared, {reason}."
        return Optimism(
            number_, run_id, dev_mean, len(known), test_mean, len(unseen), None, None, None, sentence, reason
        )
    low, high, reason_ = None, None, None
    if min(len(known), len(unseen)) >= LEAST_QUESTIONS:
        low, high = difference_interval(known, unseen, seed=seed)
    else:
        reason_ = "a single question has no spread to judge by"
    difference = dev_mean - test_mean
    sentence = _test_sentence(number_, objective, (dev_mean, test_mean), (len(known), len(unseen)), (low, high))
    return Optimism(
        number_, run_id, dev_mean, len(known), test_mean, len(unseen), difference, low, high, sentence, reason_
    )


def _empty(dev_mean: float | None) -> str:
    return "dev" if dev_mean is None else "test"


def _test_sentence(
    number_: int,
    objective: Metric,
    means: tuple[float, float],
    n: tuple[int, int],
    interval: tuple[float | None, float | None],
) -> str:
    low, high = interval
    between = "" if low is None or high is None else f" (95 % interval {number(low)} to {number(high)})"
    beyond = low is not None and high is not None and (low > 0 if objective.higher_is_better else high < 0)
    verdict = "dev flattered it" if beyond else "no more than chance could give"
    return (
        f"#{number_} reaches {objective.name} {number(means[1])} on {n[1]:,} test questions, {number(means[0])} on "
        f"{n[0]:,} dev questions: dev minus test is {number(means[0] - means[1])}{between}, {verdict}."
    )


def estimate(
    found: Standings, values: DoubleArray, tie_order: Sequence[int], objective: Metric, seed: int
) -> OptimismEstimate:
    """Estimate what the winner's dev mean would fall to on new questions; `tie_order` decides between equal means."""
    n = int(np.count_nonzero(found.basis.questions))
    rows = [i for i in tie_order if found.basis.ranked[i]]
    dev_mean = finite(found.mean[found.winner])
    if len(rows) < 2:
        return _no_estimate(dev_mean, n, "only one configuration is ranked, so nothing was chosen")
    if n < LEAST_TO_ESTIMATE:
        return _no_estimate(dev_mean, n, f"{n} questions are too few")
    bag = out_of_bag(
        values[rows][:, found.basis.questions],
        higher_is_better=objective.higher_is_better,
        winner=rows.index(found.winner),
        resamples=OUT_OF_BAG_RESAMPLES,
        seed=seed,
    )
    if bag is None or dev_mean is None:
        return _no_estimate(dev_mean, n, "no question is left to score on")
    sentence = (
        f"Estimated without test questions: a configuration chosen so is to be expected at {objective.name} "
        f"{number(bag.expected)} on new questions, not {number(dev_mean)}; the winner won again in "
        f"{100 * bag.same_winner:.0f} % of {OUT_OF_BAG_RESAMPLES:,} resamples."
    )
    return OptimismEstimate(
        dev_mean, bag.expected, dev_mean - bag.expected, bag.same_winner, n, OUT_OF_BAG_RESAMPLES, sentence
    )


def _no_estimate(dev_mean: float | None, n: int, reason: str) -> OptimismEstimate:
    sentence = f"No optimism is estimated: {reason}."
    return OptimismEstimate(dev_mean, None, None, None, n, OUT_OF_BAG_RESAMPLES, sentence, reason)
