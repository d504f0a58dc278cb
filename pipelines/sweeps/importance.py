"""Which knobs mattered in a sweep that was no grid: Optuna's importances, with intervals over resampled trials.

By PED-ANOVA (arXiv 2304.10255; 2601.20800 for knobs that exist only beside some components), as Optuna has it: how much
a knob's values among the best trials differ from those among all. Optuna's fANOVA leaves out what not all trials have.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipelines.records import DoubleArray
from pipelines.sweeps.quiet import quiet
from pipelines.sweeps.spec import SweepSpec
from pipelines.sweeps.told import Told

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

LEAST_TRIALS = 20
_RESAMPLES = 100
_BEST_SHARE = 0.1
_BEST_LEAST = 5


@dataclass(frozen=True)
class Importance:
    """A knob's share of what the knobs explain, all shares together being 1, with its 95 % interval."""

    knob: str
    importance: float
    low: float
    high: float


@dataclass(frozen=True)
class Importances:
    """The knobs, most important first, from `n_trials`; none, with a `reason`, where they cannot be told."""

    knobs: tuple[Importance, ...]
    n_trials: int
    reason: str | None = None


def importances(spec: SweepSpec, told: Sequence[Told], objective: int = 0, seed: int = 0) -> Importances:
    """Return how much each knob mattered for reaching the best tenth (at least 5 trials) on one objective."""
    finished = [one for one in told if one.known(len(spec.objectives)) is not None]
    values = np.asarray([one.values[objective] for one in finished], dtype=np.float64)
    reason = _reason(spec, values, objective)
    if reason is not None:
        return Importances((), len(finished), reason)
    losses = -values if spec.objectives[objective].higher_is_better else values
    trials = [_frozen(spec, one, loss) for one, loss in zip(finished, losses.tolist(), strict=True)]
    with quiet():
        return Importances(_with_intervals(trials, seed), len(finished))


def _reason(spec: SweepSpec, values: DoubleArray, objective: int) -> str | None:
    if not spec.space.domains:
        return "nothing varies"
    if len(values) < LEAST_TRIALS:
        return f"only {len(values)} trials finished, and importances need {LEAST_TRIALS}"
    if np.ptp(values) == 0:
        return f"{spec.objectives[objective].metric} is {values[0]:g} in every trial"
    return None


def _with_intervals(trials: Sequence[FrozenTrial], seed: int) -> tuple[Importance, ...]:
    whole = _shares(trials)
    rng = np.random.default_rng(seed)
    draws = [_shares([trials[i] for i in rng.integers(0, len(trials), len(trials))]) for _ in range(_RESAMPLES)]
    found = []
    for knob, share in whole.items():
        low, high = np.percentile([draw.get(knob, 0.0) for draw in draws], (2.5, 97.5))
        found.append(Importance(knob, share, min(float(low), share), max(float(high), share)))
    return tuple(sorted(found, key=lambda one: (-one.importance, one.knob)))


def _shares(trials: Sequence[FrozenTrial]) -> Mapping[str, float]:
    """Return each knob's share; trials of equal value at the border of the best are taken in their order."""
    import optuna
    from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances

    study = optuna.create_study(direction="minimize")
    study.add_trials(trials)
    best = max(_BEST_SHARE, _BEST_LEAST / len(trials))
    return get_param_importances(study, evaluator=PedAnovaImportanceEvaluator(target_quantile=best))


def _frozen(spec: SweepSpec, one: Told, loss: float) -> FrozenTrial:
    from optuna.trial import create_trial

    drawn = spec.space.decide(lambda name, _: one.drawn[name]).drawn
    domains = {name: spec.space.domains[name].distribution() for name in drawn}
    return create_trial(value=loss, params=dict(drawn), distributions=domains)
