"""The forms of all stages, in the catalogue's order, and the pipeline they make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from pipelines.catalog import STAGES, Stage, all_components, build_component, knobs, summary
from pipelines.component import Component
from pipelines.errors import ConfigurationError
from pipelines.pipeline import Pipeline
from workbench import faults
from workbench.declared import ours
from workbench.forms import knob_form
from workbench.parts import components_list

Settings = dict[str, dict[str, Any]]
_HELD, _ROUND = "build.settings", "build.round"
HALVES = {"load": "From documents to an index", "transform": "From a question to a ranking"}
"""The two halves of the flow, by the stage each begins with: the first is computed once for all questions."""


def load(settings: Mapping[str, Any]) -> None:
    """Begin again from these settings, in fresh forms."""
    st.session_state[_HELD] = {name: dict(values) for name, values in settings.items()}
    st.session_state[_ROUND] = st.session_state.get(_ROUND, 0) + 1


def forms() -> Pipeline | None:
    """Draw a form a stage; return the pipeline, or None while a form holds what is not allowed."""
    everything = all_components()
    fixed = [stage for stage in STAGES if not has_choice(everything[stage.name])]
    made: dict[str, dict[str, Any] | None] = {}
    for stage in STAGES:
        if stage.name in HALVES:
            st.subheader(HALVES[stage.name])
        if stage not in fixed:
            made[stage.name] = _form(stage, everything[stage.name])
    if fixed:
        st.caption(f"Nothing to choose yet: {', '.join(stage.title.lower() for stage in fixed)}.")
    return _made(made)


def narrow_forms(names: Sequence[str]) -> Pipeline | None:
    """Draw the forms of some stages, for a narrow place; what the other stages hold stays as it is."""
    everything = all_components()
    by_name = {stage.name: stage for stage in STAGES}
    shown = [by_name[name] for name in names if has_choice(everything[name])]
    return _made({one.name: _form(one, everything[one.name], narrow=True) for one in shown})


def _held() -> Settings:
    return st.session_state.get(_HELD) or Pipeline.parse({}).settings()


def _made(made: Mapping[str, dict[str, Any] | None]) -> Pipeline | None:
    if any(settings is None for settings in made.values()):
        return None
    st.session_state[_HELD] = {**_held(), **made}
    return Pipeline.parse(st.session_state[_HELD], "the form")


def has_choice(components: Mapping[str, type[Component]]) -> bool:
    """Return whether a stage has anything to choose."""
    return len(components) > 1 or any(knobs(component) for component in components.values())


def _form(stage: Stage, components: Mapping[str, type[Component]], narrow: bool = False) -> dict[str, Any] | None:
    key = f"build.{st.session_state.get(_ROUND, 0)}.{stage.name}"
    before = _held().get(stage.name, {})
    with st.container(border=True, gap="xsmall"):
        about, knob_place = (st.container(), st.container()) if narrow else st.columns([1, 3.4], gap="medium")
        with about, st.container(key=f"stage_use_{stage.name}", gap="xsmall"):
            use = _component(stage, components, before, key)
            components_list.popover(stage, components, use, f"{key}.use")
        with knob_place, faults.told():
            st.caption(ours(summary(components[use])))
            remembered = before if before.get("use", stage.default) == use else {}
            own = vars(components[use]).get("__annotations__", {})
            settings = {"use": use, **knob_form(knobs(components[use]), remembered, f"{key}.{use}", own)}
            build_component(stage.name, settings, stage.title)
            return settings
    return None


def _component(stage: Stage, components: Mapping[str, type[Component]], before: Mapping[str, Any], key: str) -> str:
    names = list(components)
    held = before.get("use", stage.default)
    index = names.index(held) if held in names else 0
    return st.selectbox(stage.title, names, index=index, key=f"{key}.use", help=stage.purpose)


def check(settings: object, where: str) -> Pipeline:
    """Return the pipeline that `settings` describe.

    Raises:
        ConfigurationError: when they describe none.
    """
    if settings is None:
        raise ConfigurationError(
            f"{where} is empty; a pipeline file names at least one stage, such as 'chunk: sentence'."
        )
    return Pipeline.parse(settings, where)
