"""Which runs are compared, on which metrics: only runs on the same questions are offered together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from pipelines import api
from pipelines.records import Metric
from pipelines.runs.record import ALL_QUESTIONS, Run
from workbench import grids, handover
from workbench.text import counted, own, plain, shortened

Row = Mapping[str, Any]
MOST_OTHERS = 4
_MOST_GROUPS = 8
_ONE = {"dataset": "dataset", "dataset_version": "version", "split": "split", "questions": "number of questions"}
PREFERRED = ("recall@5", "precision@5", "hit@5", "mrr@10", "ndcg@10", "recall@2000tok", "context_tokens@5")


@dataclass(frozen=True)
class Chosen:
    """The runs, the baseline first, and the metrics that all of them have."""

    runs: tuple[Run, ...]
    metrics: tuple[Metric, ...]

    @property
    def names(self) -> dict[str, str]:
        """Return each run's name by id; where two have the same name, with the end of the id."""
        count = Counter(run.name for run in self.runs)
        return {run.id: run.name if count[run.name] == 1 else f"{own(run.name)} · {run.id[-6:]}" for run in self.runs}

    @property
    def ids(self) -> list[str]:
        """Return the runs' ids, the baseline's first."""
        return [run.id for run in self.runs]


def ask() -> Chosen | None:
    """Ask for a baseline, one to four others, and metrics; None while there is nothing to compare."""
    rows = {str(row["run"]): row for row in reversed(api.runs(()).rows)}
    if len(rows) < 2:
        _too_few(len(rows))
        return None
    baseline, others = _runs(rows)
    if not others:
        st.info("Choose at least one other run. The baseline is what the others are measured against.")
        _offer_groups(rows)
        return None
    runs = tuple(api.run(one) for one in (baseline, *others))
    metrics = _metrics(runs)
    if not metrics:
        st.info("Choose at least one metric.")
        return None
    return Chosen(runs, metrics)


def _too_few(n: int) -> None:
    found = "There is no run yet" if n == 0 else "There is one run so far"
    st.info(f"{found}: a comparison needs two on the same questions.")
    handover.link("build", "Build a pipeline", icon=":material/tune:")


def _runs(rows: Mapping[str, Row]) -> tuple[str, list[str]]:
    first, second = st.columns([1, 1.3])
    newest = next((one for one in rows if _peers(rows, one)), None)
    with first:
        baseline = str(
            handover.choose("Baseline", list(rows), "baseline", shown=lambda r: _title(rows[r]), default=newest)
        )
    same = _peers(rows, baseline)
    default = same[:1] if _follow(rows, baseline, same) else []
    with second:
        others = handover.choose_many(
            "Compared with (up to four)",
            same,
            "other",
            shown=lambda r: _title(rows[r], short=True),
            default=default,
            placeholder="Runs on the same questions" if same else "No other run is on the same questions",
            max_selections=MOST_OTHERS,
        )
    return baseline, others


def _peers(rows: Mapping[str, Row], baseline: str) -> list[str]:
    return [one for one in rows if one != baseline and _questions(rows[one]) == _questions(rows[baseline])]


def _follow(rows: Mapping[str, Row], baseline: str, same: Sequence[str]) -> bool:
    """Say which runs of the link cannot stand beside the baseline; follow a baseline that was changed to its peers."""
    held = handover.key("other")
    if held not in st.session_state:
        return not _refuse(rows, baseline, "other")
    if st.session_state[held] and not set(st.session_state[held]) & set(same):
        st.session_state[held] = list(same[:1])
    return True


def _refuse(rows: Mapping[str, Row], baseline: str, name: str) -> bool:
    """Take out of the URL what is on other questions than the baseline, with a sentence; tell whether there was any."""
    asked = handover.asked_all(name)
    refused = [one for one in asked if one in rows and _questions(rows[one]) != _questions(rows[baseline])]
    by_field: dict[str, list[str]] = {}
    for one in refused:
        by_field.setdefault(_difference(rows[one], rows[baseline]), []).append(one)
    for field, runs in by_field.items():
        said = ", ".join(
            f"'{_title(rows[one], short=True)}' on {_place(rows[one], field)}" for one in runs[:MOST_OTHERS]
        )
        there = f"'{_title(rows[baseline], short=True)}' was evaluated on {_place(rows[baseline], field)}"
        st.warning(plain(f"{there}, {said}; choose runs of one {_ONE[field]}."))
    if refused:
        handover.keep(**{name: [one for one in asked if one not in refused]})
    return bool(refused)


