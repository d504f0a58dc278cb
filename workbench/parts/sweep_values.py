"""What a knob may be in a sweep, asked for by its declaration alone: one value, several, or a range."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st
import yaml

from pipelines import api
from pipelines.catalog import Knob
from pipelines.errors import ConfigurationError, shorten
from workbench import declared, forms

_PX, _CHOICE_PX = 150, 205
_PILLS_CHARS = 24
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_RANGE = re.compile(rf"({_NUMBER})\s+to\s+({_NUMBER})(?:\s+step\s+({_NUMBER}))?(\s+log)?", re.IGNORECASE)
_BOUNDLESS = 1_000_000
_WORDS = {"none": None, "on": True, "off": False}


def ask(knob: Knob, held: Any, key: str) -> Any:
    """Draw one knob; return a value, a list of values, or a range as a sweep file holds it.

    Raises:
        ConfigurationError: for text that cannot be read; bounds are the component's to check.
    """
    return _kind(knob)(knob, held, key)


def _kind(knob: Knob) -> Callable[[Knob, Any, str], Any]:
    described = declared.schema(knob)
    if declared.choices(described):
        return _choices
    if declared.of_several_kinds(described):
        return _mixed
    drawn = {"boolean": _switch, "integer": _numbers, "number": _numbers, "string": _texts}
    return drawn.get(described.get("type", ""), _lists if described.get("type") == "array" else _mappings)


def label(knob: Knob) -> str:
    """Return the knob's name with its unit and, for a number, what is allowed."""
    described, none = declared.schema(knob), ", or none" if _takes_none(knob) else ""
    low, high = (described.get(end) for end in ("minimum", "maximum"))
    if None in (low, high) or max(abs(low), abs(high)) >= _BOUNDLESS:
        return declared.label(knob) + none
    return f"{knob.name.replace('_', ' ')}, {low:g}–{high:g} {knob.unit}".strip() + none


def _several(held: Any) -> list[Any]:
    return list(held) if isinstance(held, list) else [held]


def _one(values: Sequence[Any], knob: Knob) -> Any:
    """Return the value where there is but one, else the list.

    Raises:
        ConfigurationError: when there is none.
    """
    if not values:
        raise ConfigurationError(f"'{knob.name}' holds nothing; choose one value or several.")
    return values[0] if len(values) == 1 else list(values)


def _choices(knob: Knob, held: Any, key: str) -> Any:
    options = declared.choices(declared.schema(knob))
    begun = [one for one in _several(held) if one in options]
    about = declared.help_text(knob)
    if len("".join(str(one) for one in options)) <= _PILLS_CHARS:
        found = st.pills(declared.label(knob), options, selection_mode="multi", default=begun, key=key, help=about)
    else:
        found = st.multiselect(declared.label(knob), options, begun, key=key, help=about, width=_CHOICE_PX)
    return _one(found, knob)


def _switch(knob: Knob, held: Any, key: str) -> Any:
    begun = ["on" if one else "off" for one in _several(held)]
    chosen = st.pills(
        declared.label(knob), ("on", "off"), selection_mode="multi", default=begun, key=key,
        help=declared.help_text(knob), width="content",
    )  # fmt: skip
    return _one([_WORDS[one] for one in chosen], knob)


def _texts(knob: Knob, held: Any, key: str) -> Any:
    """Ask for texts: several may be entered one after the other; what only one text meets is not asked for."""
    begun = [str(one) for one in _several(held) if one]
    fixed = str(declared.schema(knob).get("pattern", "")).strip("^$")
    chosen = st.multiselect(
        declared.label(knob), begun, begun, key=key, help=declared.help_text(knob), accept_new_options=True,
        disabled=bool(begun) and begun == [fixed], placeholder="Write one, press Enter", width=_CHOICE_PX,
    )  # fmt: skip
    if not chosen and not knob.required and not knob.default:
        return knob.default
    return _one(chosen, knob)


def _numbers(knob: Knob, held: Any, key: str) -> Any:
    about = (
        f"{declared.help_text(knob)} Several values: with commas between them; a range: 16 to 64, or 0 to 1 step 0.1"
    )
    written = st.text_input(label(knob), written_out(held), key=key, help=about, width=_PX,
                            placeholder="none" if _takes_none(knob) else "128, 256")  # fmt: skip
    return read_numbers(knob, written)


