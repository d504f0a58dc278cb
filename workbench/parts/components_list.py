"""All components of a stage with what they say of themselves: to choose by reading, not by name."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping

import streamlit as st

from pipelines.catalog import Stage
from pipelines.component import Component
from workbench.declared import ours


def popover(stage: Stage, components: Mapping[str, type[Component]], chosen: str, key: str) -> None:
    """Offer the list; a click on one of them chooses it in the box whose key is `key`."""
    alone = len(components) == 1 and len(_paragraphs(components[chosen])) == 1
    if alone:
        return
    label = "About it" if len(components) == 1 else f"About all {len(components)}"
    with st.popover(label, type="tertiary", icon=":material/menu_book:", key=f"{key}.about"):
        st.caption(f"{stage.title}: {stage.purpose.lower()}. The one in use comes first.")
        for name in _first(chosen, components):
            _entry(name, components[name], name == chosen, key)


def _first(chosen: str, names: Iterable[str]) -> list[str]:
    return [chosen, *(name for name in names if name != chosen)]


def _entry(name: str, component: type[Component], is_chosen: bool, key: str) -> None:
    with st.container(border=True, gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.markdown(f"**{name}**")
            if not is_chosen:
                st.button("Use it", key=f"{key}.take.{name}", on_click=_take, args=(key, name))
        for paragraph in _paragraphs(component):
            st.caption(ours(paragraph))


def _take(key: str, name: str) -> None:
    st.session_state[key] = name


def _paragraphs(component: type[Component]) -> list[str]:
    """Return what a component's declaration says of it: what it does, when to choose it, what it costs."""
    return [" ".join(part.split()) for part in inspect.cleandoc(component.__doc__ or "").split("\n\n") if part.strip()]
