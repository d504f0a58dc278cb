"""What a new sweep begins with: the defaults, a link, an earlier sweep, a run or a file; and the link to it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import streamlit as st

from pipelines import api
from pipelines.catalog import all_components, knobs
from pipelines.errors import ConfigurationError, WorkbenchError
from pipelines.runs.record import ALL_QUESTIONS
from workbench import faults, handover
from workbench.parts.sweep_form import Stages
from workbench.text import plain

_HELD, _NOW, _LONGEST_LINK = "sweep.draft", "sweep.draft.now", 6_000
_SOURCES = ("spec", "from", "run")


@dataclass(frozen=True)
class Draft:
    """Where the forms begin; `whole` is a sweep that says more than the forms can show, which is run as it is."""

    stages: Stages = field(default_factory=dict)
    search: Mapping[str, Any] = field(default_factory=dict)
    whole: Mapping[str, Any] | None = None
    workers: int = 1
    name: str = ""
    round: int = 0

    @property
    def key(self) -> str:
        """Return what the keys of the forms' widgets begin with: other ones for another beginning."""
        return f"sweep.form.{self.round}"


def begun() -> Draft:
    """Return where the forms begin; on first sight of a link, what that says."""
    mark = handover.key("begun")
    if mark not in st.session_state:
        st.session_state[mark] = True
        with faults.told():
            _take_link()
    return _held()


def _held() -> Draft:
    draft: Draft = st.session_state.setdefault(_HELD, Draft())
    return draft


def _take_link() -> None:
    spec, sweep, run = (handover.asked(name) for name in _SOURCES)
    handover.keep(**dict.fromkeys(_SOURCES))
    if spec is not None:
        _load(_from_link(spec))
    elif sweep is not None:
        found = api.sweep(sweep).sweep
        handover.hand_over("split", found.split or ALL_QUESTIONS)
        places = [place.name for place in api.datasets() if str(place.path.resolve()) == found.dataset_path]
        if places:
            handover.hand_over("dataset", places[0])
        _load(found.settings, found.workers, found.name)
    elif run is not None:
        _load({name: [values] for name, values in api.run(run).settings.items()})
    else:
        _new_round()


def _from_link(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise ConfigurationError("The link's sweep cannot be read; it was cut, most likely.") from None


def load_file(name: str, content: bytes) -> None:
    """Begin again from a file.

    Raises:
        ConfigurationError: when it cannot be read as a sweep.
    """
    _take(api.read_sweep(name, content))


def start_over() -> None:
    """Begin again from the defaults."""
    _begin(Draft())


def _begin(draft: Draft) -> None:
    st.session_state[_HELD] = replace(draft, round=_held().round + 1)


def _new_round() -> None:
    """Draw anew what the forms said last: their widgets were let go when the page was left."""
    _begin(st.session_state.get(_NOW, _held()))


def _load(values: Any, workers: int = 1, name: str = "") -> None:
    try:
        _take(api.SweepSpec.parse(values, "The sweep of this link"), workers, name)
    except WorkbenchError as error:
        start_over()
        st.warning(plain(f"{error} The defaults are shown."))


def _take(spec: api.SweepSpec, workers: int = 1, name: str = "") -> None:
    """Fill the forms where they can show all of it, else hold it whole."""
    settings = spec.settings()
    search = {**settings.pop("search"), "objectives": [one.metric for one in spec.objectives]}
    fits = all(_fits(stage, alternatives) for stage, alternatives in settings.items())
    _begin(Draft(settings if fits else {}, search, None if fits else spec.settings(), workers, name))


def _fits(stage: str, alternatives: list[dict[str, Any]]) -> bool:
    """Return whether the forms show all of a stage: each component once, no knob with several lists."""
    names = [str(one["use"]) for one in alternatives]
    return len(set(names)) == len(names) and not any(_several_lists(stage, one) for one in alternatives)


def _several_lists(stage: str, alternative: Mapping[str, Any]) -> bool:
    declared = knobs(all_components()[stage][str(alternative["use"])])
    held = [alternative.get(knob.name) for knob in declared if knob.schema.get("type") == "array"]
    return any(isinstance(value, list) and any(isinstance(one, list) for one in value) for value in held)


def hold(stages: Stages, search: Mapping[str, Any], workers: int, name: str) -> dict[str, Any]:
    """Hold on to what the forms say, for a return to this page, and put it into the link; return it as one."""
    values = {**stages, "search": dict(search)}
    st.session_state[_NOW] = Draft(stages, search, None, workers, name)
    _link(values)
    return values


def hold_whole(draft: Draft) -> dict[str, Any]:
    """Put a sweep that is run as it is into the link; return it."""
    values = dict(draft.whole or {})
    st.session_state[_NOW] = draft
    _link(values)
    return values


def _link(values: Mapping[str, Any]) -> None:
    written = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
    handover.keep(spec=written if len(written) <= _LONGEST_LINK else None)
