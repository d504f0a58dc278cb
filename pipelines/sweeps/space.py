"""The search space: for every stage the components to choose from, each with its own knobs and what these may be."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pipelines.catalog import STAGE_NAMES
from pipelines.errors import ConfigurationError
from pipelines.sweeps.alternatives import read_alternatives
from pipelines.sweeps.domains import Cell, Domain, Options, Pick, cell
from pipelines.sweeps.stage_space import Choice, StageSpace, joined

__all__ = ["Axis", "Choice", "Space"]

_LISTED = 100_000
"""Settings of one stage that are still listed one by one, to find those that are refused or come to the same."""


@dataclass(frozen=True)
class Axis:
    """Something that varies: the component of a stage ("chunk"), or a knob ("chunk.size") of those in `when`.

    `values` are the cells to choose from; None for an interval, which `low`, `high`, `integer` and `log` describe.
    """

    name: str
    stage: str
    knob: str | None
    when: tuple[str, ...]
    values: tuple[Cell, ...] | None
    low: float | None = None
    high: float | None = None
    integer: bool = False
    log: bool = False

    @property
    def kind(self) -> str:
        """Return "component", "values" or "range"."""
        return "component" if self.knob is None else "range" if self.values is None else "values"


@dataclass(frozen=True)
class Space:
    """The stages that a sweep file names, in the catalogue's order; the others take their defaults."""

    stages: tuple[StageSpace, ...]

    @classmethod
    def parse(cls, values: Mapping[str, Any], where: str) -> Space:
        """Read the stages of a sweep file.

        Raises:
            ConfigurationError: for an unknown component or knob, a value out of bounds or a malformed range.
        """
        named = [name for name in STAGE_NAMES if name in values]
        return cls(tuple(StageSpace(name, read_alternatives(name, values[name], where)) for name in named))

    def settings(self) -> dict[str, Any]:
        """Return the plain values that `parse` reads."""
        return {stage.stage: [alternative.written() for alternative in stage.alternatives] for stage in self.stages}

    def size(self) -> int | None:
        """Return how many different configurations there are; None for infinitely many.

        Where a stage alone has more than 100,000 settings, those that come to the same are counted apart.
        """
        sizes = [stage.n_listed() for stage in self.stages]
        if None in sizes:
            return None
        return math.prod(
            len(stage.distinct) if (n or 0) <= _LISTED else n or 0 for stage, n in zip(self.stages, sizes, strict=True)
        )

    def size_listed(self) -> int | None:
        """Return how many configurations there are before equal ones are counted once."""
        sizes = [stage.n_listed() for stage in self.stages]
        return None if None in sizes else math.prod(size for size in sizes if size is not None)

    def refuse_unbuildable(self) -> None:
        """Refuse a space in which some setting cannot be built.

        Raises:
            ConfigurationError: naming the first one.
        """
        for stage in self.stages:
            refused = next((why for choice in stage.listed() if (why := stage.refusal(choice)) is not None), None)
            if refused is not None:
                raise refused

    def configurations(self) -> Iterator[Choice]:
        """Yield every different configuration once, the latest stage varying fastest: neighbours share their prefix.

        Raises:
            ConfigurationError: when there are infinitely many.
        """
        if self.size() is None:
            raise ConfigurationError(self.endless())
        for parts in itertools.product(*(stage.distinct for stage in self.stages)):
            yield joined(parts)

    def endless(self) -> str:
        """Say which range has infinitely many values, and what to do."""
        axis = next(axis for axis in self.knobs() if axis.kind == "range" and not axis.integer)
        return (
            f"{axis.name} is a range from {axis.low} to {axis.high} without step or count, which has infinitely many "
            "values; name a step or a count, or search with random, tpe or nsga2."
        )

    def decide(self, pick: Pick) -> Choice:
        """Return the configuration that `pick` draws, stage by stage; a knob is drawn where its component was."""
        return joined([stage.decide(pick) for stage in self.stages])

    def identity(self, choice: Choice) -> str:
        """Return what tells this space's pipelines apart: the same for two choices that come to the same pipeline.

        Raises:
            ConfigurationError: for values that do not go together.
        """
        return " ".join(stage.identity(choice) for stage in self.stages)

    def stage(self, name: str) -> StageSpace:
        """Return what a stage may be: its default where the file does not name it."""
        return next((one for one in self.stages if one.stage == name), None) or StageSpace(
            name, read_alternatives(name, None, "sweep")
        )

    @cached_property
    def domains(self) -> dict[str, Domain]:
        """Return every name that may be drawn, with what it may be, in the order in which they are drawn."""
        found: dict[str, Domain] = {}
        for stage in self.stages:
            if len(stage.alternatives) > 1:
                found[stage.stage] = Options(stage.labels)
            for alternative in stage.alternatives:
                found |= {stage.axis(alternative, knob): alternative.domains[knob] for knob in alternative.varying}
        return found

    def knobs(self) -> list[Axis]:
        """Return all that varies: each stage's component where there are several, then their knobs."""
        axes: dict[str, Axis] = {}
        for stage in self.stages:
            if len(stage.alternatives) > 1:
                axes[stage.stage] = Axis(stage.stage, stage.stage, None, (), stage.labels)
            for alternative in stage.alternatives:
                for knob in alternative.varying:
                    name = stage.axis(alternative, knob)
                    when = (*axes[name].when, alternative.label) if name in axes else (alternative.label,)
                    axes[name] = _axis(name, stage.stage, knob, when, alternative.domains[knob])
        return list(axes.values())


def _axis(name: str, stage: str, knob: str, when: tuple[str, ...], domain: Domain) -> Axis:
    if isinstance(domain, Options):
        return Axis(name, stage, knob, when, tuple(cell(value) for value in domain.values))
    return Axis(name, stage, knob, when, None, domain.low, domain.high, domain.integer, domain.log)
