"""Finetunings as the command line shows them: the plan, what was trained, what it gained, what changed most."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rich.table import Table as Grid

from pipelines.api import FinetuneEstimate, FinetuneView, Report
from pipelines.errors import counted, shorten
from pipelines.runs.table import rows_to_csv
from pipelines.terminal.output import grid, number

_WHERE = {
    "all": "all questions",
    "seen": "seen documents",
    "unseen": "unseen documents",
    "outside": "outside",
    "dev": "dev",
}
_NAMED = 10
_GAIN_COLUMNS = [
    "questions", "metric", "before", "after", "difference", "95 % interval", "p (Holm)", "wins/ties/losses", "n",
    "verdict",
]  # fmt: skip


def described_estimate(estimate: FinetuneEstimate) -> Iterator[str]:
    """Yield the lines of `--dry-run`."""
    yield estimate.splits.sentence
    yield from leaks_said([vars(leak) for leak in estimate.leaks], done=False)
    yield from _left_out(estimate.left_out, {leak.question_id for leak in estimate.leaks})
    trainings = counted(len(estimate.trainings), "training")
    there = sum(one.done for one in estimate.trainings)
    yield (
        f"{trainings}, of which {there} there already; {counted(estimate.n_runs, 'evaluation')}, of which "
        f"{estimate.n_runs_there} there already"
    )
    yield f"expected time: {_time(estimate)}"
    if estimate.memory_bytes is not None:
        yield f"memory: about {size(estimate.memory_bytes)} at its height, {size(estimate.memory_free_bytes)} free"
        if estimate.memory_bytes > estimate.memory_free_bytes:
            yield "WARNING: that is more than is free; set a smaller train_batch, or choose the method lora or adapter."
    yield f"disk: {size(estimate.disk_bytes)} of {size(estimate.disk_free_bytes)} free"
    yield from (f"note: {note}" for note in estimate.notes)
    yield from (f"cannot be trained: {one.label}: {one.refused}" for one in estimate.trainings if one.refused)


def leaks_said(leaks: Sequence[Mapping[str, Any]], *, done: bool = True) -> Iterator[str]:
    """Yield a line for all leaks, and one for each of the first, naming both questions."""
    if not leaks:
        yield "No train question asks nearly what one of dev or test asks."
        return
    what = "will not be" if not done else "was not" if len(leaks) == 1 else "were not"
    yield f"LEAK: {counted(len(leaks), 'train question')} {what} trained on, for dev or test asks nearly the same:"
    for leak in leaks[:_NAMED]:
        twin = f"'{shorten(leak['twin'], 40)}' of {leak['twin_split']}: {shorten(leak['twin_text'])}"
        yield f"  '{shorten(leak['question_id'], 40)}': {shorten(leak['text'])}  =  {twin}"
    if len(leaks) > _NAMED:
        yield f"  and {len(leaks) - _NAMED} more, which --json names"


def _left_out(left_out: Sequence[tuple[str, str]], leaked: set[str]) -> Iterator[str]:
    others = [(name, why) for name, why in left_out if name not in leaked]
    if others:
        first = f"'{shorten(others[0][0], 40)}': {shorten(others[0][1], 120)}"
        yield f"{counted(len(others), 'train question')} left out besides; the first, {first}"


def _time(estimate: FinetuneEstimate) -> str:
    if estimate.seconds is not None:
        return duration(estimate.seconds)
    return f"unknown, for this machine was never measured at: {', '.join(estimate.unknown)}"


def trainings_estimate_grid(estimate: FinetuneEstimate) -> Grid:
    """Return one row a training, before it is begun."""
    rows = [
        [
            shorten(one.label, 100),
            one.method,
            "" if one.n_pairs is None else f"{one.n_pairs:,}",
            number(one.steps),
            "there already" if one.done else "refused" if one.refused else duration(one.seconds),
            number(None) if one.memory_bytes is None else size(one.memory_bytes),
        ]
        for one in estimate.trainings
    ]
    return grid(["training", "method", "pairs", "steps", "expected", "memory"], rows, numbers_from=2)


@dataclass(frozen=True)
class GainLines:
    """What is said beside the tables: `before` them, and `of` each candidate."""

    before: tuple[str, ...]

    def of(self, candidate: Mapping[str, Any]) -> Iterator[str]:
        """Yield what is said of one candidate below its table."""
        yield candidate["sentence"]
        if candidate["error"] is not None:
            return
        for where in ("unseen", "outside"):
            gain = candidate["gains"][where][0]
            if where == "unseen" and gain["n"] == candidate["gains"]["all"][0]["n"]:
                yield "All of these questions are on unseen documents."
            elif gain["n"] or where == "unseen":
                yield gain["sentence"]
        if candidate["optimism"] is not None:
            yield candidate["optimism"]["sentence"]


def described_gains(report: Report) -> GainLines:
    """Return what is said of a report beside its tables."""
    said = [report["splits"]["sentence"], *leaks_said(report["leaks"])]
    if report["outside"] is not None:
        outside = report["outside"]
        said.append(f"Outside: {outside['name']}, {counted(outside['n_questions'], 'question')} with evidence.")
    return GainLines((*said, *(f"note: {note}" for note in report["notes"])))


def trainings_grid(report: Report) -> Grid:
    """Return one row a training: what it learnt from, where it stopped, what it took."""
    columns = ["training", "method", "pairs", "negatives", "steps", "best on dev", "at step", "took", "memory", ""]
    return grid(columns, [_training_row(one) for one in report["trainings"]], numbers_from=2)


def _training_row(one: Mapping[str, Any]) -> list[str]:
    best = number(None) if one["best_dev"] is None else f"{one['metric']} {one['best_dev']:.3f}"
    state = "not trained" if one["error"] else "was there" if one["was_there"] else ""
    memory = number(None) if one["peak_memory_bytes"] is None else size(one["peak_memory_bytes"])
    counts = [f"{one['n_pairs']:,}", f"{one['n_negatives']:,}", number(one["steps"])]
    took = number(None) if one["seconds"] is None else duration(one["seconds"])
    return [shorten(one["label"], 100), one["method"], *counts, best, number(one["best_step"]), took, memory, state]


def gains_grid(candidate: Mapping[str, Any]) -> Grid:
    """Return the gains of one candidate, one row a set of questions and metric."""
    told = [gains if any(gain["n"] for gain in gains) else gains[:1] for gains in candidate["gains"].values()]
    rows = [_gain_row(gain) for gains in told for gain in gains]
    return grid(_GAIN_COLUMNS, rows, numbers_from=2)


def _gain_row(gain: Mapping[str, Any]) -> list[str]:
    where = [_WHERE[gain["where"]], gain["metric"], number(gain["before"]), number(gain["after"])]
    if gain["difference"] is None:
        first = [where[0], "", *where[2:]] if not gain["n"] else where
        return [*first, *[number(None)] * 3, "", str(gain["n"]), gain["reason"] or ""]
    interval = number(None) if gain["low"] is None else f"{gain['low']:+.3f} to {gain['high']:+.3f}"
    counts = f"{gain['wins']}/{gain['ties']}/{gain['losses']}"
    verdict = "GOT WORSE" if gain["verdict"] == "worse" else gain["reason"] or gain["verdict"]
    difference = f"{gain['difference']:+.3f}"
    return [*where, difference, interval, number(gain["p_holm"]), counts, str(gain["n"]), verdict]


def gains_csv(report: Report) -> str:
    """Return the gains of all candidates, in full precision."""
    rows = [
        {"label": one["label"], "baseline": one["baseline"], **gain}
        for one in report["candidates"]
        for gains in one["gains"].values()
        for gain in gains
    ]
    return rows_to_csv(list(rows[0]), rows) if rows else ""


def moved_grid(candidate: Mapping[str, Any]) -> Grid:
    """Return the questions that rose and fell most, with their first rank before and after."""
    moved = [("rose", one) for one in candidate["rose"]] + [("fell", one) for one in candidate["fell"]]
    rows = [
        [way, shorten(one["question_id"], 40), shorten(one["text"]), _rank(one["before"]), _rank(one["after"])]
        for way, one in moved
    ]
    return grid(["", "question", "text", "rank before", "after"], rows, numbers_from=3)


def _rank(rank: int | None) -> str:
    return "not found" if rank is None else str(rank)


def finetunings_grid(views: Sequence[FinetuneView]) -> Grid:
    """Return one row a finetuning, newest first."""
    return grid(
        ["finetuning", "name", "dataset", "split", "state", "begun", "what came of it"],
        [_finetuning_row(view) for view in views],
        numbers_from=9,
    )


def _finetuning_row(view: FinetuneView) -> list[str]:
    one, report = view.finetuning, view.report
    begun = datetime.fromtimestamp(one.created, UTC).isoformat(timespec="minutes")
    told = view.job.error if report is None else report["sentence"]
    return [one.id, one.name, one.dataset_name, one.split, view.state, begun, shorten(told or "", 100)]


def duration(seconds: float | None) -> str:
    """Return seconds, minutes or hours."""
    if seconds is None:
        return "not measured yet"
    if seconds < 90:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def size(n_bytes: int) -> str:
    """Return MB or GB."""
    return f"{n_bytes / 1e9:.1f} GB" if n_bytes >= 1e9 else f"{n_bytes / 1e6:.0f} MB"
