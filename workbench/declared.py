"""What a knob's declaration says: of which kind it is, what stands above it, what its help tells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipelines.catalog import STAGE_NAMES, Knob
from pipelines.errors import shorten
from workbench import lines

Schema = Mapping[str, Any]
_DAY = r"^\d{4}-\d{2}-\d{2}$"


def schema(knob: Knob) -> Schema:
    """Return the knob's schema; of an optional one, that of its value."""
    variants = [one for one in knob.schema.get("anyOf", ()) if one.get("type") != "null"]
    return {**knob.schema, **variants[0]} if len(variants) == 1 else knob.schema


def optional(knob: Knob) -> bool:
    """Return whether the knob may hold nothing."""
    return any(one.get("type") == "null" for one in knob.schema.get("anyOf", ()))


def choices(described: Schema) -> list[Any]:
    """Return the values of a choice; none where it is no choice."""
    return [described["const"]] if "const" in described else list(described.get("enum") or ())


def of_several_kinds(described: Schema) -> bool:
    """Return whether one of several simple kinds is meant, such as a number or "auto"."""
    variants = described.get("anyOf", ())
    return "type" not in described and bool(variants) and not _structured(variants)


def is_date(described: Schema) -> bool:
    """Return whether a text is a day, as 2024-12-31."""
    return described.get("format") == "date" or described.get("pattern") == _DAY


def stage_of_parts(knob: Knob) -> str | None:
    """Return the stage whose components a knob is a list of, such as `extractors`; None for any other knob."""
    described = schema(knob)
    if described.get("type") != "array" or described.get("items", {}).get("type") != "object":
        return None
    return next((name for name in STAGE_NAMES if knob.name.startswith(name)), None)


def _structured(variants: Sequence[Schema]) -> bool:
    return any(one.get("type") in ("object", "array") or not {"type", "enum", "const"} & set(one) for one in variants)


def label(knob: Knob) -> str:
    """Return the knob's name in words, with its unit."""
    words = knob.name.replace("_", " ").strip()
    unit = "" if knob.unit in ("", *words.split()) else f", {knob.unit}"
    return words + unit


def help_text(knob: Knob) -> str:
    """Return what the knob decides, what is allowed and what is the default."""
    return ours(_help(knob))


def ours(text: str) -> str:
    """Return the declaration's own words as Markdown: what stands in backticks is code, all else is as written."""
    return text.replace("$", r"\$").replace("*", r"\*")


def _help(knob: Knob) -> str:
    default = "" if knob.required else f" Default: {_written(knob.default)}."
    bounds = knob.bounds().replace(" or null", ", or empty")
    told = schema(knob).get("type") not in ("boolean", "object") and not schema(knob).get("enum")
    return f"{knob.description.rstrip('.')}{f' ({bounds})' if told else ''}.{default}"


def _written(value: Any) -> str:
    if isinstance(value, list | tuple):
        return shorten(", ".join(str(one) for one in value), 120) or "none"
    if isinstance(value, Mapping):
        return shorten(lines.yaml_text(dict(value)), 120) or "empty"
    if isinstance(value, bool) or value is None or value == "":
        return {True: "on", False: "off"}.get(value, "none") if isinstance(value, bool) else "none"
    return shorten(str(value), 120)
