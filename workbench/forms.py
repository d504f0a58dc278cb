"""Draws a form for any component from its declaration alone: a new component, or a new knob, needs no edit here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st
import yaml

from pipelines import api
from pipelines.catalog import Knob
from pipelines.errors import ConfigurationError, shorten

Schema = Mapping[str, Any]
_NUMBER_PX, _TEXT_PX = 150, 215


def knob_form(knobs: Sequence[Knob], held: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Draw the knobs, beginning with the values held; return what is set now.

    Raises:
        ConfigurationError: for text that cannot be read as a value; the bounds are the component's to check.
    """
    values: dict[str, Any] = {}
    wrong: list[ConfigurationError] = []
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        for knob in knobs:
            try:
                values[knob.name] = draw(knob, held.get(knob.name, knob.default), f"{key}.{knob.name}")
            except ConfigurationError as error:
                wrong.append(error)
    if wrong:
        raise wrong[0]
    return values


def draw(knob: Knob, value: Any, key: str) -> Any:
    """Draw one knob and return its value."""
    return _kind(schema(knob))(knob, value, key)


def schema(knob: Knob) -> Schema:
    """Return the knob's schema; of an optional one, that of its value."""
    variants = [one for one in knob.schema.get("anyOf", ()) if one.get("type") != "null"]
    return {**knob.schema, **variants[0]} if len(variants) == 1 else knob.schema


def _optional(knob: Knob) -> bool:
    return any(one.get("type") == "null" for one in knob.schema.get("anyOf", ()))


def _kind(described: Schema) -> Callable[[Knob, Any, str], Any]:
    if described.get("enum"):
        return _choice
    if described.get("type") == "array":
        return _integers if described.get("items", {}).get("type") == "integer" else _mapping
    drawn = {"boolean": _boolean, "integer": _integer, "number": _number, "string": _text}
    return drawn.get(described.get("type", ""), _mapping)


def label(knob: Knob) -> str:
    """Return the knob's name in words, with its unit."""
    words = knob.name.replace("_", " ")
    unit = "" if knob.unit in ("", *words.split()) else f", {knob.unit}"
    return words + unit


def help_text(knob: Knob) -> str:
    """Return what the knob decides, what is allowed and what is the default."""
    default = "" if knob.required else f" Default: {_written(knob.default)}."
    allowed = "" if schema(knob).get("enum") or schema(knob).get("type") == "boolean" else f" ({knob.bounds()})"
    return f"{knob.description}{allowed}.{default}".replace("$", r"\$").replace("*", r"\*")


def _written(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(str(one) for one in value) or "none"
    return {True: "on", False: "off", None: "none"}.get(value, str(value)) if not isinstance(value, dict) else "empty"


def _choice(knob: Knob, value: Any, key: str) -> Any:
    options = list(schema(knob)["enum"])
    index = options.index(value) if value in options else 0
    return st.selectbox(label(knob), options, index=index, key=key, help=help_text(knob), width=_NUMBER_PX)


def _boolean(knob: Knob, value: Any, key: str) -> bool:
    return st.toggle(label(knob), value=bool(value), key=key, help=help_text(knob), width="content")


def _integer(knob: Knob, value: Any, key: str) -> int | None:
    # No bounds on the widget: it would keep the last good value and say nothing. The component refuses, in words.
    start = None if value is None else int(value)
    step = int(schema(knob).get("multipleOf", 1))
    return st.number_input(label(knob), value=start, step=step, key=key, help=help_text(knob), width=_NUMBER_PX)


def _number(knob: Knob, value: Any, key: str) -> float | None:
    low, high = (_bound(knob, name) for name in ("inimum", "aximum"))
    start = None if value is None else float(value)
    step = 0.05 if low is not None and high is not None and high - low <= 1 else 0.1
    return st.number_input(
        label(knob), value=start, step=step, format="%g", key=key, help=help_text(knob), width=_NUMBER_PX
    )


def _bound(knob: Knob, end: str) -> float | None:
    described = schema(knob)
    found = described.get(f"m{end}", described.get(f"exclusiveM{end}"))
    return None if found is None else float(found)


def _text(knob: Knob, value: Any, key: str) -> str | None:
    fixed = str(schema(knob).get("pattern", "")).strip("^$") == value
    written = st.text_input(label(knob), value or "", key=key, help=help_text(knob), disabled=fixed, width=_TEXT_PX)
    return written if written or not _optional(knob) else None


def _integers(knob: Knob, value: Any, key: str) -> list[int]:
    shown = ", ".join(str(one) for one in value or ())
    written = st.text_input(
        label(knob), shown, key=key, help=help_text(knob), placeholder="such as 1, 3, 5", width=_TEXT_PX
    )
    parts = [part.strip() for part in written.replace(";", ",").split(",") if part.strip()]
    try:
        return [int(part) for part in parts]
    except ValueError:
        found = f"'{knob.name}' holds '{shorten(written)}'"
        raise ConfigurationError(f"{found}; write whole numbers with commas between them, such as 1, 3, 5.") from None


def _mapping(knob: Knob, value: Any, key: str) -> Any:
    shown = yaml.safe_dump(value, sort_keys=False, allow_unicode=True, default_flow_style=True).strip() if value else ""
    about = f"{label(knob)}: {knob.description}"
    example = "such as {year: {$gte: 2023}} or {region: North}"
    written = st.text_area(about.replace("$", r"\$"), shown, key=key, height=80, placeholder=example)
    return _read(knob, written)


def _read(knob: Knob, written: str) -> Any:
    value = api.read_values(written.encode(), f"'{knob.name}'")
    empty: Any = [] if schema(knob).get("type") == "array" else {}
    return value if value not in (None, "") else empty
