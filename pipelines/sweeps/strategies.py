"""Which configurations to evaluate next: all of a grid, a random sample, or what Optuna proposes from earlier trials.

A strategy holds no state. Trials are numbered, number n belongs to batch n // size, and a batch depends on the spec and
on the trials of earlier batches alone: a sweep that was cut off in the middle of a batch is proposed what it lacks.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, TypeVar

from pipelines.sweeps.sampling import Ask
from pipelines.sweeps.space import Choice
from pipelines.sweeps.spec import SweepSpec
from pipelines.sweeps.told import State, Told

__all__ = ["Grid", "Proposal", "Sampled", "State", "Strategy", "Told", "strategy"]

T = TypeVar("T")


@dataclass(frozen=True)
class Proposal:
    """A configuration to evaluate as trial `number`; `refused` says why it cannot be built, where it cannot."""

    number: int
    choice: Choice
    refused: str | None = None


class Strategy(Protocol):
    """Proposes trials until it has no more."""

    def propose(self, told: Sequence[Told]) -> list[Proposal]:
        """Return what is missing of the first batch that is not told in full; nothing at the end.

        Equal `told`, in any order, gets equal proposals, to the bit, in any process.
        """
        ...


def strategy(spec: SweepSpec) -> Strategy:
    """Return the strategy that the spec's `search` names."""
    return Grid(spec) if spec.search.strategy == "grid" else Sampled(spec)


@dataclass(frozen=True)
class Grid:
    """Every different configuration, in the space's order: all at once, or in batches."""

    spec: SweepSpec

    def propose(self, told: Sequence[Told]) -> list[Proposal]:
        """Return what is missing of the first batch that is not told in full."""
        done = {one.number for one in told}
        for batch in _batches(enumerate(self._configurations), self.spec.search.n_batch):
            missing = [Proposal(number, choice) for number, choice in batch if number not in done]
            if missing:
                return missing
        return []

    @cached_property
    def _configurations(self) -> list[Choice]:
        return list(self.spec.space.configurations())


@dataclass(frozen=True)
class Sampled:
    """What a sampler draws, each configuration once, until `trials` are reached or the space is exhausted."""

    spec: SweepSpec

    def propose(self, told: Sequence[Told]) -> list[Proposal]:
        """Return what is missing of the first batch that is not told in full."""
        done = {one.number for one in told}
        first = next(number for number in itertools.count() if number not in done)
        n_trials = self.spec.search.n_trials
        size = self.spec.search.n_batch or n_trials
        start = first // size * size
        earlier = sorted((one for one in told if one.number < start), key=lambda one: one.number)
        drawn = Ask(self.spec, earlier).draw(min(start + size, n_trials) - start)
        batch = [Proposal(start + i, one.choice, one.refused) for i, one in enumerate(drawn)]
        return [proposal for proposal in batch if proposal.number not in done]


def _batches(items: Iterable[T], size: int | None) -> Iterator[list[T]]:
    items = iter(items)
    while batch := list(itertools.islice(items, size)):
        yield batch
