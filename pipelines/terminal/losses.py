"""Where evidence was lost, as the command line shows it."""

from __future__ import annotations

from collections.abc import Iterator

from rich.table import Table as Grid

from pipelines.api import Bar, Losses, LostEvidence, LostQuestion
from pipelines.errors import counted, shorten
from pipelines.terminal.output import grid, number

_BAR_CHARS = 30
_MOST_QUESTIONS = 20


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
