"""The columns of the table of base models: names, titles, units, and what each says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class ModelColumn:
    """A column: `name` is its key in every row. `shown` tells whether a narrow table has it."""

    name: str
    title: str
    description: str
    unit: str | None = None
    shown: bool = False


_MODEL = ModelColumn("model", "model", "The model, with the knobs that are not at their defaults", shown=True)
_FACTS = (
    ModelColumn("parameters", "parameters", "Numbers in its safetensors files", shown=True),
    ModelColumn("dimensions", "dimensions", "Length of its vectors", shown=True),
    ModelColumn("max_tokens", "reads", "What is longer is cut", "tokens", shown=True),
    ModelColumn("disk_bytes", "on disk", "Size of the files that are loaded", "bytes", shown=True),
    ModelColumn(
        "memory_bytes",
        "memory",
        "At the height of a process that loads it and embeds the sample, libraries included",
        "bytes",
        shown=True,
    ),
    ModelColumn("memory_from", "memory from", "measured, or estimated from the size of its files"),
    ModelColumn("texts_per_second", "texts/s", "Chunks of this dataset embedded a second, here", shown=True),
    ModelColumn("speed_from", "speed from", "What was measured, and how"),
)
_COST = (
    ModelColumn("usd_per_million_tokens", "USD a million tokens", "Price as it is set", "USD"),
    ModelColumn("licence", "licence", "As the folder's model card says", shown=True),
    ModelColumn("run", "run", "The run in which the quality was measured"),
    ModelColumn("notes", "notes", "What the run and the measurement noted"),
    ModelColumn("not_told", "not told", "Why figures are absent"),
    ModelColumn("error", "error", "Why a model could not be compared"),
)


def columns(metrics: Sequence[str]) -> tuple[ModelColumn, ...]:
    """Return the columns in their order."""
    return (_MODEL, *(column for metric in metrics for column in _of_metric(metric)), *_FACTS, *_COST)


def _of_metric(metric: str) -> tuple[ModelColumn, ...]:
    paired = f"{metric}, less that of the first model, on the same questions"
    return (
        ModelColumn(metric, metric, "Mean over the questions", shown=True),
        ModelColumn(f"{metric} low", f"{metric} low", "Lower end of its 95 % interval"),
        ModelColumn(f"{metric} high", f"{metric} high", "Upper end of its 95 % interval"),
        ModelColumn(f"{metric} n", f"{metric} n", "Questions that were scored"),
        ModelColumn(f"{metric} difference", f"{metric} ±", paired, shown=True),
        ModelColumn(f"{metric} difference low", f"{metric} ± low", "Lower end of its 95 % interval"),
        ModelColumn(f"{metric} difference high", f"{metric} ± high", "Upper end of its 95 % interval"),
        ModelColumn(f"{metric} p", f"{metric} p", "Permutation p, Holm-corrected over the table"),
        ModelColumn(f"{metric} verdict", f"{metric} verdict", "Against the first model: better, worse, or not shown"),
    )
