"""The records of a sweep's report: what went in, and what may be concluded; None where a number has no meaning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Literal, TypeAlias

from pipelines.records import DoubleArray, Metric
from pipelines.runs.table import Cell

Standing: TypeAlias = Literal["winner", "identical", "tied", "worse", "set aside"]


@dataclass(frozen=True, eq=False)
class Scored:
    """One finished configuration of a sweep.

    `params` holds its knobs by name (`retrieve.alpha`), only those that exist for its components. `values` holds each
    metric's per-question values, float64 [n_questions], NaN where unscored; `means` what is one number a run
    (`latency_ms_p50`, `usd`), and may repeat means of `values`; None is unknown.
    """

    number: int
    label: str
    run_id: str
    params: Mapping[str, Cell]
    values: Mapping[str, DoubleArray]
    means: Mapping[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class TestResult:
    """A configuration of the sweep evaluated on test: `values` as in `Scored`, over the test questions."""

    __test__ = False  # pytest would take the name for a class of tests

    number: int
    run_id: str
    values: Mapping[str, DoubleArray]


@dataclass(frozen=True)
class LeftOut:
    """A configuration without a full row, and why: a race dropped it, or it failed."""

    number: int
    label: str
    reason: str


@dataclass(frozen=True)
class Ranked:
    """One configuration on dev beside the winner; `difference` is this one minus the winner, in the objective's unit.

    `mean` is over `n_ranked` questions, the same for all unless a note says otherwise; `n` is how many it scored.
    `difference`, its 95 % interval and p are over the `n_shared` questions that both scored. `means` holds the other
    objectives and the costs, each over the questions that this configuration scored.
    """

    number: int
    label: str
    run_id: str
    standing: Standing
    mean: float | None
    n_ranked: int
    n: int
    unscored: int
    difference: float | None
    low: float | None
    high: float | None
    p: float | None
    p_holm: float | None
    n_shared: int
    means: Mapping[str, float | None]
    params: Mapping[str, Cell]
    reason: str | None = None


@dataclass(frozen=True)
class Proposal:
    """The cheapest of the winner and those tied with it; `metric` is the cost that decided, None where none did.

    `saved` is the share of the winner's cost that is spared, in [0, 1].
    """

    number: int
    metric: str | None
    cost: float | None
    winner_cost: float | None
    saved: float | None
    sentence: str


@dataclass(frozen=True)
class MoreQuestions:
    """How many more questions would separate the winner from `against` (power 0.8, two-sided 0.05), else a reason."""

    against: int | None
    n: int
    n_more: int | None
    difference: float | None
    sentence: str
    reason: str | None = None


@dataclass(frozen=True)
class Selection:
    """Who won on dev, who is not shown to be worse, and which of these to take; numbers are the configurations'.

    `tied` holds all that are not shown to be worse, `identical` those of them that differ on no question.
    """

    winner: int
    tied: tuple[int, ...]
    identical: tuple[int, ...]
    n_worse: int
    n_comparisons: int
    n_questions: int
    proposal: Proposal
    more_questions: MoreQuestions
    sentence: str


@dataclass(frozen=True)
class Optimism:
    """One configuration on dev and on test; `difference` is dev minus test with its 95 % interval."""

    number: int
    run_id: str
    dev_mean: float | None
    n_dev: int
    test_mean: float | None
    n_test: int
    difference: float | None
    low: float | None
    high: float | None
    sentence: str
    reason: str | None = None


@dataclass(frozen=True)
class OptimismEstimate:
    """What the winner's dev mean is flattered by, estimated from dev alone; `difference` is dev minus `expected`.

    `expected` is the mean, over resamples, of the score that the configuration chosen on the drawn questions reaches
    on those not drawn. `same_winner` is the share of resamples in which the winner was chosen again.
    """

    dev_mean: float | None
    expected: float | None
    difference: float | None
    same_winner: float | None
    n: int
    resamples: int
    sentence: str
    reason: str | None = None


@dataclass(frozen=True)
class Front:
    """The configurations that none other beats on all `metrics` at once; `n` were compared, `excluded` were not."""

    metrics: tuple[str, ...]
    numbers: tuple[int, ...]
    n: int
    excluded: int
    reason: str | None = None


@dataclass(frozen=True)
class Level:
    """One value of a knob: the mean over its `n_configurations` matched ones, over `n` questions.

    It won in `n_won` of the knob's `n_matched` sets, alone.
    """

    value: Cell
    mean: float | None
    low: float | None
    high: float | None
    n: int
    n_configurations: int
    n_won: int


@dataclass(frozen=True)
class KnobEffect:
    """How much a knob matters: `effect` is its best level minus its worst, with a 95 % interval.

    `n_matched` sets of configurations differ in this knob only. Of `n_configurations` in which it exists,
    `n_unmatched` have no partner at every level compared and are left out.
    """

    knob: str
    best: Cell
    worst: Cell
    effect: float | None
    low: float | None
    high: float | None
    n: int
    n_matched: int
    n_configurations: int
    n_unmatched: int
    levels: tuple[Level, ...]
    sentence: str
    warning: str | None = None


@dataclass(frozen=True)
class Report:
    """What a sweep shows. `configurations` stand best first; `objectives[0]` is what the winner was chosen by."""

    objectives: tuple[Metric, ...]
    costs: tuple[Metric, ...]
    seed: int
    n_configurations: int
    n_questions: int
    n_test_questions: int | None
    configurations: tuple[Ranked, ...]
    selection: Selection
    optimism: tuple[Optimism, ...]
    optimism_estimate: OptimismEstimate | None
    fronts: tuple[Front, ...]
    effects: tuple[KnobEffect, ...]
    effects_reason: str | None
    importance: Mapping[str, float] | None
    left_out: tuple[LeftOut, ...]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, object]:
        """Return what JSON can hold: finite numbers, text, true, false and null, lists for tuples."""
        return {name: _plain(value) for name, value in asdict(self).items()}


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, tuple | list) else value
