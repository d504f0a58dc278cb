"""The search space: for every stage the components to choose from, each with its own knobs and what these may be."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pipelines.catalog import STAGE_NAMES
from pipelines.component import digest
from pipelines.errors import ConfigurationError
from pipelines.sweeps.alternatives import Alternative, read_alternatives
from pipelines.sweeps.domains import Cell, Domain, Drawn, Options, Pick, cell

_LISTED = 100_000
"""Settings of one stage that are still listed one by one, to find those that are refused or come to the same."""


@dataclass(frozen=True)
class Choice:
    """One configuration: what `Pipeline.parse` takes, what varies as plain cells, and how a sampler names it."""

    settings: dict[str, dict[str, Any]]
    params: dict[str, Cell]
    drawn: dict[str, Drawn]


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
class StageSpace:
    """The alternatives of one stage."""

    stage: str
    alternatives: tuple[Alternative, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """Return the alternatives' names, each once: the second `recursive` is `recursive (2)`."""
        return tuple(alternative.label for alternative in self.alternatives)

    def axis(self, alternative: Alternative, knob: str) -> str:
        """Return the name under which a sampler draws a knob; alternatives that allow it the same draw it as one."""
        having = [one.domains[knob] for one in self.alternatives if knob in one.varying]
        shared = all(domain == having[0] for domain in having)
        return f"{self.stage}.{knob}" if shared else f"{self.stage}.{alternative.label}.{knob}"

    @cached_property
    def shown(self) -> frozenset[str]:
        """Return the knobs that get a column: those written with more than one value, taken over the alternatives."""
        names = {knob for alternative in self.alternatives for knob in alternative.domains}
        return frozenset(knob for knob in names if len({self._written(knob, a) for a in self.alternatives} - {""}) > 1
                         or any(knob in a.varying for a in self.alternatives))  # fmt: skip

    def _written(self, knob: str, alternative: Alternative) -> str:
        return digest(alternative.domains[knob].written()) if knob in alternative.domains else ""

    def decide(self, pick: Pick) -> Choice:
        """Return this stage's part of a configuration, `pick` drawing what is left open."""
        drawn: dict[str, Drawn] = {}
        chosen = self.alternatives[0]
        if len(self.alternatives) > 1:
            drawn[self.stage] = pick(self.stage, Options(self.labels))
            chosen = self.alternatives[int(drawn[self.stage])]
        values: dict[str, Any] = {}
        for knob, domain in chosen.domains.items():
            name = self.axis(chosen, knob)
            draw = pick(name, domain) if knob in chosen.varying else domain.ends()[0]
            values[knob] = domain.value(draw)
            if knob in chosen.varying:
                drawn[name] = draw
        return Choice({self.stage: {"use": chosen.component, **values}}, self._params(chosen, values), drawn)

    def _params(self, chosen: Alternative, values: Mapping[str, Any]) -> dict[str, Cell]:
        params: dict[str, Cell] = {self.stage: chosen.label} if len(self.alternatives) > 1 else {}
        return params | {f"{self.stage}.{knob}": cell(v) for knob, v in values.items() if knob in self.shown}

    def n_listed(self) -> int | None:
        """Return how many settings there are before equal ones are counted once; None where infinitely many."""
        sizes = [alternative.size() for alternative in self.alternatives]
        return None if None in sizes else sum(size for size in sizes if size is not None)

    @cached_property
    def distinct(self) -> tuple[Choice, ...]:
        """Return every setting of the stage that can be built, in order; those that come to the same stand once."""
        found: dict[str, Choice] = {}
        for choice in self.listed():
            built = self._built(choice)
            if built is not None:
                found.setdefault(digest(built), choice)
        return tuple(found.values())

    def listed(self) -> Iterator[Choice]:
        """Yield every setting of the stage, the last knob varying fastest."""
        for number, alternative in enumerate(self.alternatives):
            varying = {self.axis(alternative, knob): alternative.domains[knob] for knob in alternative.varying}
            for row in itertools.product(*(domain.drawn() for domain in varying.values())):
                drawn = {self.stage: number, **dict(zip(varying, row, strict=True))}
                yield self.decide(lambda name, _, drawn=drawn: drawn[name])  # type: ignore[misc]

    def refusal(self) -> ConfigurationError | None:
        """Return why the first setting that cannot be built is refused, None where all can be."""
        return next((why for choice in self.listed() if (why := self._refusal(choice))), None)

    def _refusal(self, choice: Choice) -> ConfigurationError | None:
        try:
            self._component(choice)
        except ConfigurationError as error:
            return error
        return None

    def _built(self, choice: Choice) -> dict[str, Any] | None:
        try:
            return self._component(choice)
        except ConfigurationError:
            return None

    def _component(self, choice: Choice) -> dict[str, Any]:
        number = int(choice.drawn.get(self.stage, 0))
        return self.alternatives[number].build(choice.settings[self.stage]).settings()


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
            if (refused := stage.refusal()) is not None:
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


def joined(parts: Sequence[Choice]) -> Choice:
    """Return the configuration that the parts of its stages make up."""
    whole = Choice({}, {}, {})
    for part in parts:
        whole.settings.update(part.settings)
        whole.params.update(part.params)
        whole.drawn.update(part.drawn)
    return whole
