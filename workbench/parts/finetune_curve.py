"""The learning curve: what is gained with how many pairs, whether labelling more would pay; started from here too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from pipelines import api
from pipelines.errors import ConfigurationError
from workbench import charts, faults, finetune_charts, grids, handover
from workbench.parts import finetune_plan, stored_dataset
from workbench.parts.finetune_words import VERDICTS, interval, is_curve, signed
from workbench.parts.sweep_words import STATES, moment
from workbench.text import own, plain

Entry = Mapping[str, Any]
_SHARES = {"four points: 25, 50, 75, 100 %": (0.25, 0.5, 0.75, 1.0), "two points: 50, 100 %": (0.5, 1.0),
           "five points: 10, 25, 50, 75, 100 %": (0.1, 0.25, 0.5, 0.75, 1.0)}  # fmt: skip
_DONE = "finetune.curved"
_FIELDS = (
    grids.Field("share", "Share", width=60, help="Of the train questions"),
    grids.Field("n_pairs", "Pairs", width=55, help="Mean over the seeds"),
    grids.Field("seeds", "Seeds", "%d", 52),
    grids.Field("before", "Before", width=60),
    grids.Field("after", "After", width=60),
    grids.Field("difference", "Gain", width=65),
    grids.Field("interval", "95 % interval", width=125),
    grids.Field("verdict", "Verdict", width=105),
    grids.Field("n", "n", "%d", 50, help="Questions scored"),
    grids.Field("error", "Why not trained", width=300),
)


def show(view: api.FinetuneView, report: Entry) -> None:
    """Draw a learning curve, or offer to make one of a finetuning."""
    if not is_curve(view):
        _offer(view, report)
    elif "points" in report:
        _curve(report)
    else:
        st.warning(plain(report.get("reason") or "There is nothing to report."))


def _curve(report: Entry) -> None:
    with st.container(border=True, gap="xsmall", key="finetune_said"):
        st.markdown(f"**Labelling more: {plain(report['verdict'])}.** {plain(report['sentence'])}")
    points: Sequence[Entry] = report["points"]
    metrics = list(dict.fromkeys(gain["metric"] for point in points for gain in point["gains"]))
    if not metrics:
        st.warning("No point of the curve could be trained.")
    left, right = st.columns([1, 1.15], gap="medium")
    with left:
        metric = handover.choose("Metric", metrics, "metric", quiet=True, width=180) if metrics else None
        rows = [_of(point, metric) for point in points]
        st.plotly_chart(finetune_charts.learning(rows, str(metric)), theme=None, config=charts.CONFIG,
                        key="finetune.learning")  # fmt: skip
    with right:
        shown = [_row(row) for row in rows]
        fields = [field for field in _FIELDS if any(row[field.key] is not None for row in shown)]
        grids.show(fields, shown, "finetune.points", 8)
        st.caption(plain(f"On {report['split']}, {report['label']}, against the same before training."))
        handover.link("runs", "The run before training", icon=":material/open_in_new:", run=str(report["baseline"]))


def _of(point: Entry, metric: str | None) -> dict[str, Any]:
    gain: Entry = next((one for one in point["gains"] if one["metric"] == metric), {})
    return {**dict.fromkeys(("before", "after", "difference", "low", "high", "verdict", "n")), **gain,
            **{name: point[name] for name in ("share", "seeds", "n_pairs", "error")}}  # fmt: skip


def _row(row: Entry) -> dict[str, Any]:
    known = row["difference"] is not None
    return {
        **row,
        "share": f"{100 * row['share']:.0f} %",
        "n_pairs": None if row["n_pairs"] is None else f"{row['n_pairs']:,.0f}",
        **{name: None if row[name] is None else grids.written(row[name]) for name in ("before", "after")},
        "difference": signed(row["difference"]) if known else None,
        "interval": interval(row["low"], row["high"]),
        "verdict": VERDICTS.get(str(row["verdict"])),
    }


def _offer(view: api.FinetuneView, report: Entry) -> None:
    """Offer to train on shares of the questions; list the curves that were made of this dataset's version."""
    st.markdown("Would it pay to label more questions? The same training on ever larger shares of them shows it.")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        shares = str(st.selectbox("Points", list(_SHARES), key="finetune.shares", width=290))
        seeds = int(st.number_input("Seeds", 1, 20, 3, key="finetune.seeds", width=120,
                                    help="Draws of each share; more of them tell its luck from its worth"))  # fmt: skip
        if st.button("Make the learning curve", type="primary", icon=":material/show_chart:", key="finetune.learn"):
            with faults.told():
                finetune_plan.to_progress(_submitted(view, report, _SHARES[shares], seeds))
    st.caption(f"{len(_SHARES[shares]) * seeds:,} trainings; those that were done before are looked up.")
    _earlier(view)


def _submitted(view: api.FinetuneView, report: Entry, shares: Sequence[float], seeds: int) -> Any:
    """Return the job of the chosen pipeline's curve; the same one asked for again is the same job."""
    several: Sequence[Entry] = report.get("candidates", ())
    one = next((one for one in several if one["label"] == report.get("chosen")), next(iter(several), None))
    if one is None:
        raise ConfigurationError("Nothing was trained, so there is no learning curve to make; do the finetuning again.")
    spec = api.FinetuneSpec.parse({**one["settings"], "finetune": {"split": view.finetuning.split}}, "The finetuning")
    dataset = stored_dataset.dataset_of(view.finetuning)
    return api.learning_curve(spec, dataset, shares=shares, seeds=seeds, name=f"{view.finetuning.name}, learning curve",
                              again=False)  # fmt: skip


def _earlier(view: api.FinetuneView) -> None:
    mine = view.finetuning
    same = [one for one in api.finetunings(200) if is_curve(one)
            and one.finetuning.dataset_version == mine.dataset_version]  # fmt: skip
    if same:
        st.caption("Learning curves of this dataset:")
    for one in same[:8]:
        label = f"{own(one.finetuning.name)} · {STATES[one.state]} · {moment(one.finetuning.created)}"
        handover.link("finetune", label, icon=":material/show_chart:", finetuning=one.finetuning.id)
