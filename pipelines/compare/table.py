"""The records of a comparison: a table of rows, each one run against the baseline on one metric."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal, TypeAlias

from pipelines.compare.losses import LossRow
from pipelines.compare.wording import sentence

Verdict: TypeAlias = Literal["better", "worse", "no difference shown"]


@dataclass(frozen=True)
class ComparisonRow:
    """One run against the baseline on one metric, over the `n` questions scored in both; None has its `reason`.

    `difference` is run minus baseline in `unit` (None: a share), with its 95 % interval `low` to `high`; wins are the
    run's. `p_holm` is `p` corrected over the whole table, and decides the `verdict` at 0.05. `smallest_detectable` is
    the difference that as many such questions show in four of five attempts, uncorrected.
    """

    run_id: str
    run_name: str
    metric: str
    unit: str | None
    higher_is_better: bool
    baseline_mean: float | None
    mean: float | None
    difference: float | None
    low: float | None
    high: float | None
    p: float | None
    p_holm: float | None
    wins: int
    ties: int
    losses: int
    n: int
    dropped: int
    smallest_detectable: float | None
    verdict: Verdict
    reason: str | None = None

    def sentence(self) -> str:
        """Say in plain words what was found, or what these questions are too few to show."""
        return sentence(self)


@dataclass(frozen=True)
class Comparison:
    """Runs compared with a baseline, row by row: all metrics of the first run, then of the next, in the order given.

    `n_comparisons` is how many p-values the Holm correction counted; at least `resamples` and at most `patterns` sign
    patterns were drawn for a p that was not enumerated. `losses` says at which stages the runs lost more or less
    evidence; it has no p and is not among the comparisons. `losses_note` names runs in which it was not measured.
    """

    baseline_id: str
    baseline_name: str
    dataset_name: str
    dataset_version: str
    split: str | None
    n_questions: int
    n_comparisons: int
    resamples: int
    patterns: int
    seed: int
    rows: tuple[ComparisonRow, ...]
    losses: tuple[LossRow, ...] = ()
    losses_note: str | None = None

    def to_dict(self) -> dict[str, object]:
        """Return what JSON can hold: finite numbers, text, true, false and null."""
        rows = [{**asdict(row), "sentence": row.sentence()} for row in self.rows]
        return {**asdict(self), "rows": rows}
