"""A component's fields as forms, help, docs and messages show them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, TypeAlias

from pydantic import AfterValidator, BaseModel, Field


def _a_day(day: str) -> str:
    try:
        return date.fromisoformat(day).isoformat()
    except ValueError as error:
        raise ValueError(f"must be a day of the calendar such as 2024-12-31, but got {day!r}") from error


Day: TypeAlias = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$", examples=["2024-12-31"]), AfterValidator(_a_day)]
"""A knob that is a day of the calendar, in ISO form."""


@dataclass(frozen=True)
class Knob:
    """A field of a component, as forms and help show it."""

    name: str
    description: str
    default: Any
    required: bool
    schema: Mapping[str, Any]

    @property
    def unit(self) -> str:
        """Return the unit, or "" for a plain number or a choice."""
        return str(self.schema.get("unit", ""))

    @property
    def choices(self) -> tuple[Any, ...]:
        """Return the allowed values of a choice, else nothing."""
        return tuple(self.schema.get("enum", ()))

    @property
    def when(self) -> Mapping[str, tuple[Any, ...]]:
        """Return the values that other knobs must have for this one to apply; nothing for most."""
        return {name: tuple(values) for name, values in self.schema.get("when", {}).items()}

    def bounds(self) -> str:
        """Say what is allowed, such as "16 to 2048 tokens", "rrf | weighted" or "a list, each 1 to 1000"."""
        return f"{_bounds(self.schema)} {self.unit}".strip()


def _bounds(schema: Mapping[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join("null" if part.get("type") == "null" else _bounds(part) for part in schema["anyOf"])
    if schema.get("enum"):
        return " | ".join(str(choice) for choice in schema["enum"])
    if schema.get("type") == "array":
        some = "a list of one or more" if schema.get("minItems") else "a list"
        return f"{some}, each {_bounds(schema.get('items', {}))}"
    if "pattern" in schema:
        example = next(iter(schema.get("examples", ())), None)
        return f"text such as '{example}'" if example else f"text that matches {schema['pattern']}"
    if "exclusiveMinimum" in schema:
        return f"more than {schema['exclusiveMinimum']}, at most {schema.get('maximum', 'any number')}"
    low = schema.get("minimum")
    high = schema.get("maximum", schema.get("exclusiveMaximum"))
    if low is None and high is None:
        named = {
            "boolean": "true | false",
            "object": "a mapping",
            "number": "any number",
            "integer": "any whole number",
        }
        return named.get(schema.get("type", ""), "text")
    return f"{low} to {high}" if high is not None else f"{low} or more"


def knobs(component: type[BaseModel]) -> tuple[Knob, ...]:
    """Return the knobs of a component, in the order of their declaration."""
    schema = component.model_json_schema()
    required = set(schema.get("required", ()))
    return tuple(
        Knob(name, str(prop.get("description", "")), prop.get("default"), name in required, _inlined(prop, schema))
        for name, prop in schema.get("properties", {}).items()
    )


def _inlined(prop: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow a reference to a shared definition, so that a reader needs only this knob."""
    reference = prop.get("$ref", "")
    return {**schema["$defs"][reference.rsplit("/", 1)[-1]], **prop} if reference else prop


def applies(component: type[BaseModel], knob: str, values: Mapping[str, Any]) -> bool:
    """Return whether a knob means anything at these `values` of the others; one that is not given has its default.

    A field says so by `json_schema_extra={"when": {"method": ["lora", "full"]}}`: elsewhere it is left at its default,
    whatever is given.
    """
    field = component.model_fields.get(knob)
    extra = field.json_schema_extra if field is not None else None
    when = extra.get("when", {}) if isinstance(extra, Mapping) else {}
    if not isinstance(when, Mapping):
        return True
    held = {name: values.get(name, component.model_fields[name].get_default()) for name in when}
    return all(isinstance(allowed, list) and held[name] in allowed for name, allowed in when.items())
