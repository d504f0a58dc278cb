"""The search space of one stage: its alternatives, listed or drawn from."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

from pipelines.component import Component, digest
from pipelines.errors import ConfigurationError
from pipelines.sweeps.alternatives import Alternative
from pipelines.sweeps.domains import Cell, Domain, Drawn, Options, Pick, cell


@dataclass(frozen=True)
class Choice:
    """One configuration: what `Pipeline.parse` takes, what varies as plain cells, and how a sampler names it."""

    settings: dict[str, dict[str, Any]]
    params: dict[str, Cell]
    drawn: dict[str, Drawn]


def joined(parts: Sequence[Choice]) -> Choice:
    """Return the configuration that the parts of its stages make up."""
    whole = Choice({}, {}, {})
    for part in parts:
        whole.settings.update(part.settings)
        whole.params.update(part.params)
        whole.drawn.update(part.drawn)
    return whole


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
            if self.refusal(choice) is None:
                found.setdefault(self.identity(choice), choice)
        return tuple(found.values())

    def listed(self, *, at_ends: bool = False) -> Iterator[Choice]:
        """Yield every setting of the stage, the last knob varying fastest; of intervals only the ends if `at_ends`."""
        for number, alternative in enumerate(self.alternatives):
            varying = {self.axis(alternative, knob): alternative.domains[knob] for knob in alternative.varying}
            draws = [domain.ends() if at_ends else domain.drawn() for domain in varying.values()]
            for row in itertools.product(*draws):
                drawn = {self.stage: number, **dict(zip(varying, row, strict=True))}
                yield self.decide(partial(_look_up, drawn))

    def component(self, choice: Choice) -> Component:
        """Build the stage's component.

        Raises:
            ConfigurationError: for values that do not go together.
        """
        return self.alternatives[int(choice.drawn.get(self.stage, 0))].build(choice.settings[self.stage])

    def identity(self, choice: Choice) -> str:
        """Return a digest of the stage's complete settings: the same for two spellings of one.

        Raises:
            ConfigurationError: for values that do not go together.
        """
        found = self._remembered(choice)
        if isinstance(found, ConfigurationError):
            raise found
        return found

    def refusal(self, choice: Choice) -> ConfigurationError | None:
        """Return why the values do not go together, None where they do."""
        found = self._remembered(choice)
        return found if isinstance(found, ConfigurationError) else None

    @cached_property
    def _memory(self) -> dict[str, str | ConfigurationError]:
        return {}

    def _remembered(self, choice: Choice) -> str | ConfigurationError:
        # A sampler comes by the same part of a configuration again and again; building it costs 30 times a look-up.
        key = json.dumps(choice.settings[self.stage], sort_keys=True)
        if key not in self._memory:
            try:
                self._memory[key] = digest(self.component(choice).settings())
            except ConfigurationError as error:
                self._memory[key] = error
        return self._memory[key]


def _look_up(drawn: Mapping[str, Drawn], name: str, _: Domain) -> Drawn:
    return drawn[name]
