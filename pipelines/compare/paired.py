"""Runs against a baseline, question by question: differences with intervals, p, wins and what n questions can show."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from pipelines.compare.signflip import sign_flip_p
from pipelines.records import BoolArray, DoubleArray, LongArray
from pipelines.resampling.grid import BLOCK_BYTES, column_means
from pipelines.resampling.means import check_finite, check_resampling, mean_intervals

TIE = 1e-12
# A p of 1 / (1 + patterns), times the number of comparisons, must be able to fall well below 0.05.
PATTERNS_PER_COMPARISON = 100
MOST_PATTERNS = 1_000_000
# Normal quantiles of 1 - 0.05 / 2 and of 0.8: two-sided alpha 0.05, power 0.8.
DETECTABLE = 1.959964 + 0.841621


@dataclass(frozen=True)
class Paired:
    """Every run against the baseline on every metric, arrays of shape [n_runs, n_metrics].

    Both means and all else are over the `n` questions that are scored in both runs; `dropped` is how many are not, so
    `n + dropped` is the number of questions. `difference` is run minus baseline, whichever is better; wins are the
    run's. NaN stands for what cannot be computed: everything where n is 0, interval and smallest detectable
    difference where n is 1, the latter also where all differences are equal.
    """

    baseline_mean: DoubleArray
    mean: DoubleArray
    difference: DoubleArray
    low: DoubleArray
    high: DoubleArray
    p: DoubleArray
    smallest_detectable: DoubleArray
    wins: LongArray
    ties: LongArray
    losses: LongArray
    n: LongArray
    dropped: LongArray

    def reshape(self, n_runs: int, n_metrics: int) -> Paired:
        """Return the same with every array in shape [n_runs, n_metrics]."""
        return Paired(**{f.name: getattr(self, f.name).reshape(n_runs, n_metrics) for f in fields(self)})


def paired(
    baseline: DoubleArray,
    others: DoubleArray,
    *,
    higher_is_better: BoolArray,
    resamples: int = 10_000,
    seed: int = 0,
    patterns: int | None = None,
    block_bytes: int = BLOCK_BYTES,
) -> Paired:
    """Compare `others`, float64 [n_runs, n_questions, n_metrics], with `baseline`, float64 [n_questions, n_metrics].

    NaN is unscored; questions stand in the same order everywhere; `higher_is_better` is bool [n_metrics]. The interval
    is the 95 % percentile bootstrap of the mean difference, p the two-sided sign-flip permutation test, not corrected.
    Values that agree within 1e-12 (of the larger one, where that is above 1) are ties. `patterns` is how many sign
    patterns are drawn where p is small: by default as `refined_patterns` says.

    Raises:
        ComparisonError: for resamples outside 100 to 1,000,000 or a negative seed.
        ValueError: for values that are neither finite nor NaN.
    """
    check_resampling(resamples, seed)
    check_finite(baseline)
    check_finite(others)
    n_runs, _, n_metrics = others.shape
    old, new = _columns(baseline, others)
    difference = differences(old, new)
    tolerance = TIE * _largest(old, new)
    intervals = mean_intervals(difference, resamples=resamples, seed=seed, block_bytes=block_bytes)
    refined = refined_patterns(resamples, n_runs * n_metrics) if patterns is None else patterns
    p = sign_flip_p(
        difference, len(old) * tolerance, patterns=resamples, refined=refined, seed=seed, block_bytes=block_bytes
    )
    gain = np.where(np.tile(higher_is_better, n_runs), difference, -difference)
    return Paired(
        baseline_mean=column_means(old),
        mean=column_means(new),
        difference=np.where(np.abs(intervals.mean) <= tolerance, 0.0, intervals.mean),
        low=intervals.low,
        high=intervals.high,
        p=p,
        smallest_detectable=_smallest_detectable(difference, tolerance),
        wins=_count(gain > 0),
        ties=_count(gain == 0),
        losses=_count(gain < 0),
        n=intervals.n,
        dropped=intervals.unscored,
    ).reshape(n_runs, n_metrics)


def refined_patterns(resamples: int, n_comparisons: int) -> int:
    """Return how many sign patterns a table needs: 100 a comparison, never below `resamples` nor above a million."""
    return max(resamples, min(PATTERNS_PER_COMPARISON * n_comparisons, MOST_PATTERNS))


def differences(baseline: DoubleArray, values: DoubleArray) -> DoubleArray:
    """Return `values - baseline` of each element, 0 where they agree within 1e-12, NaN where either is unscored."""
    difference = values - baseline
    larger = np.maximum(1.0, np.maximum(np.abs(baseline), np.abs(values)))
    return np.where(np.abs(difference) <= TIE * larger, 0.0, difference)


def _columns(baseline: DoubleArray, others: DoubleArray) -> tuple[DoubleArray, DoubleArray]:
    """Return old and new values, both [n_questions, n_runs * n_metrics] and NaN where either is unscored."""
    n_runs, n_questions, n_metrics = others.shape
    shape = (n_questions, n_runs * n_metrics)
    old = np.where(np.isnan(others), np.nan, baseline).transpose(1, 0, 2).reshape(shape)
    new = np.where(np.isnan(baseline), np.nan, others).transpose(1, 0, 2).reshape(shape)
    return old, new


def _largest(old: DoubleArray, new: DoubleArray) -> DoubleArray:
    """Return the largest absolute value of each column: float noise in a difference is relative to it."""
    return np.asarray(np.max([np.nan_to_num(np.abs(a)).max(axis=0, initial=0.0) for a in (old, new)], axis=0))


def _smallest_detectable(difference: DoubleArray, tolerance: DoubleArray) -> DoubleArray:
    """Return (z(0.975) + z(0.8)) * sd / sqrt(n) of each column; NaN where there is no spread to judge by."""
    n = _count(~np.isnan(difference))
    squares = np.nansum((difference - column_means(difference)) ** 2, axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        sd = np.sqrt(squares / (n - 1))
        return np.where((n > 1) & (sd > tolerance), DETECTABLE * sd / np.sqrt(n), np.nan)


def _count(where: BoolArray) -> LongArray:
    return np.asarray(np.count_nonzero(where, axis=0), dtype=np.int64)
