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
        roles = {selection["winner"]: "winner and proposed"}
    st.subheader("Winner and proposal")
    left, right = st.columns([1.6, 1], gap="medium")
    with left:
        columns = [_column(number, report, view) for number in roles]
        names = list(dict.fromkeys(name for column in columns for name in column))
        fields = [grids.Field("figure", " ", width=190)]
        fields += [grids.Field(str(number), f"#{number}, {role}", width=230) for number, role in roles.items()]
        keys = [str(number) for number in roles]
        rows = [
            {"figure": name, **{key: column.get(name) for key, column in zip(keys, columns, strict=True)}}
            for name in names
        ]
        grids.show(fields, rows, "sweep.chosen", most_rows=len(rows))
    with right:
        _optimism(report)
    trials = {trial.number: trial for trial in view.trials}
    for number, role in roles.items():
        if number in trials:
            _actions(trials[number], role)
    _compared(view, list(roles))


def _column(number: int, report: Entry, view: api.SweepView) -> dict[str, str]:
    """Return what is known of one configuration, each mean with its n, by what it is."""
    objective, split = report["objectives"][0], view.sweep.split
    ranked = next(row for row in report["configurations"] if row["number"] == number)
    found = {
        "pipeline": shortened(ranked["label"], 200),
        f"{objective['name']}, chosen on {split}": _with_n(amount(ranked["mean"], objective), ranked["n_ranked"]),
    }
    tested = next((one for one in report["optimism"] if one["number"] == number), None)
    if tested is not None:
        on = view.sweep.settings.get("search", {}).get("report_on", "test")
        mean = amount(tested["test_mean"], objective)
        found[f"{objective['name']}, reported on {on}"] = _with_n(mean, tested["n_test"])
        ends = between(tested["low"], tested["high"], objective, sign=True)
        difference = amount(tested["difference"], objective, sign=True)
        found[f"{split} minus {on}"] = f"{difference} ({ends})" if ends else difference
    row = next((one for one in sweep_rows.every(view).rows if one["number"] == number), {})
    others = {one["name"]: one for one in (*report["objectives"][1:], *report["costs"])}
    known = {name: amount(ranked["means"].get(name), one) for name, one in others.items()}
    return {**found, **{name: _with_n(told, row.get(f"{name} n")) for name, told in known.items()}}


def _with_n(told: str, n: Any) -> str:
    return told if n is None else f"{told} (n {n:,})"


def _optimism(report: Entry) -> None:
    """Say how much the choice flatters: measured on other questions, or estimated."""
    for one in report["optimism"]:
        st.caption(plain(one["sentence"]))
    estimate = report["optimism_estimate"]
    if estimate is not None:
        more = f" (n {estimate['n']:,})" if estimate["expected"] is not None else ""
        st.caption(plain(f"{estimate['sentence']}{more}"))


def _actions(trial: Trial, role: str) -> None:
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
            handover.link("sweep", "Sweep around it", icon=":material/grid_view:", new="yes", run=run_id)
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
