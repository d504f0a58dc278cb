"""What a finetuning would learn from and cost, as it was estimated: splits, leaks, trainings, time, memory, disk."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pipelines import api
from workbench import grids
from workbench.parts import finetune_splits
from workbench.text import counted, lasting, plain, shortened, sized

_TRAINING = (
    grids.Field("method", "Training", width=100),
    grids.Field("pairs", "Pairs", "%d", 55),
    grids.Field("steps", "Steps", "%d", 55),
    grids.Field("seconds", "Expected", width=120),
    grids.Field("memory", "Memory", width=75),
    grids.Field("disk", "Disk", width=70),
    grids.Field("model", "Base model", width=150),
)


def show(found: api.FinetuneEstimate) -> None:
    """Draw the estimate, the time first."""
    st.markdown(f"**{plain(_expected(found))}**")
    _trainings(found)
    for sentence in _told(found):
        st.caption(plain(sentence))
    _warnings(found)
    st.subheader("How the questions are split")
    finetune_splits.show(found.splits, found.leaks, "finetune.estimate")
    _left_out(found)


def _expected(found: api.FinetuneEstimate) -> str:
    if found.n_runs and found.n_runs_there == found.n_runs and all(one.done for one in found.trainings):
        return "All of it was done before: nothing is computed again."
    if found.seconds is None:
        return "The time cannot be told: some of it was not measured on this machine yet."
    return f"It takes about {lasting(found.seconds)}, evaluations included."


def _trainings(found: api.FinetuneEstimate) -> None:
    rows = [_training(one) for one in found.trainings]
    fields = [field for field in _TRAINING if any(row[field.key] is not None for row in rows)]
    grids.show(fields, rows, "finetune.trainings", 8)
    for refused in dict.fromkeys(one.refused for one in found.trainings if one.refused):
        st.error(plain(refused))
    for reason in dict.fromkeys(one.reason for one in found.trainings if one.reason and not one.done):
        st.caption(plain(f"{reason[:1].upper()}{reason[1:].rstrip('.')}."))


def _training(one: api.TrainingEstimate) -> dict[str, Any]:
    unknown = "not measured yet" if one.seconds is None else lasting(one.seconds)
    return {
        "method": one.method if one.part == "embed" else f"reranker, {one.method}" if one.method else "reranker",
        "pairs": one.n_pairs,
        "steps": one.steps,
        "seconds": "done before" if one.done else unknown,
        "memory": None if one.memory_bytes is None else sized(one.memory_bytes),
        "disk": sized(one.disk_bytes),
        "model": shortened(one.model, 60),
    }


def _told(found: api.FinetuneEstimate) -> list[str]:
    memory = "hardly any" if found.memory_bytes is None else f"about {sized(found.memory_bytes)}"
    runs = f", {found.n_runs_there:,} of them there" if found.n_runs_there else ""
    return [
        f"{counted(found.n_runs, 'run')} to evaluate before and after{runs}, on {found.n_reported:,} {found.split} "
        "questions.",
        f"Memory: {memory}, {sized(found.memory_free_bytes)} free. Disk: about {sized(found.disk_bytes)}, "
        f"{sized(found.disk_free_bytes)} free.",
        *([f"Not measured yet: {', '.join(found.unknown)}."] if found.unknown else []),
    ]


def _warnings(found: api.FinetuneEstimate) -> None:
    if found.memory_bytes is not None and found.memory_bytes > found.memory_free_bytes:
        st.warning("The memory is short: make batches smaller, or choose the adapter or LoRA.")
    if found.disk_bytes > found.disk_free_bytes:
        st.warning("The disk is short: free some, or it stops at a checkpoint.")
    for note in found.notes:
        st.warning(plain(note))


def _left_out(found: api.FinetuneEstimate) -> None:
    others = len(found.left_out) - len(found.leaks)
    if others > 0:
        st.caption(plain(f"{counted(others, 'more train question')} left out, named in the training data."))
