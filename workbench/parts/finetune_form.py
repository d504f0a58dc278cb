"""What is trained, and under which pipeline, as forms: trained components, and the stages that decide their data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from pipelines import api
from pipelines.catalog import Stage, all_components, build_component, knobs, stage, summary
from pipelines.component import Component
from pipelines.pipeline import Pipeline
from workbench import faults
from workbench.declared import ours
from workbench.forms import knob_form
from workbench.parts import components_list, finetune_draft
from workbench.parts.finetune_draft import LEARNING, Draft, Settings
from workbench.text import plain, shortened

_WHAT = {"Embedder": ("embed",), "Reranker": ("rerank",), "Both": ("embed", "rerank")}
_AROUND = ("chunk", "retrieve")
_OURS = ("strikes", "learn_from")


def ask(draft: Draft) -> Settings | None:
    """Draw the forms; return the stages of the pipeline, None (with a sentence) while one is not allowed."""
    learns = _learning(draft)
    made = {name: _form(stage(name), finetune_draft.trainable(name), draft, quiet=_OURS) for name in learns}
    st.subheader("Within this pipeline")
    _beginning()
    made |= {name: _form(stage(name), list(all_components()[name]), draft) for name in _AROUND}
    if any(settings is None for settings in made.values()):
        return None
    stages = {**_rest(draft, learns), **{name: found for name, found in made.items() if found is not None}}
    with faults.told():
        found = Pipeline.parse(stages, "the form").settings()
        _told_rest(found)
        return found
    return None


def _learning(draft: Draft) -> tuple[str, ...]:
    """Ask what is trained; only what has a component that learns is offered."""
    offered = {title: of for title, of in _WHAT.items() if all(finetune_draft.trainable(name) for name in of)}
    usual = next((title for title, of in offered.items() if of == draft.learns), next(iter(offered)))
    if len(offered) == 1:
        return offered[usual]
    chosen = st.segmented_control("What is trained", list(offered), default=usual, required=True,
                                  key=f"{draft.key}.what")  # fmt: skip
    return offered[str(chosen)]


def _rest(draft: Draft, learns: Sequence[str]) -> Settings:
    """Return the stages that are not asked for: what was trained and is no more is as the defaults have it."""
    usual = Pipeline.parse({}).settings()
    idle = [name for name in LEARNING if name not in learns and name in draft.learns]
    return {**draft.stages, **{name: usual[name] for name in idle}}


def _form(one: Stage, names: Sequence[str], draft: Draft, quiet: Sequence[str] = ()) -> dict[str, Any] | None:
    key, before = f"{draft.key}.{one.name}", draft.stages[one.name]
    components = {name: all_components()[one.name][name] for name in names}
    with st.container(border=True, gap="xsmall"):
        about, place = st.columns([1, 3.4], gap="medium")
        with about, st.container(key=f"stage_use_finetune_{one.name}", gap="xsmall"):
            use = _component(one, names, before, key)
            components_list.popover(one, components, use, f"{key}.use")
        with place, faults.told():
            st.caption(ours(summary(components[use])))
            return _settings(one, components[use], before, f"{key}.{use}", quiet)
    return None


def _component(one: Stage, names: Sequence[str], before: Mapping[str, Any], key: str) -> str:
    index = names.index(before["use"]) if before["use"] in names else 0
    return str(st.selectbox(one.title, names, index=index, key=f"{key}.use", help=one.purpose))


def _settings(
    one: Stage, component: type[Component], before: Mapping[str, Any], key: str, quiet: Sequence[str]
) -> dict[str, Any]:
    """Draw the knobs of a component, but for those that the page itself sets; return its settings.

    Raises:
        ConfigurationError: for what is not allowed.
    """
    held = before if before["use"] == component.name else {}
    shown = [knob for knob in knobs(component) if knob.name not in quiet]
    kept = {name: held[name] for name in quiet if name in held}
    values = knob_form(shown, held, key, vars(component).get("__annotations__", {}))
    return build_component(one.name, {"use": component.name, **kept, **values}, one.title).settings()


def _beginning() -> None:
    """Offer a run's pipeline in place of what the forms hold."""
    rows = {str(row["run"]): row for row in reversed(api.runs(()).rows)}
    if not rows:
        return
    with st.popover("Take a run's pipeline", icon=":material/history:"):
        chosen = st.selectbox(
            "Run", list(rows), format_func=lambda run: shortened(_title(rows[run])), key="finetune.begin"
        )
        st.caption("Its embedding model becomes the base model that is trained.")
        if st.button("Use its pipeline", type="primary"):
            with faults.told():
                finetune_draft.take_pipeline(api.run(chosen).settings)
                st.rerun()


def _title(row: Mapping[str, Any]) -> str:
    return f"{row['name']} · {row['dataset']} · {row['created']}"


def _told_rest(stages: Settings) -> None:
    """Say which other stages are not as the defaults have them."""
    usual = Pipeline.parse({}).settings()
    other = [f"{name}: {settings['use']}" for name, settings in stages.items()
             if name not in (*_AROUND, *LEARNING) and settings != usual[name]]  # fmt: skip
    told = f"not as by default: {', '.join(other)}" if other else "as by default"
    st.caption(plain(f"All other stages are {told}."))
