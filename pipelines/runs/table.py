"""The table of runs: columns, rows, and the CSV file that holds exactly these."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.losses import stages_at
from pipelines.runs.record import Details, Run
from pipelines.runs.store import RunStore

Cell = str | int | float | bool | None

DEFAULT_METRICS = (
    "recall@5", "precision@5", "iou@5", "precision_omega", "ndcg@10", "mrr@10", "recall@2000tok", "context_tokens@5",
    "latency_ms_p50",
)  # fmt: skip
LEADING = ("name", "pipeline", "dataset", "split")
TRAILING = ("questions", "chunks", "seconds", "seed", "created", "run", "dataset_version", "code_version", "libraries")
_RISKY = ("=", "+", "-", "@", "\t", "\r", "\n")


@dataclass(frozen=True)
class Table:
    """Rows of plain cells, each with every column, in a fixed order."""

    columns: tuple[str, ...]
    rows: tuple[Mapping[str, Cell], ...]

    def to_csv(self) -> str:
        """Return the file: the same rows and columns, numbers in full, text that a spreadsheet would run disarmed."""
        return rows_to_csv(self.columns, self.rows)


def runs_table(
    store: RunStore,
    metrics: Sequence[str] = DEFAULT_METRICS,
    dataset: str | None = None,
    intervals: bool = False,
    losses_at: str | None = None,
) -> Table:
    """Return one row a run, oldest first: what it was, each metric's mean with its n, its cost, and its versions.

    `losses_at` adds, for a cut such as recall@5, a column a stage with the share of the evidence that it lost.
    """
    known = {metric.name for metric in store.metrics()}
    shown = [name for name in metrics if name in known]
    parts = ("mean", "low", "high", "n") if intervals else ("mean", "n")
    headings = {f"{name} {part}": name if part == "mean" else f"{name} {part}" for name in shown for part in parts}
    rows = [_row(raw, headings) for raw in store.table(shown, dataset)]
    lost = [] if losses_at is None else _add_losses(rows, store, losses_at)
    return Table((*LEADING, *headings.values(), *lost, *TRAILING), tuple(rows))


def _add_losses(rows: Sequence[dict[str, Cell]], store: RunStore, cut: str) -> list[str]:
    """Enter what each stage lost at a cut, None where that was not measured; return the columns' names."""
    found = store.losses([str(row["run"]) for row in rows])
    names = {stage: f"lost {stage} {cut}" for stage in stages_at(cut)}
    for row in rows:
        lost = found.get(str(row["run"]), {}).get(cut, {})
        row.update({name: lost[stage].mean if stage in lost else None for stage, name in names.items()})
    return list(names.values())


def _row(raw: Mapping[str, Any], headings: Mapping[str, str]) -> dict[str, Cell]:
    return {
        "name": raw["name"],
        "pipeline": raw["label"],
        "dataset": raw["dataset_name"],
        "split": raw["split"],
        **{heading: raw[column] for column, heading in headings.items()},
        "questions": raw["n_questions"],
        "chunks": raw["n_chunks"],
        "seconds": raw["seconds"],
        "seed": raw["seed"],
        "created": raw["created"],
        "run": raw["id"],
        "dataset_version": raw["dataset_version"],
        "code_version": raw["code_version"],
        "libraries": "; ".join(f"{name} {version}" for name, version in sorted(raw["libraries"].items())),
    }


def scores_table(run: Run, details: Details) -> Table:
    """Return one row a question: its value of every metric, None where unscored, and the versions these depend on."""
    names = [metric.name for metric in details.scores.metrics]
    versions: dict[str, Cell] = {
        "run": run.id, "dataset_version": run.dataset_version, "code_version": run.versions.code,
    }  # fmt: skip
    rows = tuple(
        {"question_id": name, **{m: None if v != v else v for m, v in zip(names, values, strict=True)}, **versions}
        for name, values in zip(details.question_ids, details.scores.values.tolist(), strict=True)
    )
    return Table(("question_id", *names, *versions), rows)


def rows_to_csv(columns: Sequence[str], rows: Iterable[Mapping[str, Cell]]) -> str:
    """Return CSV text with a heading. An absent value is an empty cell."""
    heading = _line([harmless(column) for column in columns])
    return heading + "".join(_line([_written(row.get(column)) for column in columns]) for row in rows)


def _line(cells: Sequence[str]) -> str:
    # The writer quotes what is in its own line end: with this one, a carriage return in a cell too.
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow(cells)
    return out.getvalue().removesuffix("\r\n") + "\n"


def _written(cell: Cell) -> str:
    if cell is None or (isinstance(cell, float) and not math.isfinite(cell)):
        return ""
    return repr(cell) if isinstance(cell, float) else harmless(cell) if isinstance(cell, str) else str(cell)


def harmless(text: str) -> str:
    """Return `text` with an apostrophe before it where a spreadsheet would take it for a formula."""
    return f"'{text}" if text.startswith(_RISKY) else text
