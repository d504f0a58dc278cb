"""Slices, label holes, splits and judging as the command line shows them."""

from __future__ import annotations

from collections.abc import Iterator

from rich.table import Table as Grid

from pipelines.errors import counted
from pipelines.golden.split_report import SplitReport, SplitShare
from pipelines.judging import Holes
from pipelines.slices import SliceReport, SliceRow
from pipelines.terminal.output import grid, number

_TOLD = 12


def slices_grid(report: SliceReport) -> Grid:
    """Return one row a slice and metric, all questions first."""
    paired = report.baseline_id is not None
    several = len(report.overall) > 1
    columns = ["by", "value", *(["metric"] if several else []), "n", "mean", "95 % interval"]
    columns += (
        ["baseline", "difference", "95 % interval", "p (corrected)", "wins/ties/losses", "verdict"] if paired else []
    )
    rows = [_slice_row(row, several, paired) for row in (*report.overall, *report.rows)]
    return grid(columns, rows, numbers_from=3 if several else 2)


def _slice_row(row: SliceRow, several: bool, paired: bool) -> list[str]:
    few = " (few)" if row.few else ""
    cells = [row.by, row.value, *([row.metric] if several else []), f"{row.n}{few}"]
    cells += [number(row.mean), _between(row.low, row.high)]
    if not paired:
        return cells
    difference = "–" if row.difference is None else f"{row.difference:+.3f}"
    corrected = "<0.001" if row.p_adjusted is not None and row.p_adjusted < 0.001 else number(row.p_adjusted)
    counts = f"{row.wins}/{row.ties}/{row.losses}"
    verdict = row.warning or ("too few" if row.few else row.verdict or "–")
    interval = _between(row.difference_low, row.difference_high, signed=True)
    return [*cells, number(row.baseline_mean), difference, interval, corrected, counts, verdict]


def _between(low: float | None, high: float | None, signed: bool = False) -> str:
    if low is None or high is None:
        return "–"
    return f"{low:+.3f} to {high:+.3f}" if signed else f"{number(low)} to {number(high)}"


def described_slices(report: SliceReport) -> Iterator[str]:
    """Yield what is to be warned of, and what the questions were not parted by."""
    if report.baseline_id is not None:
        grave = [row for row in report.warnings if row.warning != "too few to show it"]
        unshown = len(report.warnings) - len(grave)
        for row in grave[:_TOLD]:
            yield f"warning: {report.sentence(row)}"
        if len(grave) > _TOLD:
            yield f"and {len(grave) - _TOLD} more warnings."
        if not grave:
            yield "No slice goes against the whole."
        if unshown:
            yield f"In {counted(unshown, 'slice')} the difference overall is not shown, and n is too small to say."
        n = counted(report.n_comparisons, "comparison")
        yield f"p is corrected after Benjamini and Hochberg over {n}; slices under 5 questions are not tested."
    for one in report.left_out:
        yield f"Not parted by '{one.field}': {one.why}."


_SHOWN = ("5", "10", "2000tok")


def holes_grid(found: Holes) -> Grid:
    """Return the share of unjudged chunks at each cut, then the metrics that they bound, as measured and at most."""
    rows = [[f"unjudged@{s.at}", number(s.mean), _between(s.low, s.high), "", str(s.n)] for s in found.shares]
    for bound in found.bounds:
        if bound.low is not None and bound.metric.partition("@")[2] in _SHOWN:
            cells = [number(bound.mean), "", f"{number(bound.low)} to {number(bound.high)}", str(bound.n)]
            rows.append([bound.metric, *cells])
    return grid(["what", "mean", "95 % interval", "least to greatest", "n"], rows)


def described_holes(found: Holes) -> Iterator[str]:
    """Yield what the figures mean, and why other metrics have none."""
    share = found.n_unjudged / found.n_retrieved if found.n_retrieved else 0.0
    yield f"Of {found.n_retrieved:,} retrieved chunks, {found.n_unjudged:,} ({share:.0%}) were judged by nobody."
    yield "As measured, they count as irrelevant; least and greatest are over all ways of judging those within k."
    for caveat in dict.fromkeys(bound.caveat for bound in found.bounds if bound.caveat):
        families = dict.fromkeys(b.metric.partition("@")[0] for b in found.bounds if b.caveat == caveat)
        yield f"  {', '.join(families)}: {caveat}."
    for reason in dict.fromkeys(bound.reason for bound in found.bounds if bound.reason):
        families = dict.fromkeys(b.metric.partition("@")[0] for b in found.bounds if b.reason == reason)
        yield f"  No bounds for {', '.join(families)}: {reason}."
    yield f"Judge them with: rag-workbench judge {found.run_id}"


def splits_grid(report: SplitReport) -> Grid:
    """Return one row a split: its questions and documents, the share that was wanted, and the one it has."""
    rows = [[one.split, *_counts(one), f"{one.wanted:.0%}", f"{one.achieved:.1%}"] for one in report.splits]
    columns = ["split", "questions", "with evidence", "documents", "share wanted", "share"]
    return grid(columns, rows, numbers_from=1)


def _counts(one: SplitShare) -> list[str]:
    return [f"{n:,}" for n in (one.n_questions, one.n_answerable, one.n_documents)]
