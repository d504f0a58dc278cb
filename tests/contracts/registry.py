"""Every registered component, built in every way that its declaration allows: what the contract suites run over."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from pipelines.catalog import Knob, all_components, knobs
from pipelines.component import Component
from pipelines.models.weights import minilm_folder

from .tiny import cross_encoder_folder

_NUMBERS = ("integer", "number")
_TOGETHER: dict[str, dict[str, Any]] = {
    "negatives_from": {"negatives_to": 1000},
    "synthetic": {"synthetic_endpoint": "client:contract", "synthetic_model": "any"},
}
"""What must be set too when a knob is changed."""


def registered(stage: str | None = None) -> list[Any]:
    """All components of a stage (or of all stages) as test parameters."""
    found = all_components()
    return [
        pytest.param(component, id=f"{name}.{component.name}")
        for name in ([stage] if stage else found)
        for component in found[name].values()
    ]


def required(component: type[Component]) -> dict[str, Any]:
    """A value for every knob that has no default."""
    return {knob.name: _some(knob, component.stage) for knob in knobs(component) if knob.required}


def _some(knob: Knob, stage: str) -> Any:
    if knob.name == "endpoint":
        return "http://127.0.0.1:9/v1"
    if knob.name == "model":
        return str(cross_encoder_folder() if stage == "rerank" else minilm_folder())
    return next(iter([*knob.choices, *knob.schema.get("examples", ()), *extremes(knob)]), "x")


def extremes(knob: Knob) -> list[Any]:
    """The least and the greatest number that a knob allows."""
    schema = knob.schema
    if schema.get("type") not in _NUMBERS:
        return []
    near = 1 if schema["type"] == "integer" else 1e-6
    low = schema.get("minimum", schema["exclusiveMinimum"] + near if "exclusiveMinimum" in schema else None)
    high = schema.get("maximum", schema["exclusiveMaximum"] - near if "exclusiveMaximum" in schema else None)
    return [value for value in (low, high) if value is not None]


def values(knob: Knob) -> list[Any]:
    """Values that a knob allows: all choices, both extremes, or a few that fit its type."""
    schema = knob.schema
    kind = schema.get("type")
    if knob.choices:
        return list(knob.choices)
    if schema.get("examples"):
        return list(schema["examples"])
    if kind in _NUMBERS:
        return extremes(knob)
    if kind == "boolean":
        return [True, False]
    if kind == "array":
        item = schema.get("items", {})
        return [[item.get("minimum", 1)], [item.get("minimum", 1), item.get("maximum", 9)]]
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        listed = schema["additionalProperties"].get("type") == "array"
        return [{}, {"word": ["other", "and another"] if listed else "other"}]
    if kind == "object":
        return [{}, {"number": {"$gte": 2}}]
    return []


def build(component: type[Component], **settings: Any) -> Component:
    """Build a component with defaults for the rest; knobs that it lacks are left out, those that apply only with others
    get them."""
    known = {name: value for name, value in settings.items() if name in component.model_fields}
    return component(**{**required(component), **applying(component, known), **known})


def applying(component: type[Component], names: Iterable[str]) -> dict[str, Any]:
    """Values of other knobs with which those of these names mean anything."""
    declared = {knob.name: knob for knob in knobs(component)}
    found: dict[str, Any] = {}
    for name in names:
        needed = {other: allowed[0] for other, allowed in declared[name].when.items()}
        found |= {**applying(component, needed), **needed}
    return found


def one_knob_changed(component: type[Component]) -> Iterator[Component]:
    """The component with defaults, then with each allowed value of each knob in turn."""
    yield build(component)
    for knob in knobs(component):
        for value in values(knob):
            yield build(component, **{**_TOGETHER.get(knob.name, {}), knob.name: value})


def corners(component: type[Component]) -> list[Component]:
    """The component at every combination of its numeric knobs' extremes and defaults."""
    numeric = [knob for knob in knobs(component) if extremes(knob)]
    choices = [[knob.default, *extremes(knob)] for knob in numeric]
    names = [knob.name for knob in numeric]
    return [build(component, **dict(zip(names, row, strict=True))) for row in itertools.product(*choices)]