def read_numbers(knob: Knob, written: str) -> Any:
    """Read numbers with commas between them, or one range.

    Raises:
        ConfigurationError: for anything else.
    """
    whole = "number" not in _types(knob)
    found = _RANGE.fullmatch(written.strip())
    if found is not None:
        low, high, step, log = found.groups()
        ends = {"from": _number(knob, low, whole), "to": _number(knob, high, whole)}
        return {**ends, **({"step": _number(knob, step, whole)} if step else {}), **({"log": True} if log else {})}
    parts = [part.strip() for part in written.replace(";", ",").split(",") if part.strip()]
    if not parts and _takes_none(knob):
        return None
    return _one([_number(knob, part, whole) for part in parts], knob)


def _number(knob: Knob, part: str, whole: bool) -> int | float | None:
    if part.casefold() == "none" and _takes_none(knob):
        return None
    kind = r"[-+]?\d+" if whole else _NUMBER
    if not re.fullmatch(kind, part):
        asked, such = ("whole numbers", "128, 256") if whole else ("numbers", "0.25, 0.5")
        raise ConfigurationError(
            f"'{knob.name}' holds '{shorten(part, 40)}'; write {asked} with commas between them, such as {such}."
        )
    return int(part) if whole else float(part)


def _mixed(knob: Knob, held: Any, key: str) -> Any:
    """Ask for what may be of several kinds, such as numbers and "auto", with commas between them."""
    shown = ", ".join("none" if one is None else str(one) for one in _several(held))
    written = st.text_input(declared.label(knob), shown, key=key, help=declared.help_text(knob), width=_PX)
    return _one([_scalar(knob, part.strip()) for part in written.split(",") if part.strip()], knob)


def _scalar(knob: Knob, part: str) -> Any:
    if part.casefold() == "none" and _takes_none(knob):
        return None
    return api.read_values(part.encode(), f"'{knob.name}'")


def _types(knob: Knob) -> set[str]:
    parts = [knob.schema, *knob.schema.get("anyOf", ())]
    return {str(part["type"]) for part in parts if "type" in part}


def _takes_none(knob: Knob) -> bool:
    return "null" in _types(knob)


def written_out(held: Any) -> str:
    """Return what `read_numbers` reads back."""
    if isinstance(held, Mapping):
        step = f" step {_digits(held['step'])}" if "step" in held else ""
        return f"{_digits(held['from'])} to {_digits(held['to'])}{step}{' log' if held.get('log') else ''}"
    if held is None:
        return ""
    return ", ".join("none" if one is None else _digits(one) for one in _several(held))


def _digits(value: Any) -> str:
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def _lists(knob: Knob, held: Any, key: str) -> Any:
    """Ask for one list: a sweep over several lists is for its file."""
    return forms.draw(knob, [] if held is None else held, key)


def _mappings(knob: Knob, held: Any, key: str) -> Any:
    """Ask for mappings, one a line."""
    values = [one for one in _several(held) if one]
    shown = "\n".join(yaml.safe_dump(one, allow_unicode=True, default_flow_style=True, width=10_000).strip()
                      for one in values)  # fmt: skip
    about = f"{declared.label(knob)}: {knob.description}; several to try: one a line"
    written = st.text_area(
        about.replace("$", r"\$"), shown, key=key, height=90,
        placeholder="{year: {$gte: 2023}}\n{region: North}",
    )  # fmt: skip
    return read_mappings(knob, written)


def read_mappings(knob: Knob, written: str) -> Any:
    """Read one mapping, or several of them, each on a line of its own.

    Raises:
        ConfigurationError: for text that is neither.
    """
    lines = [line for line in written.splitlines() if line.strip()]
    if len(lines) > 1:
        found = [_mapping(knob, line) for line in lines]
        if all(isinstance(one, Mapping) for one in found) and all(line.lstrip().startswith("{") for line in lines):
            return found
    return _mapping(knob, written)


def _mapping(knob: Knob, written: str) -> Any:
    value = api.read_values(written.encode(), f"'{knob.name}'")
    return {} if value in (None, "") else value
