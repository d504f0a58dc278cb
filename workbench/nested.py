"""Draws a knob that is a list of components of one stage: which ones, in which order, and the knobs of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from pipelines.catalog import Knob, all_components, knobs, summary
from pipelines.errors import ConfigurationError
from workbench import declared

Form = Callable[[Sequence[Knob], Mapping[str, Any], str], dict[str, Any]]


def can_draw(value: Any) -> bool:
    """Return whether a value can be drawn: each component at most once, which a list to choose from can hold."""
    names = [one.get("use") for one in value or () if isinstance(one, Mapping)]
    return len(names) == len(value or ()) and len(set(names)) == len(names)


def draw(knob: Knob, value: Any, key: str, form: Form) -> list[dict[str, Any]]:
    """Draw the choice and a form for each component chosen; return them with their knobs, in the order chosen.

    Raises:
        ConfigurationError: for the first of them whose form cannot be read, once all are drawn.
    """
    offered = _offered(knob)
    held = {str(one["use"]): one for one in value or () if one.get("use") in offered}
    chosen = st.multiselect(
        declared.label(knob), list(offered), list(held), key=f"{key}.use", help=declared.help_text(knob),
        placeholder="Choose one or more",
    )  # fmt: skip
    if not chosen and declared.schema(knob).get("minItems"):
        raise ConfigurationError(f"'{knob.name}' holds nothing; choose one or more.")
    found: list[dict[str, Any]] = []
    wrong: list[ConfigurationError] = []
    for name in chosen:
        with st.container(border=True, gap="xsmall"):
            st.caption(f"**{name}** · {declared.ours(summary(offered[name]))}")
            try:
                found.append({"use": name, **form(knobs(offered[name]), held.get(name, {}), f"{key}.{name}")})
            except ConfigurationError as error:
                wrong.append(error)
    if wrong:
        raise wrong[0]
    return found


def _offered(knob: Knob) -> dict[str, Any]:
    """Return the components that may stand in the list: not those that do nothing, nor those that are lists."""
    everything = all_components()[str(declared.stage_of_parts(knob))]
    return {
        name: component
        for name, component in everything.items()
        if not component.identity and not any(declared.stage_of_parts(own) for own in knobs(component))
    }
