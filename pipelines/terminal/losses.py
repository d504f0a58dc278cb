"""Where evidence was lost, as the command line shows it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.table import Table as Grid

from pipelines import api
from pipelines.api import Bar, Losses, LostEvidence, LostQuestion
from pipelines.compare.losses import LossRow
from pipelines.compare.table import Comparison
from pipelines.errors import counted, shorten
from pipelines.terminal.output import grid, number

_BAR_CHARS = 30
_MOST_QUESTIONS = 20
DEFAULT_CUT = "recall@5"


def waterfall_grid(losses: Losses) -> Grid:
    """Return one row a stage, from all the evidence down to what was handed on."""
    rows = [["", "all the evidence", "", "", number(1.0), "█" * _BAR_CHARS, ""]]
    rows += [_bar_row(bar) for bar in losses.waterfall()]
    columns = ["stage", "lost evidence that was", "lost", "95 % interval", "left", "", "questions"]
    return grid(columns, [[row[i] for i in (0, 1, 5, 2, 3, 4, 6)] for row in rows], numbers_from=3)


def _bar_row(bar: Bar) -> list[str]:
    interval = "–" if bar.low is None else f"{number(bar.low)} to {number(bar.high)}"
    left = bar.left or 0.0
    drawn = " " * round(left * _BAR_CHARS) + "░" * max(round((bar.mean or 0) * _BAR_CHARS), 1 if bar.mean else 0)
    return [bar.stage, bar.label, number(bar.mean), interval, number(bar.left), drawn, str(bar.questions)]


def described_losses(losses: Losses) -> Iterator[str]:
    """Yield one line for every stage that lost anything: which knob to turn."""
    told = sorted((bar for bar in losses.waterfall() if bar.advice), key=lambda bar: -(bar.mean or 0))
    for bar in told:
        yield f"{bar.stage} {number(bar.mean)}: {bar.advice}"
    if not told:
        yield "Nothing was lost." if losses.n else "No question has evidence, so none could be lost."


def described_questions(losses: Losses, stage: str | None) -> Iterator[str]:
    """Yield the questions behind a bar, the greatest loss first."""
    found = losses.questions(stage)
    what = "lost evidence" if stage is None else f"lost evidence at '{stage}'"
    yield f"{counted(len(found), 'question')} {what}{', the greatest loss first:' if found else '.'}"
    for question in found[:_MOST_QUESTIONS]:
        yield from _question_lines(question)
    if len(found) > _MOST_QUESTIONS:
        yield f"({len(found) - _MOST_QUESTIONS:,} more: --json FILE has them all)"
    if losses.note:
        yield f"note: {losses.note}"


def _question_lines(question: LostQuestion) -> Iterator[str]:
    yield f"{number(question.share)}  {question.question_id}  {shorten(question.text or '', 120)}"
    for item in question.evidence:
        yield f"         {_evidence_line(item)}"


def _evidence_line(item: LostEvidence) -> str:
    place = f" in {shorten(item.document_id, 40)}" if item.document_id else ""
    quote = f' "{shorten(item.quote.replace(chr(10), " "), 80)}"' if item.quote else ""
    found = "; an alternative was handed on" if item.alternative_found else ""
    return f"{number(item.share)} {item.sentence()}{found};{quote}{place}"


def _at(comparison: Comparison, cut: str | None) -> list[LossRow]:
    """Return the rows at a cut, by default at recall@5, of stages that lost anything in either run."""
    chosen = api.cut_name(cut or DEFAULT_CUT)
    return [row for row in comparison.losses if row.cut == chosen and (row.mean or row.baseline_mean)]


def described_loss_rows(comparison: Comparison, cut: str | None) -> Iterator[str]:
    """Yield what stands above the grid of losses, where there is anything to show."""
    if _at(comparison, cut):
        yield f"\nWhere the difference in {api.cut_name(cut or DEFAULT_CUT)} comes from (above 0: more was lost there):"
    elif cut is not None and comparison.losses:
        cuts = dict.fromkeys(row.cut for row in comparison.losses)
        yield f"\nNothing was lost at {api.cut_name(cut)}, or it was not measured there; there are {', '.join(cuts)}."
    if comparison.losses_note:
        yield f"note: {comparison.losses_note}"


def loss_rows_grid(comparison: Comparison, cut: str | None) -> Grid:
    """Return what each stage lost in the runs, against the baseline."""
    columns = ["run", "stage", "baseline lost", "lost", "difference", "95 % interval", "n"]
    rows = [_loss_row(row) for row in _at(comparison, cut)]
    return grid(columns if rows else [], rows, numbers_from=2)


def _loss_row(row: LossRow) -> list[str]:
    interval = f"{row.low:+.3f} to {row.high:+.3f}" if row.low is not None and row.high is not None else "–"
    difference = "–" if row.difference is None else f"{row.difference:+.3f}"
    return [row.run_name, row.stage, number(row.baseline_mean), number(row.mean), difference, interval, str(row.n)]


def loss_cells(comparison: Comparison, cut: str | None) -> list[dict[str, Any]]:
    """Return rows for the CSV file of a comparison, when losses were asked for: one a run and stage."""
    if cut is None:
        return []
    named = ("run_id", "run_name", "baseline_mean", "mean", "difference", "low", "high", "n")
    chosen = [row for row in comparison.losses if row.cut == api.cut_name(cut)]
    return [
        {"metric": f"lost {row.stage} {row.cut}", "higher_is_better": False}
        | {name: getattr(row, name) for name in named}
        for row in chosen
    ]
