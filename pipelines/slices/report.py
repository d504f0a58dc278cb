"""The records of slices: one row a slice and metric, and what is to be warned of."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Literal, TypeAlias

from pipelines.compare.table import Verdict
from pipelines.runs.table import Table
from pipelines.slices.grouping import LeftOut
from pipelines.slices.wording import sentence

FEW = 5
"""Slices with fewer scored questions have no interval and are not tested."""

SliceWarning: TypeAlias = Literal["against the whole", "perhaps against the whole", "too few to show it"]


@dataclass(frozen=True)
class SliceRow:
    """One metric of one slice; `by` is "all" for the row of all questions. None has its `reason`.

    `mean` with its 95 % interval is over the `n` of the slice's `n_questions` that are scored. With a baseline, what
    follows is paired, over the `n_paired` scored in both runs: `difference` is run minus baseline, `p_adjusted`
    is corrected over all tested slices and metrics of the report (Benjamini and Hochberg) and decides the `verdict` at
    0.05. `few` marks fewer
    than 5 such questions.
    """

    by: str
    value: str
    metric: str
    unit: str | None
    higher_is_better: bool
    n_questions: int
    n: int
    unscored: int
    mean: float | None
    low: float | None
    high: float | None
    few: bool
    n_paired: int | None = None
    baseline_mean: float | None = None
    difference: float | None = None
    difference_low: float | None = None
    difference_high: float | None = None
    p: float | None = None
    p_adjusted: float | None = None
    wins: int | None = None
    ties: int | None = None
    losses: int | None = None
    smallest_detectable: float | None = None
    verdict: Verdict | None = None
    warning: SliceWarning | None = None
    reason: str | None = None

    @property
    def gain(self) -> float | None:
        """The difference, in the metric's own direction: above 0 is better."""
        if self.difference is None:
            return None
        return self.difference if self.higher_is_better else -self.difference


@dataclass(frozen=True)
class SliceReport:
    """All slices of a run, or of its comparison with a baseline.

    `overall` has one row a metric, over all questions; `rows` are the slices, way by way and metric by metric.
    `n_comparisons` is how many tests the correction counted: slices of the same scored questions count once.
    """

    run_id: str
    run_name: str
    baseline_id: str | None
    baseline_name: str | None
    dataset_name: str
    dataset_version: str
    split: str
    n_questions: int
    n_comparisons: int
    resamples: int
    seed: int
    overall: tuple[SliceRow, ...]
    rows: tuple[SliceRow, ...]
    left_out: tuple[LeftOut, ...]

    @property
    def ways(self) -> tuple[str, ...]:
        """The ways in which the questions are parted, in order."""
        return tuple(dict.fromkeys(row.by for row in self.rows))

    def whole(self, metric: str) -> SliceRow:
        """Return the row of all questions."""
        return next(row for row in self.overall if row.metric == metric)

    def sentence(self, row: SliceRow) -> str:
        """Say in plain words what a row shows."""
        return sentence(row, self.whole(row.metric))

    @property
    def warnings(self) -> tuple[SliceRow, ...]:
        """The rows to be warned of, the gravest first; those that are only too few to show anything come last."""
        order = ("against the whole", "perhaps against the whole", "too few to show it")
        marked = [row for row in self.rows if row.warning is not None]
        return tuple(sorted(marked, key=lambda row: (order.index(str(row.warning)), row.gain or 0.0)))

    def table(self) -> Table:
        """Return all rows, those of all questions first, with what they depend on."""
        names = [field.name for field in fields(SliceRow)]
        if self.baseline_id is None:
            names = [*names[: names.index("n_paired")], "reason"]
        of_all = (
            "run_id",
            "run_name",
            "baseline_id",
            "baseline_name",
            "dataset_name",
            "dataset_version",
            "split",
            "seed",
        )
        shared = {name: getattr(self, name) for name in of_all}
        rows = [{**{name: getattr(row, name) for name in names}, **shared} for row in (*self.overall, *self.rows)]
        return Table((*names, *of_all), tuple(rows))

    def to_dict(self) -> dict[str, object]:
        """Return what JSON can hold: finite numbers, text, true, false and null."""
        rows = [{**asdict(row), "sentence": self.sentence(row)} for row in self.rows]
        return {**asdict(self), "overall": [asdict(row) for row in self.overall], "rows": rows}
