"""One way to do a stage within a sweep: a component, the knobs that are given, and what each of them may be."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipelines.catalog import build_component, knobs, stage
from pipelines.component import Component, components
from pipelines.errors import ConfigurationError, did_you_mean, shorten
from pipelines.sweeps.domains import Domain, Drawn, Interval, Options
from pipelines.sweeps.reading import read_domain

_SETTINGS_TRIED = 256
_VALUES_TRIED = 1_000


@dataclass(frozen=True)
class Alternative:
    """A component and its given knobs; `label` tells it from others of its stage. Unnamed knobs keep their default."""

    stage: str
    component: str
    label: str
    domains: Mapping[str, Domain]
    where: str = field(default="", compare=False)

    @property
    def varying(self) -> tuple[str, ...]:
        """Return the knobs with more than one value."""
        return tuple(knob for knob, domain in self.domains.items() if domain.size() != 1)

    def size(self) -> int | None:
        """Return how many settings there are; None for infinitely many."""
        sizes = [domain.size() for domain in self.domains.values()]
        return None if None in sizes else math.prod(size for size in sizes if size is not None)

    def build(self, settings: Mapping[str, Any]) -> Component:
        """Build the component.

        Raises:
            ConfigurationError: for a value out of bounds, or values that do not go together.
        """
        return build_component(self.stage, settings, self.where)

    def written(self) -> dict[str, Any]:
        """Return the plain values that a sweep file holds for it."""
        return {"use": self.component, **{knob: domain.written() for knob, domain in self.domains.items()}}


def read_alternatives(stage_name: str, value: object, where: str) -> tuple[Alternative, ...]:
    """Return the alternatives that a stage's entry in a sweep file names.

    Raises:
        ConfigurationError: for an unknown component or knob, a value out of bounds or a malformed range.
    """
    entries = value if isinstance(value, list) else [{} if value is None else value]
    if not entries:
        raise ConfigurationError(f"{where}: stage '{stage_name}' holds an empty list; name one or more components.")
    found: list[Alternative] = []
    for name, given in (one for entry in entries for one in _expanded(stage_name, entry, where)):
        domains = _domains(stage_name, name, given, where)
        label = _label(name, found)
        if any(one.component == name and one.domains == domains for one in found):
            raise ConfigurationError(
                f"{where}: stage '{stage_name}' names the component '{name}' twice with the same knobs; name it once."
            )
        found.append(Alternative(stage_name, name, label, domains, where))
    return tuple(found)


def _label(name: str, before: Sequence[Alternative]) -> str:
    earlier = sum(one.component == name for one in before)
    return f"{name} ({earlier + 1})" if earlier else name


def _expanded(stage_name: str, entry: object, where: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield component and knobs; `use: [a, b]` stands for one entry each, with those of the knobs that it has."""
    default = stage(stage_name).default
    if isinstance(entry, str):
        entry = {"use": entry}
    if not isinstance(entry, Mapping):
        raise ConfigurationError(
            f"{where}: stage '{stage_name}' takes a component's name, a mapping such as {{use: {default}}}, or a list "
            f"of these, but holds {shorten(repr(entry))}."
        )
    use = entry.get("use", default)
    given = {str(knob): value for knob, value in entry.items() if knob != "use"}
    names = use if isinstance(use, list) else [use]
    for name in names:
        _known(stage_name, name, where)
    if len(names) > 1:
        _refuse_knobs_of_none(stage_name, names, given, where)
    for name in names:
        fields = components(stage_name)[name].model_fields
        yield name, {knob: value for knob, value in given.items() if len(names) == 1 or knob in fields}
    if not names:
        raise ConfigurationError(
            f"{where}: stage '{stage_name}' holds an empty list under use; name one or more components."
        )


def _known(stage_name: str, name: object, where: str) -> None:
    if not isinstance(name, str) or name not in components(stage_name):
        build_component(stage_name, {"use": name}, where)


def _refuse_knobs_of_none(stage_name: str, names: Sequence[str], given: Mapping[str, Any], where: str) -> None:
    known = {knob for name in names for knob in components(stage_name)[name].model_fields}
    for knob in given:
        if knob not in known:
            raise ConfigurationError(
                f"{where}: none of the {stage_name} components {', '.join(names)} has a knob '{shorten(knob)}'; "
                f"their knobs are: {', '.join(sorted(known)) or 'none'}.{did_you_mean(knob, known)}"
            )


def _domains(stage_name: str, name: str, given: Mapping[str, Any], where: str) -> dict[str, Domain]:
    """Return what each knob may be, every value as the component itself writes it."""
    declared = {knob.name: knob for knob in knobs(components(stage_name)[name])}
    unknown = [knob for knob in given if knob not in declared]
    if unknown or not given:
        # What is refused here, an unknown knob or a missing one, the component's own builder tells.
        build_component(stage_name, {"use": name, **dict.fromkeys(unknown)}, where)
    owner = f"{where}: {stage_name}.{name}"
    domains = {knob: read_domain(declared[knob], value, owner) for knob, value in given.items()}
    return {knob: _validated(stage_name, name, knob, domains, where) for knob in given}


def _validated(stage_name: str, name: str, knob: str, domains: Mapping[str, Domain], where: str) -> Domain:
    """Build the component with each value of the knob; a value stands if some setting of the other knobs takes it.

    Values that only fail beside certain others are for the whole space to refuse.
    """
    domain = domains[knob]
    others = {other: one for other, one in domains.items() if other != knob}
    canonical = []
    for draw in _tried(domain):
        built = _first_built(stage_name, name, {knob: domain.value(draw)}, others, where)
        canonical.append(built.model_dump(mode="json")[knob])
    if isinstance(domain, Interval):
        return domain
    return Options(_different(canonical), domain.ordered)


def _tried(domain: Domain) -> Sequence[Drawn]:
    size = domain.size()
    return domain.drawn() if size is not None and size <= _VALUES_TRIED else domain.ends()


def _first_built(
    stage_name: str, name: str, fixed: Mapping[str, Any], others: Mapping[str, Domain], where: str
) -> Component:
    refused: ConfigurationError | None = None
    rows = itertools.product(*([domain.value(d) for d in _tried(domain)] for domain in others.values()))
    for row in itertools.islice(rows, _SETTINGS_TRIED):
        settings = {"use": name, **dict(zip(others, row, strict=True)), **fixed}
        try:
            return build_component(stage_name, settings, where)
        except ConfigurationError as error:
            refused = refused or error
    assert refused is not None  # noqa: S101 - a product of non-empty lists has a row
    raise refused


def _different(values: Sequence[Any]) -> tuple[Any, ...]:
    """Return each value once: two spellings of one value (cut-offs in another order) are one."""
    return tuple(value for i, value in enumerate(values) if not any(_same(value, other) for other in values[:i]))


def _same(value: Any, other: Any) -> bool:
    return bool(value == other and type(value) is type(other))
