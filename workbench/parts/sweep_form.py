"""The search space as forms: per stage the components to try, and for each of them its knobs, drawn as declared."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from pipelines.catalog import STAGES, Stage, all_components, knobs, summary
from pipelines.component import Component
from pipelines.errors import ConfigurationError
from pipelines.sweeps.space import Space
from workbench import declared, faults, forms
from workbench.parts import sweep_values

Alternatives = list[dict[str, Any]]
Stages = dict[str, Alternatives]


def ask(held: Mapping[str, Alternatives], key: str) -> Stages | None:
    """Draw a form a stage; return the stages that are not as the defaults have them, None while one is not allowed."""
    everything = all_components()
    drawn = [stage for stage in STAGES if _has_choice(everything[stage.name])]
    made = {one.name: _stage(one, everything[one.name], held.get(one.name), f"{key}.{one.name}") for one in drawn}
    rest = [stage.title.lower() for stage in STAGES if stage not in drawn]
    if rest:
        st.caption(f"Nothing to choose yet: {', '.join(rest)}.")
    if any(alternatives is None for alternatives in made.values()):
        return None
    defaults = {stage.name: [{"use": stage.default}] for stage in drawn}
    return {name: found for name, found in made.items() if found is not None and found != defaults[name]}


def _has_choice(components: Mapping[str, type[Component]]) -> bool:
    return len(components) > 1 or any(knobs(component) for component in components.values())


def _stage(
    stage: Stage, components: Mapping[str, type[Component]], held: Alternatives | None, key: str
) -> Alternatives | None:
    """Draw one stage; return its alternatives, None (with a sentence) while one is not allowed."""
    begun = {str(one["use"]): one for one in held or [{"use": stage.default}]}
    with st.container(border=True, gap="xsmall"):
        about, place = st.columns([1, 3.5], gap="medium")
        with about, st.container(key=f"stage_use_sweep_{stage.name}"):
            names = [name for name in begun if name in components]
            chosen = st.pills(
                stage.title, list(components), selection_mode="multi", default=names, key=f"{key}.use",
                help=f"{stage.purpose}; each one chosen is tried",
            )  # fmt: skip
        with place, faults.told():
            if not chosen:
                raise ConfigurationError(f"{stage.title} has no component; choose one or more.")
            found = _alternatives(components, chosen, begun, key)
            if found is not None:
                _check(stage, json.dumps([found]))
            return found
    return None


def _alternatives(
    components: Mapping[str, type[Component]], chosen: Sequence[str], begun: Mapping[str, Any], key: str
) -> Alternatives | None:
    """Draw the knobs of every chosen component, whatever is wrong with those of another one."""
    found: Alternatives = []
    for name in chosen:
        with faults.told():
            st.caption(f"**{name}** · {declared.ours(summary(components[name]))}")
            found.append({"use": name, **_knobs(components[name], begun.get(name, {}), f"{key}.{name}")})
    return found if len(found) == len(chosen) else None


def _knobs(component: type[Component], held: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Return the knobs that are not as declared.

    Raises:
        ConfigurationError: for the first that cannot be read, once all are drawn.
    """
    taken = {knob.name: knob for knob in knobs(component)}
    own = vars(component).get("__annotations__", {})
    values = forms.knob_form(list(taken.values()), held, key, own, by=sweep_values.ask)
    return {name: value for name, value in values.items() if taken[name].required or value != taken[name].default}


def _check(stage: Stage, written: str) -> None:
    """Refuse what no component takes, beside its form.

    Raises:
        ConfigurationError: for a value out of bounds, or values that do not go together.
    """
    _checked(stage.name, stage.title, written)


@st.cache_data(max_entries=256, show_spinner=False)
def _checked(name: str, title: str, written: str) -> None:
    Space.parse({name: json.loads(written)[0]}, title)
