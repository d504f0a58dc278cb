"""A row of the comparison in plain words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.errors import counted

if TYPE_CHECKING:
    from pipelines.compare.table import ComparisonRow


def sentence(row: ComparisonRow) -> str:
    """Say what `row` shows, or what its questions are too few to show.

    >>> sentence(row)  # doctest: +SKIP
    'recall@5 is 0.042 higher (95 % interval 0.011 to 0.073, p = 0.012 after Holm), on 62 questions; 11 better, 48
    equal, 3 worse.'
    """
    if row.difference is None:
        return f"{row.metric} cannot be compared: {row.reason}."
    if row.ties == row.n:
        return f"{row.metric} is equal on {counted(row.n, 'question')}{_dropped(row)}."
    counts = f"{row.wins} better, {row.ties} equal, {row.losses} worse"
    found = (
        f"{row.metric} {_difference(row)} ({_evidence(row)}), on {counted(row.n, 'question')}{_dropped(row)}; {counts}."
    )
    return found if row.verdict != "no difference shown" else f"{found} {_doubt(row)}"


def _difference(row: ComparisonRow) -> str:
    if not row.difference:
        return "has the same mean"
    return f"is {_amount(abs(row.difference), row)} {'higher' if row.difference > 0 else 'lower'}"


def _evidence(row: ComparisonRow) -> str:
    parts = []
    if row.low is not None and row.high is not None:
        parts.append(f"95 % interval {number(row.low)} to {number(row.high)}")
    if row.p_holm is not None:
        parts.append(f"{probability(row.p_holm)} after Holm")
    return ("" if row.higher_is_better else "lower is better; ") + ", ".join(parts)


def _doubt(row: ComparisonRow) -> str:
    """Say why a difference was not shown: too few questions, too many comparisons, or nothing there."""
    least = row.smallest_detectable
    if row.n == 1:
        return f"No difference shown: {row.reason}."
    if row.p is not None and row.p < 0.05:
        return f"No difference shown: {probability(row.p)} alone, but not among all comparisons of the table."
    if least is not None and row.difference is not None and abs(row.difference) < least:
        return f"No difference shown: {counted(row.n, 'question')} can show one of about {_amount(least, row)} or more."
    return "No difference shown: chance alone could give as much."


def _dropped(row: ComparisonRow) -> str:
    return f" ({row.dropped:,} left out, unscored in at least one of the two runs)" if row.dropped else ""


def _amount(value: float, row: ComparisonRow) -> str:
    return number(value) if row.unit is None else f"{number(value)} {row.unit}"


def number(value: float) -> str:
    """Write three decimals, or as many as the first digit that counts needs."""
    if value == 0 or abs(value) >= 0.0005:
        return f"{value:,.3f}" if abs(value) < 100 else f"{value:,.1f}"
    return f"{value:.2g}"


def probability(p: float) -> str:
    """Write three decimals; never 0, and never 0.050 on both sides of the line."""
    if p < 0.001:
        return "p < 0.001"
    text = f"{p:.3f}"
    return f"p = {p:.4f}" if text == "0.050" else f"p = {text}"
