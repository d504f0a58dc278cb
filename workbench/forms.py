"""Draws a form for any component from its declaration alone: a new component, or a new knob, needs no edit here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date
from typing import Any

import streamlit as st

from pipelines import api
from pipelines.catalog import Knob
from pipelines.errors import ConfigurationError, shorten
from workbench import applicable, declared, lines, nested

Draw = Callable[[Knob, Any, str], Any]
_NUMBER_PX, _TEXT_PX, _SEVERAL_PX = 150, 215, 330
_SHOWN_KNOBS, _MOST_KNOBS, _ALIKE = 7, 9, 3
_LONG_CHARS = 60
_ACRONYMS = {"lora": "LoRA"}
_FIRST_DAY, _LAST_DAY = date(1900, 1, 1), date(2199, 12, 31)


def knob_form(
    knobs: Sequence[Knob], held: Mapping[str, Any], key: str, own: Collection[str] = (), by: Draw | None = None
) -> dict[str, Any]:
    """Draw the knobs that apply, beginning with the values held; return what is set now. Of many, some are folded away.

    The names in `own` are those of the component itself, not shared with others: they are shown before the rest.
    A sweep draws with a `by` of its own.

    Raises:
        ConfigurationError: for text that cannot be read as a value; the bounds are the component's to check.
    """
    values: dict[str, Any] = {}
    wrong: list[ConfigurationError] = []
    drawn = applicable.chosen(knobs, held, key)
    held = applicable.remembered(drawn, held, key)
    for title, group in _groups(drawn, own):
        with st.container() if title is None else _folded(title, group, held, f"{key}.{title}"):
            found, also = _row(group, held, key, by or draw)
        values, wrong = {**values, **found}, [*wrong, *also]
    if wrong:
        raise wrong[0]
    applicable.remember(values, key)
    return {knob.name: values[knob.name] for knob in drawn}


def _groups(knobs: Sequence[Knob], own: Collection[str]) -> list[tuple[str | None, Sequence[Knob]]]:
    """Part many knobs: those shown, those that begin with the same word, and the rest; each with its title."""
    knobs = applicable.deciding_first(knobs)
    if len(knobs) <= _MOST_KNOBS:
        return [(None, knobs)]
    words = Counter(_first_word(knob) for knob in knobs)
    alone = [knob for knob in knobs if words[_first_word(knob)] < _ALIKE]
    titled = {word: [knob for knob in knobs if _first_word(knob) == word] for word, n in words.items() if n >= _ALIKE}
    ranked = sorted(alone, key=lambda knob: not (knob.required or knob.name in own))
    shown = {knob.name for knob in (alone if len(alone) <= _MOST_KNOBS else ranked[:_SHOWN_KNOBS])}
    first, rest = ([knob for knob in alone if (knob.name in shown) is wanted] for wanted in (True, False))
    more = [(f"{len(rest)} more settings", rest)] if rest else []
    return [(None, first), *((_title(word), group) for word, group in titled.items()), *more]


def _title(word: str) -> str:
    return _ACRONYMS.get(word, word.capitalize())


def _first_word(knob: Knob) -> str:
    return knob.name.split("_")[0]


def _folded(title: str, group: Sequence[Knob], held: Mapping[str, Any], key: str) -> Any:
    changed = any(held.get(knob.name, knob.default) != knob.default for knob in group)
    return st.expander(title, expanded=changed, key=f"{key}.folded")


def _row(
    knobs: Sequence[Knob], held: Mapping[str, Any], key: str, by: Draw
) -> tuple[dict[str, Any], list[ConfigurationError]]:
    """Draw knobs beside one another; below them those that are forms of their own."""
    values: dict[str, Any] = {}
    wrong: list[ConfigurationError] = []
    wide = [knob for knob in knobs if declared.stage_of_parts(knob) is not None]
    beside = st.container(horizontal=True, gap="small", vertical_alignment="bottom")
    for knob in [*(knob for knob in knobs if knob not in wide), *wide]:
        with st.container() if knob in wide else beside:
            try:
                values[knob.name] = by(knob, held.get(knob.name, knob.default), f"{key}.{knob.name}")
            except ConfigurationError as error:
                wrong.append(error)
    return values, wrong


def draw(knob: Knob, value: Any, key: str) -> Any:
    """Draw one knob and return its value."""
    if declared.stage_of_parts(knob) is not None and nested.can_draw(value):
        return nested.draw(knob, value, key, knob_form)
    return _kind(declared.schema(knob))(knob, value, key)


def _kind(described: declared.Schema) -> Draw:
    if declared.choices(described):
        return _choice
    if described.get("type") == "array":
        return _kind_of_list(described.get("items", {}))
    if described.get("type") == "object":
        return _terms if _holds_texts(described) else _mapping
    if described.get("type") == "string":
        return _date if declared.is_date(described) else _text
    if declared.of_several_kinds(described):
        return _either
    drawn: dict[str, Draw] = {"boolean": _boolean, "integer": _integer, "number": _number}
    return drawn.get(described.get("type", ""), _mapping)


def _kind_of_list(items: declared.Schema) -> Draw:
    if items.get("enum"):
        return _several
    kinds: dict[str, Draw] = {"integer": _integers, "number": _numbers, "string": _items}
    return kinds.get(items.get("type", ""), _mapping)


def _holds_texts(described: declared.Schema) -> bool:
    """Whether every name of a mapping has a text, or a list of texts."""
    held = described.get("additionalProperties")
    if not isinstance(held, Mapping):
        return False
    inner = held.get("items", {}) if held.get("type") == "array" else held
    return isinstance(inner, Mapping) and inner.get("type") == "string"


def _choice(knob: Knob, value: Any, key: str) -> Any:
    options = declared.choices(declared.schema(knob))
    options = [None, *options] if declared.optional(knob) else options
    index = options.index(value) if value in options else 0
    return st.selectbox(
        declared.label(knob), options, index=index, key=key, help=declared.help_text(knob), width=_NUMBER_PX,
        format_func=lambda one: "none" if one is None else str(one),
    )  # fmt: skip


def _boolean(knob: Knob, value: Any, key: str) -> bool:
    return st.toggle(declared.label(knob), value=bool(value), key=key, help=declared.help_text(knob), width="content")


def _integer(knob: Knob, value: Any, key: str) -> int | None:
    # No bounds on the widget: it would keep the last good value and say nothing. The component refuses, in words.
    start = None if value is None else int(value)
    return _number_box(knob, start, key, step=int(declared.schema(knob).get("multipleOf", 1)))


def _number(knob: Knob, value: Any, key: str) -> float | None:
    low, high = (_bound(knob, name) for name in ("inimum", "aximum"))
    start = None if value is None else float(value)
    step = 0.05 if low is not None and high is not None and high - low <= 1 else 0.1
    return _number_box(knob, start, key, step=step, format="%g")


def _number_box(knob: Knob, start: Any, key: str, **form: Any) -> Any:
    """Draw a number; an optional one can be emptied, which Streamlit allows only where nothing is the default."""
    if declared.optional(knob):
        form["placeholder"] = "none"
        if key not in st.session_state:
            st.session_state[key] = start
        start = None
    return st.number_input(
        declared.label(knob), value=start, key=key, help=declared.help_text(knob), width=_NUMBER_PX, **form
    )


def _bound(knob: Knob, end: str) -> float | None:
    described = declared.schema(knob)
    found = described.get(f"m{end}", described.get(f"exclusiveM{end}"))
    return None if found is None else float(found)


def _text(knob: Knob, value: Any, key: str) -> str | None:
    described, shown = declared.schema(knob), value or ""
    if described.get("multiline") or "\n" in shown or max(len(shown), len(str(knob.default or ""))) > _LONG_CHARS:
        written = st.text_area(declared.label(knob), shown, key=key, help=declared.help_text(knob), height=120)
    else:
        fixed = str(described.get("pattern", "")).strip("^$") == value
        written = st.text_input(
            declared.label(knob), shown, key=key, help=declared.help_text(knob), disabled=fixed, width=_TEXT_PX
        )
    return written if written or not declared.optional(knob) else None


def _date(knob: Knob, value: Any, key: str) -> str | None:
    try:
        begun = date.fromisoformat(str(value)) if value else None
    except ValueError:
        return _text(knob, value, key)  # the component says what is wrong with it
    chosen = st.date_input(
        declared.label(knob), begun, key=key, help=declared.help_text(knob), format="YYYY-MM-DD", width=_NUMBER_PX,
        min_value=_FIRST_DAY, max_value=_LAST_DAY,
    )  # fmt: skip
    return chosen.isoformat() if isinstance(chosen, date) else None


def _either(knob: Knob, value: Any, key: str) -> Any:
    """Ask for what may be of several kinds, such as a number or "auto", as text."""
    shown = "" if value is None else lines.yaml_text(value) if isinstance(value, bool) else str(value)
    held = st.text_input(
        declared.label(knob), shown, key=key, help=declared.help_text(knob), width=_NUMBER_PX, placeholder="none"
    )
    return api.read_values(held.encode(), f"'{knob.name}'") if held.strip() else None


def _several(knob: Knob, value: Any, key: str) -> list[Any]:
    options = list(declared.schema(knob)["items"]["enum"])
    begun = [one for one in value or () if one in options]
    return st.multiselect(
        declared.label(knob), options, begun, key=key, help=declared.help_text(knob), width=_SEVERAL_PX
    )


def _integers(knob: Knob, value: Any, key: str) -> list[Any] | None:
    return _list_of(int, "whole numbers", "1, 3, 5", knob, value, key)


def _numbers(knob: Knob, value: Any, key: str) -> list[Any] | None:
    return _list_of(float, "numbers", "0.25, 0.5", knob, value, key)


def _list_of(kind: Callable[[str], Any], asked: str, such: str, knob: Knob, value: Any, key: str) -> list[Any] | None:
    shown = ", ".join(str(one) for one in value or ())
    written = st.text_input(
        declared.label(knob),
        shown,
        key=key,
        help=declared.help_text(knob),
        placeholder=f"such as {such}",
        width=_TEXT_PX,
    )
    parts = [part.strip() for part in written.replace(";", ",").split(",") if part.strip()]
    try:
        return [kind(part) for part in parts] if parts or not declared.optional(knob) else None
    except ValueError:
        found = f"'{knob.name}' holds '{shorten(written)}'"
        raise ConfigurationError(f"{found}; write {asked} with commas between them, such as {such}.") from None


def _items(knob: Knob, value: Any, key: str) -> list[Any] | None:
    written = _area(knob, lines.items_text(value or ()), key, "One a line")
    return lines.read_items(written, knob.name) if written.strip() or not declared.optional(knob) else None


def _terms(knob: Knob, value: Any, key: str) -> dict[str, Any] | None:
    several = declared.schema(knob)["additionalProperties"].get("type") == "array"
    example = "EBITDA: operating profit, earnings" if several else "EBITDA: operating profit"
    written = _area(knob, lines.terms_text(value or {}), key, f"One a line, such as\n{example}")
    return lines.read_terms(written, knob.name, several) if written.strip() or not declared.optional(knob) else None


def _mapping(knob: Knob, value: Any, key: str) -> Any:
    is_list = declared.schema(knob).get("type") == "array"
    example = "such as [{use: ...}]" if is_list else "such as {year: {$gte: 2023}} or {region: North}"
    written = _area(knob, lines.yaml_text(value), key, example)
    found = api.read_values(written.encode(), f"'{knob.name}'")
    empty: Any = [] if is_list else {}
    return found if found not in (None, "") else None if declared.optional(knob) else empty


def _area(knob: Knob, shown: str, key: str, example: str) -> str:
    height = min(240, max(80, 34 + 22 * (shown.count("\n") + 1)))
    written = st.text_area(
        declared.label(knob),
        shown,
        key=key,
        help=declared.help_text(knob),
        height=height,
        placeholder=example,
        width="stretch",
    )
    return str(written or "")
