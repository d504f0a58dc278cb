"""What one knob may be in a sweep: one of several values, or anything within an interval."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import optuna
    from optuna.distributions import BaseDistribution

Cell = str | int | float | bool | None
Drawn = int | float
"""How a sampler names a value: a position among options, or the number itself within an interval."""


@dataclass(frozen=True)
class Options:
    """Values of any JSON type; `ordered` ones are ascending numbers: a sampler may take neighbours for alike."""

    values: tuple[Any, ...]
    ordered: bool = False

    def size(self) -> int | None:
        """Return how many values there are."""
        return len(self.values)

    def drawn(self) -> Sequence[Drawn]:
        """Return every value as a sampler names it, in order."""
        return range(len(self.values))

    def value(self, drawn: Drawn) -> Any:
        """Return the knob's value for what a sampler drew."""
        return self.values[int(drawn)]

    def ends(self) -> tuple[Drawn, ...]:
        """Return the draws to try where all are too many: every one, for options."""
        return tuple(self.drawn())

    def uniform(self, fraction: float) -> Drawn:
        """Return the draw at `fraction` in [0, 1) of the way through."""
        return int(fraction * len(self.values))

    def distribution(self) -> BaseDistribution:
        """Return Optuna's declaration of the draw."""
        from optuna.distributions import CategoricalDistribution, IntDistribution

        n = len(self.values)
        return IntDistribution(0, n - 1) if self.ordered else CategoricalDistribution(tuple(range(n)))

    def suggest(self, trial: optuna.Trial, name: str) -> Drawn:
        """Have Optuna draw."""
        n = len(self.values)
        return trial.suggest_int(name, 0, n - 1) if self.ordered else trial.suggest_categorical(name, range(n))

    def written(self) -> Any:
        """Return what stands in a sweep file: the value where there is but one, else the list."""
        return self.values[0] if len(self.values) == 1 else list(self.values)


@dataclass(frozen=True)
class Interval:
    """Every whole number (`integer`) or every real number from `low` to `high`, both included."""

    low: float
    high: float
    integer: bool
    log: bool = False

    def size(self) -> int | None:
        """Return how many values there are; None where there are infinitely many."""
        return int(self.high) - int(self.low) + 1 if self.integer else None

    def drawn(self) -> Sequence[Drawn]:
        """Return every whole number, in order."""
        if not self.integer:
            raise TypeError("an interval of real numbers cannot be listed")
        return range(int(self.low), int(self.high) + 1)

    def value(self, drawn: Drawn) -> Any:
        """Return the knob's value for what a sampler drew."""
        return int(drawn) if self.integer else float(drawn)

    def ends(self) -> tuple[Drawn, ...]:
        """Return the draws to try where all are too many: both ends."""
        return (self.value(self.low), self.value(self.high))

    def uniform(self, fraction: float) -> Drawn:
        """Return the draw at `fraction` in [0, 1) of the way through, on the logarithmic scale where one is asked."""
        low, high = (self.low, self.high + 1) if self.integer else (self.low, self.high)
        at = low * (high / low) ** fraction if self.log else low + fraction * (high - low)
        drawn: Drawn = min(max(self.value(at), self.value(self.low)), self.value(self.high))
        return drawn

    def distribution(self) -> BaseDistribution:
        """Return Optuna's declaration of the draw."""
        from optuna.distributions import FloatDistribution, IntDistribution

        if self.integer:
            return IntDistribution(int(self.low), int(self.high), log=self.log)
        return FloatDistribution(self.low, self.high, log=self.log)

    def suggest(self, trial: optuna.Trial, name: str) -> Drawn:
        """Have Optuna draw."""
        if self.integer:
            return trial.suggest_int(name, int(self.low), int(self.high), log=self.log)
        return trial.suggest_float(name, self.low, self.high, log=self.log)

    def written(self) -> Any:
        """Return what stands in a sweep file."""
        ends = {"from": self.value(self.low), "to": self.value(self.high)}
        return {**ends, "log": True} if self.log else ends


Domain = Options | Interval
Pick = Callable[[str, Domain], Drawn]
"""Draws a value of the axis of that name: a sampler, a random generator or a list of earlier draws."""


def cell(value: object) -> Cell:
    """Return a knob's value as a table shows it: lists and mappings as JSON text."""
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
