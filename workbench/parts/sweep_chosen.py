"""The winner and the configuration that is proposed, on dev and on test, and what can be done with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from pipelines import api
from pipelines.errors import WorkbenchError
from pipelines.pipeline import Pipeline
from pipelines.sweeps.trials import Trial
from workbench import faults, grids, handover
from workbench.parts import sweep_rows
from workbench.parts.sweep_words import amount, between
from workbench.text import plain, shortened

Entry = Mapping[str, Any]


def show(view: api.SweepView, report: Entry) -> None:
    """Draw both side by side, then the links."""
    selection = report["selection"]
    roles = {selection["winner"]: "winner", selection["proposal"]["number"]: "proposed"}
    if len(roles) == 1:
        roles = {selection["winner"]: "winner, proposed"}
    st.subheader("Winner and proposal")
    rows = [_row(number, role, report, view) for number, role in roles.items()]
    grids.show(_fields(report, view), rows, "sweep.chosen", most_rows=2)
    _optimism(report)
    trials = {trial.number: trial for trial in view.trials}
    for number, role in roles.items():
        if number in trials:
            _actions(trials[number], role, selection["winner"])
    _compared(view, list(roles))


def _fields(report: Entry, view: api.SweepView) -> list[grids.Field]:
    name, split = report["objectives"][0]["name"], view.sweep.split
    cost_fields = [grids.Field(one["name"], width=124) for one in _costs(report)]
    tested = [
        grids.Field("test", f"{name}, reported", width=128, help="On the questions that took no part in the choice"),
        grids.Field("n_test", "n", "%d", 40),
        grids.Field("optimism", f"{split} minus reported", width=172, help="With its 95 % interval"),
    ]
    return [
        grids.Field("role", " ", width=112),
        grids.Field("number", "#", "%d", 44),
        grids.Field("label", "Pipeline", width=212),
        grids.Field("dev", f"{name}, {split}", width=96, help="On the questions it was chosen on"),
        grids.Field("n", "n", "%d", 40),
        *(tested if report["optimism"] else ()),
        *cost_fields,
    ]


def _costs(report: Entry) -> list[Entry]:
    others = [*report["objectives"][1:], *report["costs"]]
    return list({one["name"]: one for one in others}.values())


def _row(number: int, role: str, report: Entry, view: api.SweepView) -> dict[str, Any]:
    objective = report["objectives"][0]
    ranked = next(row for row in report["configurations"] if row["number"] == number)
    tested = next((one for one in report["optimism"] if one["number"] == number), None)
    found = {
        "role": role,
        "number": number,
        "label": shortened(ranked["label"], 200),
        "dev": amount(ranked["mean"], objective),
        "n": ranked["n_ranked"],
        **{one["name"]: amount(ranked["means"].get(one["name"]), one) for one in _costs(report)},
    }
    if tested is None:
        return found
    ends = between(tested["low"], tested["high"], objective, sign=True)
    difference = amount(tested["difference"], objective, sign=True)
    optimism = f"{difference} ({ends})" if ends else difference
    return {**found, "test": amount(tested["test_mean"], objective), "n_test": tested["n_test"], "optimism": optimism}


def _optimism(report: Entry) -> None:
    """Say how much the choice flatters: measured on other questions, or estimated."""
    for one in report["optimism"]:
        st.caption(plain(one["sentence"]))
    estimate = report["optimism_estimate"]
    if estimate is not None:
        more = f" (n {estimate['n']:,})" if estimate["expected"] is not None else ""
        st.caption(plain(f"{estimate['sentence']}{more}"))


def _actions(trial: Trial, role: str, winner: int) -> None:
    """Offer what can be done with one configuration; its run may be gone."""
    run_id = sweep_rows.there(trial.run_id)
    with st.container(horizontal=True, gap="medium", vertical_alignment="center"):
        st.caption(plain(f"#{trial.number}, {role}:"), width="content")
        if run_id is None:
            st.caption("its run was deleted since.", width="content")
        else:
            handover.link("runs", "Open the run", icon=":material/open_in_new:", run=run_id)
            handover.link("what_if", "What if …", icon=":material/instant_mix:", run=run_id)
            handover.link("build", "Use it in Build", icon=":material/tune:", run=run_id)
        with faults.told():
            text = Pipeline.parse(trial.settings, f"configuration {trial.number}").to_yaml()
            st.download_button(
                "Pipeline YAML", text, f"pipeline-{trial.number}.yaml", "application/yaml", type="tertiary",
                icon=":material/download:", on_click="ignore", key=f"sweep.yaml.{trial.number}",
            )  # fmt: skip


def _compared(view: api.SweepView, numbers: list[int]) -> None:
    """Offer to compare the winner with the proposal and with the pipeline that the defaults make."""
    runs = {trial.number: sweep_rows.there(trial.run_id) for trial in view.trials if trial.number in numbers}
    baseline = _baseline(view)
    wanted = [*([baseline.run_id] if baseline else []), *(runs.get(number) for number in numbers)]
    ids = list(dict.fromkeys(one for one in wanted if one))
    if len(ids) < 2:
        return
    named = f", against the defaults, #{baseline.number}" if baseline and baseline.run_id in ids else ""
    handover.link(
        "compare", f"Compare {_listed(numbers)}{named}", icon=":material/compare_arrows:", baseline=ids[0],
        other=ids[1:],
    )  # fmt: skip


def _listed(numbers: list[int]) -> str:
    return " and ".join(f"#{number}" for number in numbers)


def _baseline(view: api.SweepView) -> Trial | None:
    """Return the configuration of the sweep that is the default pipeline, where it holds that and its run is there."""
    defaults = Pipeline.parse({}).settings()
    for trial in view.trials:
        if trial.run_id and _same(trial, defaults) and sweep_rows.there(trial.run_id):
            return trial
    return None


def _same(trial: Trial, defaults: Mapping[str, Any]) -> bool:
    if any(values.get("use") not in (None, defaults[name]["use"]) for name, values in trial.settings.items()):
        return False
    try:
        return Pipeline.parse(trial.settings, "configuration").settings() == defaults
    except WorkbenchError:
        return False
