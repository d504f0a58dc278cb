"""How a training went so far: its curve, the dev metric after each epoch, the best of them, and whether to go on."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from pipelines.errors import ConfigurationError
from pipelines.training.lesson import Point

MOST_POINTS = 200
"""Of the loss, in one curve."""


@dataclass
class Course:
    """The course of one training of `steps` steps over `epochs` epochs; plain values, so that a checkpoint holds it."""

    steps: int
    epochs: int
    patience: int
    metric: str = ""
    before: float | None = None
    curve: list[dict[str, Any]] = field(default_factory=list)
    dev: list[dict[str, Any]] = field(default_factory=list)
    n_ended: int = 0
    step: int = 0
    seconds: float = 0.0
    losses: list[float] = field(default_factory=list)
    _since: float = field(default_factory=time.perf_counter)

    @classmethod
    def of(cls, state: Mapping[str, Any]) -> Course:
        """Return the course that a checkpoint holds."""
        return cls(**state)

    def state(self) -> dict[str, Any]:
        """Return the course as plain JSON."""
        return {name: value for name, value in asdict(self).items() if name != "_since"} | {"seconds": self.elapsed()}

    def elapsed(self) -> float:
        """Return the seconds of training so far, those before an interruption included."""
        return self.seconds + time.perf_counter() - self._since

    def learnt(self, step: int, loss: float, learning_rate: float) -> Point | None:
        """Enter one step; return the point of the curve that is due.

        Raises:
            ConfigurationError: when the loss is no number any more.
        """
        if not math.isfinite(loss):
            raise ConfigurationError(
                f"The loss was no finite number at step {step:,} of {self.steps:,}: the training has diverged; lower "
                "learning_rate, or raise warmup."
            )
        self.step = step
        self.losses.append(loss)
        if len(self.losses) < math.ceil(self.steps / MOST_POINTS) and step < self.steps:
            return None
        mean = sum(self.losses) / len(self.losses)
        self.losses = []
        return self._entered(Point(step, self.steps, self._epoch(), self.elapsed(), mean, learning_rate))

    def started(self, metric: str, value: float) -> Point:
        """Enter the dev metric of the base."""
        self.metric, self.before = metric, value
        return self._entered(Point(0, self.steps, 0.0, self.elapsed(), dev=value, metric=metric))

    def measured(self, value: float) -> Point:
        """Enter the dev metric after an epoch."""
        epoch = len(self.dev) + 1
        self.dev.append({"epoch": epoch, "step": self.step, "value": value})
        return self._entered(Point(self.step, self.steps, float(epoch), self.elapsed(), dev=value, metric=self.metric))

    @property
    def best(self) -> dict[str, Any] | None:
        """Return the epoch with the highest dev metric, the first of equals; None where none was measured."""
        return max(self.dev, key=lambda one: float(one["value"]), default=None)

    @property
    def ended(self) -> bool:
        """Return whether nothing is left to train: all epochs are done, or no better one came for long enough."""
        if self.n_ended >= self.epochs:
            return True
        best = self.best
        return bool(best and self.patience and self.n_ended - best["epoch"] >= self.patience)

    def _epoch(self) -> float:
        return self.step * self.epochs / self.steps

    def _entered(self, point: Point) -> Point:
        self.curve.append(point.to_dict())
        return point
