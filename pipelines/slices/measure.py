"""Measure slices: means with intervals, and the paired difference to a baseline, corrected over the slices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pipelines.compare.comparable import check_comparable, chosen_metrics
from pipelines.compare.paired import Paired, paired, refined_patterns
from pipelines.compare.run_scores import RunScores
from pipelines.compare.table import Verdict
from pipelines.records import BoolArray, Documents, DoubleArray, LongArray, Metric, Question
from pipelines.resampling import Intervals, mean_intervals
from pipelines.resampling.means import finite
from pipelines.slices.discovery import benjamini_hochberg
from pipelines.slices.grouping import Slice, ways
from pipelines.slices.report import FEW, SliceReport, SliceRow, SliceWarning

ALPHA = 0.05
_TOO_FEW = f"fewer than {FEW} scored questions: too few for an interval"


def slice_runs(
    run: RunScores,
    questions: Sequence[Question],
    documents: Documents,
    *,
    baseline: RunScores | None = None,
    metrics: Sequence[str] | None = None,
    by: str | None = None,
    resamples: int = 10_000,
    seed: int = 0,
) -> SliceReport:
    """Measure `metrics` (None: all) of a run by slice; row i of its scores belongs to `questions[i]`.

    With a baseline each slice is compared, paired by question, as two runs on just these questions would be.

    Raises:
        ComparisonError: for an unknown metric, or a baseline that was not evaluated on the same questions.
        ConfigurationError: for a way to part the questions that there is not.
    """
    if baseline is not None:
        check_comparable(baseline, [run])
    declared = chosen_metrics((run,) if baseline is None else (baseline, run), metrics)
    found, left_out = ways(questions, documents, by)
    everything = Slice("all", "all questions", np.ones(len(questions), dtype=np.bool_))
    measuring = _Measuring.of(run, baseline, declared, resamples, seed, len(found) + 1)
    rows = [measuring.rows(one) for one in (everything, *found)]
    n_comparisons = 0
    if baseline is not None:
        rows, n_comparisons = _corrected(rows, measuring.scored(found))
        rows = [[_judged(row, whole) for row, whole in zip(some, rows[0], strict=True)] for some in rows]
    return SliceReport(
        run_id=run.run_id,
        run_name=run.name,
        baseline_id=None if baseline is None else baseline.run_id,
        baseline_name=None if baseline is None else baseline.name,
        dataset_name=run.dataset_name,
        dataset_version=run.dataset_version,
        split=run.split or "all",
        n_questions=len(questions),
        n_comparisons=n_comparisons,
        resamples=resamples,
        seed=seed,
        overall=tuple(rows[0]),
        rows=tuple(row for some in rows[1:] for row in some),
        left_out=left_out,
    )


@dataclass(frozen=True, eq=False)
class _Measuring:
    """The values of both runs, float64 [n_questions, n_metrics], in the order of the run.

    `by_id` puts the questions in the order of their ids, in which comparisons are drawn: a slice of all questions then
    has the very figures of the comparison.
    """

    run: RunScores
    metrics: tuple[Metric, ...]
    values: DoubleArray
    old: DoubleArray | None
    by_id: LongArray
    resamples: int
    seed: int
    patterns: int

    @classmethod
    def of(
        cls,
        run: RunScores,
        baseline: RunScores | None,
        metrics: tuple[Metric, ...],
        resamples: int,
        seed: int,
        n_slices: int,
    ) -> _Measuring:
        ids, names = list(run.question_ids), [metric.name for metric in metrics]
        old = None if baseline is None else baseline.table(ids, names)
        by_id = np.asarray(sorted(range(len(ids)), key=ids.__getitem__), dtype=np.int64)
        patterns = refined_patterns(resamples, n_slices * len(metrics))
        return cls(run, metrics, run.table(ids, names), old, by_id, resamples, seed, patterns)

    def rows(self, one: Slice) -> list[SliceRow]:
        """Return a row a metric, not yet corrected over the slices."""
        values = self.values[one.members]
        intervals = mean_intervals(values, resamples=self.resamples, seed=self.seed)
        rows = [self._row(one, i, metric, intervals) for i, metric in enumerate(self.metrics)]
        if self.old is None:
            return rows
        found = self._paired(self.by_id[one.members[self.by_id]], self.old)
        return [_with_difference(row, found, i) for i, row in enumerate(rows)]

    def scored(self, found: Sequence[Slice]) -> list[list[bytes]]:
        """Return which questions each slice compares on each metric, those of all questions first, as a key."""
        both = ~np.isnan(self.values) if self.old is None else ~np.isnan(self.values + self.old)
        every = np.ones((1, len(both)), dtype=np.bool_)
        members = np.concatenate([every, *(one.members[None] for one in found)])
        return [[(row & column).tobytes() for column in both.T] for row in members]

    def _paired(self, chosen: LongArray, old: DoubleArray) -> Paired:
        higher: BoolArray = np.array([metric.higher_is_better for metric in self.metrics])
        return paired(
            old[chosen],
            self.values[chosen][None],
            higher_is_better=higher,
            resamples=self.resamples,
            seed=self.seed,
            patterns=self.patterns,
        )

    def _row(self, one: Slice, column: int, metric: Metric, intervals: Intervals) -> SliceRow:
        interval = intervals[column]
        few = interval.n < FEW
        low, high = (None, None) if few else (interval.low, interval.high)
        reason = self._unscored(one, column) if interval.n == 0 else _TOO_FEW if few else None
        return SliceRow(
            one.by, one.value, metric.name, metric.unit, metric.higher_is_better, int(one.members.sum()),
            interval.n, interval.unscored, interval.mean, low, high, few, reason=reason,
        )  # fmt: skip

    def _unscored(self, one: Slice, column: int) -> str:
        """Return the commonest reason for which the slice's questions have no value."""
        name = self.metrics[column].name
        at = [metric.name for metric in self.run.scores.metrics].index(name)
        codes = self.run.scores.reason[one.members, at]
        return self.run.scores.reasons[int(np.bincount(codes).argmax())] if len(codes) else "there are no questions"


