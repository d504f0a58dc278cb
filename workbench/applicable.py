"""Which knobs of a form apply, as the others stand now; what was set in those that do not is remembered meanwhile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from pipelines.catalog import Knob


def chosen(knobs: Sequence[Knob], held: Mapping[str, Any], key: str) -> list[Knob]:
    """Return the knobs that apply at the values of the form whose widgets' keys begin with `key`.

    Where several values of a knob are tried, what applies for any of them applies.
    """
    deciding = _deciding(knobs)
    now = {knob.name: _now(knob, held, key) for knob in knobs if knob.name in deciding}
    return [knob for knob in knobs if all(_meets(now.get(name), allowed) for name, allowed in knob.when.items())]


def deciding_first(knobs: Sequence[Knob]) -> list[Knob]:
    """Return the knobs in their order, but those that decide whether others apply before the rest."""
    deciding = _deciding(knobs)
    return sorted(knobs, key=lambda knob: knob.name not in deciding)


def _deciding(knobs: Sequence[Knob]) -> set[str]:
    return {name for knob in knobs for name in knob.when}


def _now(knob: Knob, held: Mapping[str, Any], key: str) -> Any:
    return st.session_state.get(f"{key}.{knob.name}", held.get(knob.name, knob.default))


def _meets(value: Any, allowed: Sequence[Any]) -> bool:
    return any(one in allowed for one in (value if isinstance(value, list | tuple) else [value]))


def remembered(drawn: Sequence[Knob], held: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return the values to begin with: of a knob that was hidden when last drawn, what it held before that."""
    last = st.session_state.get(f"{key}.last", {})
    shown = st.session_state.get(f"{key}.shown", frozenset(last))
    back = {knob.name for knob in drawn} - shown
    return {**held, **{name: value for name, value in last.items() if name in back}}


def remember(values: Mapping[str, Any], key: str) -> None:
    """Hold on to what is set now, and to what is shown."""
    st.session_state[f"{key}.last"] = {**st.session_state.get(f"{key}.last", {}), **values}
    st.session_state[f"{key}.shown"] = frozenset(values)
