"""How a space is searched, asked for: strategy, number of trials, objectives, seed, and whether to race."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from pipelines import api
from pipelines.catalog import knobs
from pipelines.errors import ConfigurationError
from pipelines.sweeps.search import DEFAULT_TRIALS, Race, Search
from workbench.parts.sweep_form import Stages
from workbench.text import plain

_STRATEGIES = {
    "grid": "Grid: every combination",
    "random": "Random: a sample of them",
    "tpe": "TPE: learns from what it has seen",
    "nsga2": "NSGA-II: several objectives at once",
}
_HELP = {knob.name: knob.description for model in (Search, Race) for knob in knobs(model)}
_USUAL, _NUMBER_PX = "ndcg@10", 122


def ask(stages: Stages | None, held: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Draw what is searched for and how; return it as it stands under `search`.

    Raises:
        ConfigurationError: when no objective is chosen.
    """
    strategy = st.selectbox(
        "Strategy", list(_STRATEGIES), list(_STRATEGIES).index(held.get("strategy", "grid")),
        format_func=_STRATEGIES.__getitem__, key=f"{key}.strategy", help=_HELP["strategy"],
    )  # fmt: skip
    unasked = {name: held[name] for name in ("batch", "report_on") if held.get(name) not in (None, "test")}
    return {"strategy": strategy, "objectives": _objectives(stages, held, key), **unasked}


def numbers(strategy: str, held: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Draw the number of trials, where the strategy has one, the seed and the race; return them."""
    found: dict[str, Any] = {}
    if strategy != "grid":
        begun = held.get("trials") or DEFAULT_TRIALS
        found["trials"] = _whole("Configurations", begun, 1, f"{key}.trials", "How many to evaluate")
    found["seed"] = _whole("Seed", held.get("seed", 0), 0, f"{key}.seed", _HELP["seed"])
    return {**found, **_race(held.get("race"), key)}


def _whole(label: str, value: int, low: int, key: str, about: str) -> int:
    found = st.number_input(label, low, value=max(low, int(value)), step=1, key=key, help=about, width=_NUMBER_PX)
    return int(found)


def _objectives(stages: Stages | None, held: Mapping[str, Any], key: str) -> list[str]:
    """Ask for metrics that every configuration has; the first one is what the winner is chosen by."""
    measured = _measured(stages)
    wanted = [str(one).removeprefix("-") for one in held.get("objectives", (_USUAL,))]
    own = f"{key}.objectives"
    begun = [one for one in st.session_state.get(own, wanted) if one in measured]
    st.session_state[own] = begun if own in st.session_state else begun or [_first(measured)]
    chosen = st.multiselect(
        "Objectives; the first one chooses the winner", measured, key=own, max_selections=8,
        help="Metrics to improve, each in its own direction. Only those that every configuration measures are offered.",
    )  # fmt: skip
    if lost := [one for one in wanted if one not in measured]:
        st.caption(plain(f"Not measured at these cut-offs: {', '.join(lost)}."))
    if not chosen:
        raise ConfigurationError("No objective is chosen; name at least one metric to improve.")
    return list(chosen)


def _measured(stages: Stages | None) -> list[str]:
    """Return what is measured; while a form holds what is not allowed, what the defaults measure."""
    score = {name: one for name, one in (stages or {}).items() if name == "score"}
    return list(api.measured_metrics(score))


def _first(measured: Sequence[str]) -> str:
    return _USUAL if _USUAL in measured else next(iter(measured))


def _race(held: Any, key: str) -> dict[str, Any]:
    """Ask whether to drop early what is surely not the best."""
    begun = held if isinstance(held, Mapping) else {}
    about = (
        "Drops a configuration as soon as it is surely not the best, judged on the same questions. Saves work; a "
        "dropped row has no full mean and takes no part in effects. Off: all rows are comparable."
    )
    if not st.toggle("Race", bool(held), key=f"{key}.race", help=about, width="content"):
        return {}
    alpha = st.number_input(
        "Error rate", 0.001, 0.5, float(begun.get("alpha", 0.05)), 0.01, "%g", key=f"{key}.alpha", width=_NUMBER_PX,
        help=f"{_HELP['alpha']} the sweep",
    )  # fmt: skip
    return {"race": {"alpha": alpha, "rounds": int(begun.get("rounds", 5))}}


def workers(held: int, key: str) -> int:
    """Ask for the number of worker processes, at most the cores of this machine."""
    cores = os.cpu_count() or 1
    about = "Processes that share the work; more than one pays where the work is not one long embedding."
    return int(st.number_input(f"Workers, 1–{cores}", 1, cores, min(max(1, held), cores), key=key, help=about,
                               width=_NUMBER_PX))  # fmt: skip