def _difference(row: Row, baseline: Row) -> str:
    return next((field for field in _ONE if row[field] != baseline[field]), "questions")


def _place(row: Row, field: str) -> str:
    if field == "split":
        return "all questions" if row["split"] == ALL_QUESTIONS else str(row["split"])
    if field == "dataset_version":
        return f"version {str(row['dataset_version'])[:8]} of {shortened(row['dataset'], 40)}"
    return shortened(row["dataset"], 40) if field == "dataset" else counted(row["questions"], "question")


def _offer_groups(rows: Mapping[str, Row]) -> None:
    """Offer what can be compared: the runs on the same questions, two or more, newest first."""
    groups: dict[tuple[Any, ...], list[str]] = {}
    for one, row in rows.items():
        groups.setdefault(_questions(row), []).append(one)
    several = [group for group in groups.values() if len(group) > 1]
    if not several:
        st.info(
            "No two runs are on the same questions yet: run another pipeline on a dataset and split that has a run."
        )
        handover.link("build", "Build a pipeline", icon=":material/tune:")
        return
    st.subheader("What can be compared")
    for group in several[:_MOST_GROUPS]:
        row = rows[group[0]]
        place = f"{shortened(row['dataset'], 40)}, {_place(row, 'split')}, version {str(row['dataset_version'])[:8]}"
        label = plain(f"{counted(len(group), 'run')} on {place}")
        st.button(
            label, key=f"choice.group.{group[0]}", icon=":material/compare_arrows:", on_click=_take, args=(group,)
        )


def _take(group: Sequence[str]) -> None:
    st.session_state[handover.key("baseline")] = group[0]
    st.session_state[handover.key("other")] = list(group[1 : 1 + MOST_OTHERS])


def _title(row: Row, short: bool = False) -> str:
    place = "" if short else f" · {shortened(row['dataset'], 40)} ({row['split']})"
    return f"{shortened(row['name'], 50)} · {str(row['run'])[-6:]}{place}"


def _questions(row: Row) -> tuple[Any, ...]:
    return row["dataset"], row["dataset_version"], row["split"], row["questions"]


def left_out(chosen: Chosen) -> None:
    """Say which runs are not offered beside the baseline, and why."""
    everything = {str(row["run"]): row for row in api.runs(()).rows}
    baseline = everything[chosen.ids[0]]
    rows = [row for row in everything.values() if _questions(row) != _questions(baseline)]
    if not rows:
        return
    with st.popover(f"{counted(len(rows), 'run')} not offered", type="tertiary", icon=":material/block:"):
        st.caption("Runs are compared question by question, so only those on the same questions are offered.")
        fields = (grids.Field("run", "Run", width=300), grids.Field("reason", "Why it cannot be compared", width=340))
        listed = [{"run": row["name"], "reason": _reason(row, baseline)} for row in rows]
        grids.show(fields, listed, "choice.left_out", most_rows=8)


def _reason(row: Row, baseline: Row) -> str:
    if row["dataset"] != baseline["dataset"]:
        return f"another dataset, {shortened(row['dataset'], 60)}"
    if row["dataset_version"] != baseline["dataset_version"]:
        return f"another version of the dataset, {str(row['dataset_version'])[:8]}"
    if row["split"] != baseline["split"]:
        return f"another split, {row['split']}"
    return "another number of questions"


def _metrics(runs: Sequence[Run]) -> tuple[Metric, ...]:
    shared = {m.metric.name: m.metric for m in runs[0].metrics if all(r.measured(m.metric.name) for r in runs)}
    default = [name for name in PREFERRED if name in shared] or list(shared)[:6]
    names = handover.choose_many("Metrics", list(shared), "metric", default=default)
    return tuple(shared[name] for name in names)


def ask_same(rows: Mapping[str, Row]) -> list[str]:
    """Ask for one to five runs; once one is chosen, only runs on the same questions are offered."""
    asked = [one for one in st.session_state.get(handover.key("run"), handover.asked_all("run")) if one in rows]
    first = rows[asked[0]] if asked else None
    if asked and handover.key("run") not in st.session_state:
        _refuse(rows, asked[0], "run")
    same = [one for one in rows if first is None or _questions(rows[one]) == _questions(first)]
    return handover.choose_many(
        "Runs (up to five, on the same questions)",
        same,
        "run",
        shown=lambda one: _title(rows[one]),
        default=list(rows)[:1],
        max_selections=MOST_OTHERS + 1,
    )
