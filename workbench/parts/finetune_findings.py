"""What a finetuning gained: in words, before and after in a table and a chart, and what it was measured on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from pipelines import api
from workbench import charts, finetune_charts, grids, handover
from workbench.parts import finetune_splits
from workbench.parts.finetune_words import VERDICTS, WHERE, interval, signed
from workbench.text import lasting, plain, shortened, sized

Entry = Mapping[str, Any]
_GAIN = (
    grids.Field("where", "Questions", width=180),
    grids.Field("metric", "Metric", width=90),
    grids.Field("before", "Before", width=65),
    grids.Field("after", "After", width=65),
    grids.Field("difference", "Difference", width=80),
    grids.Field("interval", "95 % interval", width=125, help="Bootstrap interval of the difference"),
    grids.Field("verdict", "Verdict", width=100),
    grids.Field("n", "n", "%d", 45, help="Questions scored before and after"),
    grids.Field("p_holm", "p Holm", width=65, help="Permutation p, corrected for all comparisons of its table"),
    grids.Field("outcomes", "Win/tie/loss", width=95, help="Questions that are better, equal, worse after"),
    grids.Field("reason", "Note", width=260),
)
_CANDIDATE = (
    grids.Field("label", "Pipeline", width=270),
    grids.Field("trained", "Trained", width=150),
    grids.Field("verdict", "Verdict", width=105),
    grids.Field("gain", "Gain, all questions", width=210),
    grids.Field("unseen", "On unseen documents", width=210),
    grids.Field("dev", "After, on dev", width=120, help="By this, one of them is chosen"),
    grids.Field("error", "Why not trained", width=260),
)
_TRAINING = (
    grids.Field("label", "Training", width=260),
    grids.Field("method", "Method", width=80),
    grids.Field("model", "Base model", width=130),
    grids.Field("n_pairs", "Pairs", "%d", 55),
    grids.Field("n_negatives", "Negatives", "%d", 75),
    grids.Field("n_documents", "Documents", "%d", 80, help="That a positive is of"),
    grids.Field("seconds", "Took", width=90),
    grids.Field("best", "Best on dev", width=215),
    grids.Field("peak", "Memory", width=75, help="The most that the worker held"),
    grids.Field("error", "Why not trained", width=260),
)


def show(view: api.FinetuneView, report: Entry) -> None:
    """Draw the findings, the verdict first."""
    if "candidates" not in report:
        st.warning(plain(report.get("reason") or "There is nothing to report."))
        return
    _said(report)
    one = candidate(report)
    _links(one)
    if one["error"]:
        st.error(plain(one["error"]))
    else:
        _table(one)
    left, right = st.columns(2, gap="medium")
    with left:
        _chart(one)
    with right:
        st.subheader("How the questions are split")
        leaks = [api.Leak(**leak) for leak in report["leaks"]]
        finetune_splits.show(api.Splits(**report["splits"]), leaks, "finetune.report")
    _trainings(report["trainings"], report["splits"]["questions"].get("dev", 0))


def _said(report: Entry) -> None:
    """Say what came of it, better, worse, or not shown to differ, in a box of its colour."""
    chosen: Entry = next((one for one in report["candidates"] if one["label"] == report["chosen"]), {})
    box = {"better": st.success, "worse": st.error}.get(str(chosen.get("verdict")), st.info)
    box(plain(report["sentence"]))
    for note in report.get("notes", ()):
        st.warning(plain(note))


def candidate(report: Entry) -> Entry:
    """Return the pipeline that is looked at: where there are several, the chosen one or another that is asked for."""
    several: Sequence[Entry] = report["candidates"]
    if len(several) == 1:
        return several[0]
    trained = {str(one["label"]): _trained(one, report["trainings"]) for one in several}
    rows = [{**_candidate(one, report["chosen"]), "trained": trained[str(one["label"])]} for one in several]
    fields = [field for field in _CANDIDATE if any(row[field.key] is not None for row in rows)]
    grids.show(fields, rows, "finetune.candidates", 8)
    labels = [str(one["label"]) for one in several]
    picked = handover.choose("Look at", labels, "pipeline", default=report["chosen"], quiet=True,
                             shown=lambda one: f"{one}: {trained[one]}")  # fmt: skip
    return next(one for one in several if one["label"] == picked)


def _trained(one: Entry, trainings: Sequence[Entry]) -> str:
    """Return by which methods a pipeline was trained: labels alone may not tell."""
    own = [training for training in trainings if training["key"] in one["trainings"]]
    parts = [f"{training['method']}{' (reranker)' if training['part'] == 'rerank' else ''}" for training in own]
    return ", ".join(parts)


def _candidate(one: Entry, chosen: str | None) -> dict[str, Any]:
    gains = {where: rows[0] for where, rows in one["gains"].items() if rows}
    dev = gains.get("dev", {}).get("after")
    return {
        "label": shortened(one["label"], 120) + (" (chosen)" if one["label"] == chosen else ""),
        "verdict": VERDICTS.get(str(one["verdict"])),
        "gain": _gain_words(gains.get("all")),
        "unseen": _gain_words(gains.get("unseen")),
        "dev": None if dev is None else f"{dev:.3f} (n {gains['dev']['n']:,})",
        "error": one["error"],
    }


def _gain_words(gain: Entry | None) -> str | None:
    if gain is None or gain["difference"] is None:
        return None
    return f"{gain['metric']} {signed(gain['difference'])} (n {gain['n']:,})"


def _links(one: Entry) -> None:
    reported = one["runs"].get("reported")
    if not reported:
        return
    with st.container(horizontal=True, gap="medium"):
        before, after = reported
        handover.link("compare", "Compare before and after", icon=":material/compare_arrows:", baseline=before,
                      other=after)  # fmt: skip
        handover.link("runs", "Open the run", icon=":material/open_in_new:", run=after)
        handover.link("what_if", "What if …", icon=":material/instant_mix:", run=after)
        handover.link("build", "Use it in Build", icon=":material/tune:", run=after)
        if "outside" in one["runs"]:
            there = one["runs"]["outside"]
            handover.link("compare", "Compare outside", icon=":material/public:", baseline=there[0], other=there[1])


def _every(one: Entry) -> list[Entry]:
    return [gain for where in WHERE for gain in one["gains"].get(where, ())]


def _table(one: Entry) -> None:
    """Draw every gain that is known; say of the others why they are not."""
    st.subheader("Before and after")
    known = [gain for gain in _every(one) if gain["difference"] is not None]
    rows = [_row(gain) for gain in known]
    fields = [field for field in _GAIN if any(row[field.key] is not None for row in rows)]
    grids.show(fields or _GAIN, rows, "finetune.table", most_rows=15)
    unknown = [gain for gain in _every(one) if gain["difference"] is None]
    for told in dict.fromkeys(f"{WHERE[gain['where']]}: not told, {gain['reason']}." for gain in unknown):
        st.caption(plain(told))
    if one["optimism"]:
        st.caption(plain(one["optimism"]["sentence"]))


def _chart(one: Entry) -> None:
    every = [gain for gain in _every(one) if gain["difference"] is not None]
    if not every:
        return
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.subheader("Gain, with 95 % intervals")
        metrics = list(dict.fromkeys(gain["metric"] for gain in every))
        metric = handover.choose("Metric", metrics, "metric", quiet=True, width=150, label_visibility="collapsed")
    shown = [gain for gain in every if gain["metric"] == metric]
    st.plotly_chart(finetune_charts.gains(shown, WHERE), theme=None, config=charts.CONFIG, key="finetune.gains")
    st.caption("Filled: shown to differ. Hollow: no difference shown. Left of zero is worse than before.")


def _row(gain: Entry) -> dict[str, Any]:
    p = gain["p_holm"]
    return {
        "where": WHERE[gain["where"]],
        "metric": gain["metric"],
        **{name: grids.written(gain[name]) for name in ("before", "after")},
        "difference": signed(gain["difference"]),
        "interval": interval(gain["low"], gain["high"]),
        "verdict": VERDICTS.get(str(gain["verdict"])),
        "n": gain["n"],
        "p_holm": None if p is None else f"{p:.4f}" if p >= 0.0001 else "< 0.0001",
        "outcomes": f"{gain['wins']:,} / {gain['ties']:,} / {gain['losses']:,}",
        "reason": gain["reason"],
    }


def _trainings(trainings: Sequence[Entry], n_dev: int) -> None:
    st.subheader("What was learnt")
    rows = [_training(one, n_dev) for one in trainings]
    fields = [field for field in _TRAINING if any(row[field.key] is not None for row in rows)]
    grids.show(fields, rows, "finetune.learnt", 8)
    for note in dict.fromkeys(note for one in trainings for note in one["notes"]):
        st.caption(plain(note))


def _training(one: Entry, n_dev: int) -> dict[str, Any]:
    took = None if one["seconds"] is None else lasting(one["seconds"]) + (" (before)" if one["was_there"] else "")
    best = one["best_dev"]
    return {
        **{name: one[name] for name in ("method", "n_pairs", "n_negatives", "n_documents", "error")},
        "label": shortened(one["label"], 120),
        "model": shortened(one["model"], 60),
        "seconds": took,
        "best": None if best is None else f"{one['metric']} {best:.3f} (n {n_dev:,}), step {one['best_step']:,}",
        "peak": None if one["peak_memory_bytes"] is None else sized(one["peak_memory_bytes"]),
    }