def _with_difference(row: SliceRow, found: Paired, column: int) -> SliceRow:
    at, n = (0, column), int(found.n[0, column])
    few = n < FEW
    return replace(
        row,
        few=few,
        n_paired=n,
        baseline_mean=finite(found.baseline_mean[at]),
        difference=finite(found.difference[at]),
        difference_low=None if few else finite(found.low[at]),
        difference_high=None if few else finite(found.high[at]),
        p=None if few else finite(found.p[at]),
        wins=int(found.wins[at]),
        ties=int(found.ties[at]),
        losses=int(found.losses[at]),
        smallest_detectable=None if few else finite(found.smallest_detectable[at]),
        reason=row.reason or ("no question is scored in both runs" if n == 0 else _TOO_FEW if few else None),
    )


def _corrected(rows: list[list[SliceRow]], scored: list[list[bytes]]) -> tuple[list[list[SliceRow]], int]:
    """Correct over slices and metrics; the first of `rows` are all questions, and slices equal to them, not corrected.

    Slices that compare the very same questions are one comparison. Which are too small to test is known without their
    values, so leaving them out costs no validity.
    """
    p: dict[tuple[int, bytes], float] = {}
    for some, keys in zip(rows[1:], scored[1:], strict=True):
        for m, (row, key) in enumerate(zip(some, keys, strict=True)):
            if row.p is not None and key != scored[0][m]:
                p[m, key] = row.p
    corrected = dict(zip(p, benjamini_hochberg(np.array(list(p.values()), dtype=np.float64)).tolist(), strict=True))
    done = [
        [replace(row, p_adjusted=corrected.get((m, keys[m]), row.p)) for m, row in enumerate(some)]
        for some, keys in zip(rows, scored, strict=True)
    ]
    return done, len(p)


def _judged(row: SliceRow, whole: SliceRow) -> SliceRow:
    verdict: Verdict = "no difference shown"
    if row.gain and row.p_adjusted is not None and row.p_adjusted < ALPHA:
        verdict = "better" if row.gain > 0 else "worse"
    judged = replace(row, verdict=verdict)
    return judged if row.by == "all" else replace(judged, warning=_warning(judged, whole))


def _warning(row: SliceRow, whole: SliceRow) -> SliceWarning | None:
    """Return what a slice gives to warn of: it goes against the whole, or is too small to show what the whole shows."""
    if row.few or row.gain is None or whole.gain is None or row.p is None:
        return None
    against = row.gain * whole.gain < 0 or (whole.gain == 0 and row.gain < 0)
    if against and row.verdict != "no difference shown":
        return "against the whole"
    if against and row.p < ALPHA:
        return "perhaps against the whole"
    least = row.smallest_detectable
    weak = least is None or least > abs(whole.gain)
    if whole.verdict != "no difference shown" and row.p >= ALPHA and weak and not _beyond_zero(row):
        return "too few to show it"
    return None


def _beyond_zero(row: SliceRow) -> bool:
    """Return whether a slice's interval lies on one side of 0: five questions that all lose have p = 0.06."""
    low, high = row.difference_low, row.difference_high
    return low is not None and high is not None and (low > 0 or high < 0)
