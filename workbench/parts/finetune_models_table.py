"""Base models side by side: quality with intervals, size, speed and price; and a way to train one of them."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

import streamlit as st

from pipelines import api
from pipelines.runs.jobs import Job
from workbench import faults, grids, handover
from workbench.parts import finetune_progress
from workbench.parts.finetune_words import how_far, interval, signed
from workbench.parts.sweep_progress import log
from workbench.text import lasting, own, plain, shortened, sized

Row = Mapping[str, Any]
_POLL_S = 2.0
_MARKS = {"better": "▲ better", "worse": "▼ worse", "no difference shown": "● not shown"}
_TRAINABLE = ("minilm", "sentence-transformer")


def show(job_id: str) -> None:
    """Draw a comparison as it stands; polling ends with the work."""
    view = api.model_comparison(job_id)
    asked = view.job.payload
    st.header("Base models", anchor=False)
    split = asked["split"] or "all"
    st.caption(plain(f"On {own(asked['dataset_name'])}, questions: {split}, version {asked['version'][:8]}."))
    if view.state == "finished":
        _table(view)
        return
    st.fragment(_standing, run_every=_POLL_S if view.job.active else None)(job_id, view.job.active)


def _standing(job_id: str, was_active: bool) -> None:
    with faults.told():
        view = api.model_comparison(job_id)
        if view.job.active != was_active:
            st.rerun()
        with st.container(border=True, gap="small", key="job"):
            _outcome(view)
            with st.container(horizontal=True, vertical_alignment="center"):
                finetune_progress.stops(view.job)
        if view.rows:
            _table(view)
        with st.expander("Log", icon=":material/article:"):
            log(job_id)


def _outcome(view: api.ModelsView) -> None:
    job = view.job
    if job.active:
        st.progress(len(view.rows) / max(1, len(view.labels)), text=plain(_far(job)))
    elif job.state == "paused":
        st.info("Paused. Resume goes on with the next model.")
    elif job.state == "cancelled":
        st.warning("Cancelled. The models that were done are below.")
    else:
        faults.say(job.error or "It failed without a reason; the worker's log has the details.")


def _far(job: Job) -> str:
    since = lasting(max(0.0, time.time() - (job.started or job.submitted)))
    if "model" not in job.progress:
        return f"{'waiting for a worker' if job.state == 'queued' else 'reading the dataset'} · {since}"
    place = f"{job.progress['model_number']:,} of {job.progress['models_total']:,}"
    return f"{place}: {own(job.progress['model'])} · {how_far(job)} · {since}"


def _table(view: api.ModelsView) -> None:
    rows = list(view.rows)
    metrics = [str(name) for name in view.job.payload["metrics"]]
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.caption("Differences are to the first model, on the same questions. Tick a row for more on it.")
        st.download_button(
            "Download CSV", view.to_csv(), "models.csv", "text/csv", icon=":material/download:", on_click="ignore"
        )
    shown = [_row(row, metrics) for row in rows]
    fields = [field for field in _fields(metrics) if any(row[field.key] is not None for row in shown)]
    ticked = grids.show(
        fields, shown, "finetune.models", 16, select="single-row", ids=[str(i) for i in range(len(rows))]
    )
    for note in view.notes:
        st.caption(plain(note))
    for i in ticked:
        _one(rows[i], view.job.payload["models"][i]["settings"], str(view.job.payload["dataset"]))


def _fields(metrics: list[str]) -> list[grids.Field]:
    fields = [grids.Field("model", "Model", width=150, pinned=True)]
    for metric in metrics:
        fields += [
            grids.Field(metric, metric, width=170, help="Mean over the questions, with its 95 % interval"),
            grids.Field(f"{metric} n", "n", "%d", 45, help="Questions scored"),
            grids.Field(f"{metric} difference", "To the first", width=188, help="Paired difference, 95 % interval"),
            grids.Field(f"{metric} verdict", "Verdict", width=105),
        ]
    return [
        *fields,
        grids.Field("parameters", "Parameters", width=85),
        grids.Field("dimensions", "Dimensions", "localized", 95),
        grids.Field("max_tokens", "Reads, tokens", "localized", 108, help="What is longer is cut"),
        grids.Field("disk_bytes", "On disk", width=70),
        grids.Field("memory_bytes", "Memory", width=105, help="Of a process that loads it and embeds a sample"),
        grids.Field("texts_per_second", "Texts/s", width=70, help="Chunks of this dataset, here"),
        grids.Field("usd_per_million_tokens", "USD/million tokens", "%.3f", 125),
        grids.Field("licence", "Licence", width=95),
        grids.Field("error", "Why it was not compared", width=320),
    ]


def _row(row: Row, metrics: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {name: row[name] for name in ("dimensions", "max_tokens", "usd_per_million_tokens")}
    for metric in metrics:
        difference = f"{metric} difference"
        found |= {
            metric: _with_ends(row, metric, grids.written),
            f"{metric} n": row[f"{metric} n"],
            difference: _with_ends(row, difference, signed),
            f"{metric} verdict": _MARKS.get(str(row[f"{metric} verdict"])),
        }
    about = "" if row["memory_from"] == "measured" else "about "
    rate = row["texts_per_second"]
    return found | {
        "model": shortened(row["model"], 100),
        "parameters": None if row["parameters"] is None else f"{row['parameters'] / 1e6:,.1f} M",
        "disk_bytes": None if row["disk_bytes"] is None else sized(row["disk_bytes"]),
        "memory_bytes": None if row["memory_bytes"] is None else f"{about}{sized(row['memory_bytes'])}",
        "texts_per_second": None if rate is None else f"{rate:,.1f}" if rate < 100 else f"{rate:,.0f}",
        "licence": shortened(row["licence"], 40) if row["licence"] else None,
        "error": row["error"],
    }


def _with_ends(row: Row, name: str, written: Any) -> str | None:
    if row[name] is None:
        return None
    low, high = row[f"{name} low"], row[f"{name} high"]
    if low is None or high is None:
        return str(written(row[name]))
    ends = interval(low, high) if written is signed else f"{grids.written(low)} to {grids.written(high)}"
    return f"{written(row[name])} ({ends})"


def _one(row: Row, settings: Mapping[str, Any] | None, dataset: str) -> None:
    """Say all that is known of one model, with what can be done with it."""
    with st.container(border=True, gap="xsmall"):
        st.text(row["model"])
        if row["error"]:
            st.error(plain(row["error"]))
        told = {"Speed": row["speed_from"], "Notes": row["notes"], "Not told": row["not_told"]}
        for title, words in told.items():
            if words:
                st.caption(plain(f"{title}: {words}"))
        with st.container(horizontal=True, gap="medium"):
            if row["run"]:
                handover.link("runs", "Open the run", icon=":material/open_in_new:", run=str(row["run"]))
            if settings is not None and settings["use"] in _TRAINABLE:
                _train(settings, dataset)


def _train(settings: Mapping[str, Any], dataset: str) -> None:
    named = {"model": settings["model"]} if settings.get("model") else {}
    spec = json.dumps({"embed": {"use": "finetuned", **named}})
    places = [place.name for place in api.datasets() if str(place.path.resolve()) == dataset]
    handover.link("finetune", "Finetune it", icon=":material/model_training:", new="yes", spec=spec,
                  dataset=places[0] if places else None)  # fmt: skip
