"""The knobs that can be changed on the spot: those of the stages behind the vectors, and the cut-off that is shown."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import streamlit as st

from pipelines import api
from pipelines.catalog import Knob, all_components, build_component, knobs, stage
from pipelines.errors import ConfigurationError, shorten
from pipelines.pipeline import Pipeline
from workbench import applicable, declared, faults, forms, handover
from workbench.text import plain

CHANGEABLE = ("retrieve", "filter", "rerank")
Settings = dict[str, dict[str, Any]]
_LAST = "what_if.last"
_WIDEST_SLIDER = 10
_LEAST_K, _USUAL_K, _MOST_K = 20, 5, 100


def ask(run_id: str, pipeline: Pipeline) -> Pipeline | None:
    """Draw the knobs; return the pipeline they make, None while one holds what is not allowed."""
    base = pipeline.settings()
    begun = _begun(run_id, base)
    k = cut_off(pipeline)
    made = {name: _form(name, begun[name], f"what_if.{run_id}.{_round()}.{name}") for name in CHANGEABLE}
    if any(settings is None for settings in made.values()):
        return None
    changed: Settings = {name: settings for name, settings in made.items() if settings is not None}
    links = {name: _link(changed[name], base[name]) for name in CHANGEABLE}
    handover.keep(**links)
    st.session_state.setdefault(_LAST, {})[run_id] = links
    cutoffs = sorted({*base["score"].get("cutoffs", ()), k})
    return Pipeline.parse({**base, **changed, "score": {**base["score"], "cutoffs": cutoffs}}, "the form")


def back() -> None:
    """Begin again from the run's settings, in fresh forms."""
    st.session_state[handover.key("round")] = _round() + 1
    handover.keep(**dict.fromkeys(CHANGEABLE))


def _round() -> int:
    return int(st.session_state.get(handover.key("round"), 0))


def cut_off(pipeline: Pipeline) -> int:
    """Ask for the k at which metrics are shown; it begins with what the URL says and stays there."""
    own, most = handover.key("k"), _most_k(pipeline)
    if own not in st.session_state:
        wanted = handover.asked("k") or ""
        st.session_state[own] = min(max(int(wanted), 1), most) if wanted.isdecimal() else min(_USUAL_K, most)
    k = int(
        st.slider(
            "k, chunks handed on",
            1,
            most,
            key=own,
            help="The cut-off at which the metrics are shown, of the run as it was and as it is now",
        )
    )
    handover.keep(k=str(k))
    return k


def _most_k(pipeline: Pipeline) -> int:
    return min(max(_LEAST_K, *getattr(pipeline.score, "cutoffs", ())), _MOST_K)


def _begun(run_id: str, base: Mapping[str, dict[str, Any]]) -> Settings:
    """Return what the forms begin with: the run's settings, with what the link changes or was tried last on this run.

    The browser's way back from another page, and the sidebar, bring no changes along.
    """
    held, begun = handover.key("run_shown"), handover.key(f"begun.{run_id}.{_round()}")
    if st.session_state.get(held, run_id) != run_id:
        handover.keep(**dict.fromkeys(CHANGEABLE))
    st.session_state[held] = run_id
    if begun not in st.session_state:
        asked = {name: handover.asked(name) for name in CHANGEABLE}
        if not any(asked.values()) and not _round():
            asked = st.session_state.get(_LAST, {}).get(run_id, asked)
        st.session_state[begun] = {name: _from_link(name, asked[name], base[name]) for name in CHANGEABLE}
    found: Settings = st.session_state[begun]
    return found


def _from_link(name: str, asked: str | None, own: dict[str, Any]) -> dict[str, Any]:
    if asked is None:
        return own
    try:
        values = api.read_values(asked.encode(), f"the link's '{name}'")
        if not isinstance(values, Mapping):
            raise ConfigurationError(f"The link's '{name}' holds {shorten(asked)}, which are no settings.")
        settings = {**own, **values} if values.get("use", own["use"]) == own["use"] else dict(values)
        return build_component(name, settings, f"the link's '{name}'").settings()
    except ConfigurationError as error:
        st.warning(plain(f"{error} The run's own settings are shown."))
        return own


def _link(settings: Mapping[str, Any], own: Mapping[str, Any]) -> str | None:
    """Return what of `settings` is not the run's, as the URL holds it."""
    same = settings["use"] == own["use"]
    changed = {name: value for name, value in settings.items() if not same or value != own.get(name)}
    return json.dumps(changed, ensure_ascii=False, separators=(",", ":")) if changed else None


def _form(name: str, begun: Mapping[str, Any], key: str) -> dict[str, Any] | None:
    components, about = all_components()[name], stage(name)
    names = list(components)
    with st.container(border=True, gap="xsmall"), faults.told():
        with st.container(key=f"stage_use_what_if_{name}"):
            use = st.selectbox(
                about.title, names, index=names.index(begun["use"]), key=f"{key}.use", help=about.purpose
            )
        held = begun if use == begun["use"] else {}
        taken = applicable.chosen(knobs(components[use]), held, f"{key}.{use}")
        # Sliders have a row of their own, above the fields.
        values = {knob.name: _slider(knob, held, f"{key}.{use}.{knob.name}") for knob in taken if _slides(knob)}
        fields = [knob for knob in taken if not _slides(knob)]
        values |= forms.knob_form(fields, held, f"{key}.{use}") if fields else {}
        return build_component(name, {"use": use, **values}, about.title).settings()
    return None


def _slides(knob: Knob) -> bool:
    """Return whether the declaration has two ends near enough to each other for a slider."""
    low, high = knob.schema.get("minimum"), knob.schema.get("maximum")
    return knob.schema.get("type") == "number" and None not in (low, high) and high - low <= _WIDEST_SLIDER


def _slider(knob: Knob, held: Mapping[str, Any], key: str) -> float:
    low, high = float(knob.schema["minimum"]), float(knob.schema["maximum"])
    start = held.get(knob.name, knob.default)
    step = 0.05 if high - low <= 1 else 0.1
    return st.slider(
        declared.label(knob),
        low,
        high,
        low if start is None else float(start),
        step,
        key=key,
        help=declared.help_text(knob),
    )
