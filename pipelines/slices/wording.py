"""A slice in plain words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.compare.wording import number, probability
from pipelines.errors import counted

if TYPE_CHECKING:
    from pipelines.slices.report import SliceRow


def sentence(row: SliceRow, whole: SliceRow) -> str:
    """Say what a slice shows against the whole; `whole` is the row of all questions."""
    if row.mean is None:
        return f"{_named(row)}: {row.metric} could not be measured ({row.reason})."
    if row.difference is None:
        return f"{_named(row)}: {row.metric} is {number(row.mean)}{_interval(row.low, row.high)}, {_count(row.n)}."
    if row.few:
        found = f"{row.metric} is {_amount(row)}"
        return f"{_named(row)}: {found}, on {_count(row.n_paired or 0)}; too few to judge by."
    return f"{_named(row)}: {_opening(row, whole)}{row.metric} is {_amount(row)} ({_evidence(row)}); {_counts(row)}."


def _named(row: SliceRow) -> str:
    return "All questions" if row.by == "all" else f"{row.by} = {row.value}"


def _opening(row: SliceRow, whole: SliceRow) -> str:
    """Say how the slice stands to the whole, where that is what matters."""
    if row.warning is None or whole.difference is None:
        return ""
    if row.warning == "too few to show it":
        least = row.smallest_detectable
        power = "" if least is None else f" ({_count(row.n_paired or 0)} show about {number(least)} or more)"
        return f"the difference overall ({whole.difference:+.3f}) is not shown here, and n is too small to say{power}; "
    here = "better" if (row.gain or 0) > 0 else "worse"
    overall = "no difference shown" if whole.verdict == "no difference shown" else str(whole.verdict)
    perhaps = "perhaps " if row.warning == "perhaps against the whole" else ""
    return f"{overall} overall ({whole.difference:+.3f}), {perhaps}{here} here; "


def _amount(row: SliceRow) -> str:
    value = row.difference or 0.0
    if not value:
        return "equal on average"
    unit = f" {row.unit}" if row.unit else ""
    return f"{number(abs(value))}{unit} {'higher' if value > 0 else 'lower'}"


def _evidence(row: SliceRow) -> str:
    parts = []
    if row.difference_low is not None and row.difference_high is not None:
        parts.append(f"95 % interval {number(row.difference_low)} to {number(row.difference_high)}")
    if row.p_adjusted is not None:
        parts.append(f"{probability(row.p_adjusted)} corrected over the slices")
    return ", ".join([*parts, _count(row.n_paired or 0)])


def _interval(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f" (95 % interval {number(low)} to {number(high)})"


def _counts(row: SliceRow) -> str:
    return f"{row.wins} better, {row.ties} equal, {row.losses} worse"


def _count(n: int) -> str:
    return counted(n, "question")
