"""Runs and comparisons as the command line shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.table import Table as Grid

from pipelines.compare.table import Comparison, ComparisonRow
from pipelines.runs.record import Measured, Run
from pipelines.runs.table import Cell, Table
from pipelines.terminal.output import grid, number

HEADLINE = ("recall@5", "precision@5", "iou@5", "ndcg@10", "mrr@10", "hit@5", "recall@2000tok", "doc_recall@5")
SHORT = ("recall@5", "ndcg@10", "recall@2000tok")


def run_grid(run: Run) -> Grid:
    """Return the headline metrics of one run, each with its interval and n."""
    rows = [_measured_row(m) for m in run.metrics if m.metric.name in (*HEADLINE, *_costs(run))]
    return grid(["metric", "mean", "95 % interval", "n", "unscored"], rows)


def _costs(run: Run) -> list[str]:
    names = ("precision_omega", "context_tokens@5", "latency_ms_p50", "latency_ms_p95")
    priced = [m.metric.name for m in run.metrics if m.metric.name == "usd" and m.mean is not None]
    return [
        *names, *priced, *(m.metric.name for m in run.metrics if m.metric.family in ("ann_recall", "gold_survival"))
    ]  # fmt: skip


def _measured_row(m: Measured) -> list[str]:
    name = f"{m.metric.name} [{m.metric.unit}]" if m.metric.unit else m.metric.name
    shown = _amount if m.metric.unit == "USD" else number
    interval = f"{shown(m.low)} to {shown(m.high)}" if m.low is not None else "–"
    return [name, shown(m.mean), interval, str(m.n), str(m.unscored)]


def _amount(usd: float | None) -> str:
    """Return an amount of money with enough decimals for a single question."""
    return number(usd) if usd is None else f"{usd:.6f}"


def runs_grid(table: Table) -> Grid:
    """Return the table of runs, narrow enough for a terminal; versions and costs stand in full in the CSV file.

    `n` is how many questions were scored; where a metric has another n, that follows its mean.
    """
    metrics = [column for column in table.columns if f"{column} n" in table.columns]
    lost = [column for column in table.columns if column.startswith("lost ")]
    rows = [[*_run_row(row, metrics), *(number(row.get(name)) for name in lost)] for row in table.rows]
    return grid(["run", "name", "pipeline", "split", "n", *metrics, *lost], rows, numbers_from=4)


def _run_row(row: Mapping[str, Cell], metrics: list[str]) -> list[str]:
    counts = [row.get(f"{name} n") for name in metrics]
    usual = max(set(counts), key=counts.count) if counts else None
    cells = [_with_n(row.get(name), n, usual) for name, n in zip(metrics, counts, strict=True)]
    return [*(str(row[name]) for name in ("run", "name", "pipeline", "split")), number(usual), *cells]


def _with_n(mean: Cell, n: Cell, usual: Cell) -> str:
    return number(mean) if n == usual else f"{number(mean)} ({number(n)})"


def questions_grid(table: Table, metrics: Sequence[str]) -> Grid:
    """Return one row a question with the values of `metrics`; the CSV file has all of them."""
    columns = ["question_id", *(name for name in metrics if name in table.columns)]
    return grid(columns, [[number(row.get(name)) for name in columns] for row in table.rows])


def comparison_grid(comparison: Comparison) -> Grid:
    """Return the differences to the baseline, one row a run and metric."""
    columns = [
        "run", "metric", "baseline", "mean", "difference", "95 % interval", "p (Holm)", "wins/ties/losses", "n",
        "detectable", "verdict",
    ]  # fmt: skip
    return grid(columns, [_difference_row(row) for row in comparison.rows], numbers_from=2)


def _difference_row(row: ComparisonRow) -> list[str]:
    interval = f"{row.low:+.3f} to {row.high:+.3f}" if row.low is not None and row.high is not None else "–"
    difference = "–" if row.difference is None else f"{row.difference:+.3f}"
    counts = f"{row.wins}/{row.ties}/{row.losses}"
    means = [number(row.baseline_mean), number(row.mean)]
    rest = [number(row.p_holm), counts, str(row.n), number(row.smallest_detectable), row.reason or row.verdict]
    return [row.run_name, row.metric, *means, difference, interval, *rest]
