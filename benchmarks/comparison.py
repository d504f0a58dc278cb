"""How long does comparing 50 runs on 20 metrics over 500 questions take, beside a plain loop over the columns?"""

from __future__ import annotations

import json
import os
import platform
import time
import tracemalloc
from collections.abc import Callable

import numpy as np
from scipy import stats

from pipelines.compare.comparison import Comparison, RunScores, compare
from pipelines.records import DoubleArray, Metric, Scores
from pipelines.resampling.means import mean_intervals

N_RUNS, N_QUESTIONS, N_METRICS, RESAMPLES = 50, 500, 20, 10_000
COLUMNS_OF_SCIPY, COLUMNS_OF_LOOP = 4, 20
METRICS = tuple(Metric(f"m@{i}", "m", higher_is_better=True) for i in range(N_METRICS))


def main() -> dict[str, object]:
    """Time ours over all columns and the references over a few; their time for all is extrapolated."""
    baseline, others = _runs()
    seconds = {"compare": _seconds(lambda: compare(baseline, others))}
    seconds["mean_intervals"] = _seconds(lambda: mean_intervals(np.concatenate([_values(r) for r in others], axis=1)))
    table = compare(baseline, others)
    n_columns = N_RUNS * N_METRICS
    scipy_s = _seconds(lambda: [_scipy(d) for d in _differences(baseline, others, COLUMNS_OF_SCIPY)], repeats=1)
    loop_s = _seconds(lambda: [_loop(d) for d in _differences(baseline, others, COLUMNS_OF_LOOP)], repeats=1)
    return {
        "what": f"{N_RUNS} runs x {N_METRICS} metrics, {N_QUESTIONS} questions, {RESAMPLES:,} resamples",
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, numpy {np.__version__}",
        "seconds": {name: round(s, 3) for name, s in seconds.items()},
        "peak_mib": round(_peak_mib(lambda: compare(baseline, others))),
        "scipy_extrapolated_s": round(scipy_s / COLUMNS_OF_SCIPY * n_columns, 1),
        "scipy_columns_measured": COLUMNS_OF_SCIPY,
        "numpy_loop_extrapolated_s": round(loop_s / COLUMNS_OF_LOOP * n_columns, 1),
        "numpy_loop_columns_measured": COLUMNS_OF_LOOP,
        "columns": n_columns,
        "patterns": table.patterns,
        "verdicts": _verdicts(table),
        "largest_gap_to_scipy": _gaps(baseline, others, table),
    }


def _runs() -> tuple[RunScores, list[RunScores]]:
    """Make runs on shared questions: each agrees with the baseline on half of them; every fifth is really better."""
    random = np.random.default_rng(0)
    old = random.beta(0.6, 0.6, (N_QUESTIONS, N_METRICS))
    old[:25] = np.nan  # unanswerable questions
    others = []
    for i in range(N_RUNS):
        new = np.where(random.random(old.shape) < 0.5, old, random.beta(0.6, 0.6, old.shape))
        others.append(_run(f"run-{i}", np.clip(new + 0.08 * (i % 5 == 0), 0, 1)))
    return _run("baseline", old), others


def _run(name: str, values: DoubleArray) -> RunScores:
    scores = Scores(METRICS, values, np.isnan(values).astype(np.int16), ("", "unanswerable"))
    return RunScores(name, name, "synthetic", "1", "test", tuple(f"q{i:04}" for i in range(N_QUESTIONS)), scores)


def _values(run: RunScores) -> DoubleArray:
    return run.scores.values


def _differences(baseline: RunScores, others: list[RunScores], n: int) -> list[DoubleArray]:
    """Return the differences of the first metric for the first `n` runs, each float64 [n_scored]."""
    columns = [_values(run)[:, 0] - _values(baseline)[:, 0] for run in others[:n]]
    return [column[~np.isnan(column)] for column in columns]


def _scipy(differences: DoubleArray) -> tuple[float, float, float]:
    """Return low, high and p of one column as scipy computes them."""
    random = np.random.default_rng(1)
    interval = stats.bootstrap(
        (differences,), np.mean, method="percentile", n_resamples=RESAMPLES, rng=random
    ).confidence_interval
    test = stats.permutation_test(
        (differences,), np.mean, permutation_type="samples", vectorized=True, n_resamples=RESAMPLES, rng=random
    )
    return float(interval.low), float(interval.high), float(test.pvalue)


def _loop(differences: DoubleArray) -> tuple[float, float, float]:
    """Return the same for one column with plain numpy, all resamples of the column at once."""
    random = np.random.default_rng(1)
    n = len(differences)
    means = differences[random.integers(0, n, (RESAMPLES, n))].mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    flipped = (differences * random.choice([-1.0, 1.0], (RESAMPLES, n))).mean(axis=1)
    p = (1 + np.count_nonzero(np.abs(flipped) >= abs(differences.mean()))) / (1 + RESAMPLES)
    return float(low), float(high), p


def _gaps(baseline: RunScores, others: list[RunScores], table: Comparison) -> dict[str, float]:
    """Return how far low, high and p lie from scipy's at most: the noise of two independent sets of resamples."""
    rows = [row for row in table.rows if row.metric == METRICS[0].name][:COLUMNS_OF_SCIPY]
    ours = np.array([(row.low, row.high, row.p) for row in rows], dtype=np.float64)
    theirs = np.array([_scipy(d) for d in _differences(baseline, others, COLUMNS_OF_SCIPY)])
    return dict(zip(("low", "high", "p"), np.abs(ours - theirs).max(axis=0).round(5).tolist(), strict=True))


def _verdicts(table: Comparison) -> dict[str, int]:
    found = [row.verdict for row in table.rows]
    return {verdict: found.count(verdict) for verdict in sorted(set(found))}


def _seconds(work: Callable[[], object], repeats: int = 3) -> float:
    """Return the median of a few timings."""
    taken = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return float(np.median(taken))


def _peak_mib(work: Callable[[], object]) -> float:
    tracemalloc.start()
    work()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak / 2**20


if __name__ == "__main__":
    print(json.dumps(main(), indent=2))
