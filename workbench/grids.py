"""Rows to settings of st.dataframe: labels, formats and widths of columns, in one place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Literal

import pandas as pd
import streamlit as st

from pipelines.records import Metric

Row = Mapping[str, Any]
Width = Literal["small", "medium", "large"] | int
ROW_PX, HEADER_PX = 33, 36


@dataclass(frozen=True)
class Field:
    """A column: the key of its cells, what stands above it, how a number is written, how wide it is."""

    key: str
    label: str | None = None
    number: str | None = None
    width: Width | None = None
    pinned: bool = False
    help: str | None = None

    def config(self) -> Any:
        """Return the column's settings."""
        same: dict[str, Any] = {"label": self.label or self.key, "width": self.width, "help": self.help}
        if self.number is not None:
            return st.column_config.NumberColumn(**same, format=self.number, pinned=self.pinned)
        return st.column_config.Column(**same, pinned=self.pinned)


def frame(fields: Sequence[Field], rows: Sequence[Row]) -> pd.DataFrame:
    """Return the cells in the order of the fields; numbers stay numbers, an absent one is missing."""
    columns = {field.key: [row.get(field.key) for row in rows] for field in fields}
    data = pd.DataFrame(columns, columns=[field.key for field in fields])
    for field in fields:
        if field.number is not None:
            data[field.key] = pd.to_numeric(data[field.key])
    return data


def show(
    fields: Sequence[Field],
    rows: Sequence[Row],
    key: str,
    most_rows: int = 14,
    select: str | None = None,
    ids: Sequence[str] | None = None,
    held: str | None = None,
    **more: Any,
) -> list[int]:
    """Show rows; return the positions of those selected, where `select` is "multi-row" or "single-row".

    A selection is by position, so it ends when the rows change: they are told apart by `ids`, or by all their cells.
    With `ids` and `held`, a name in the session's state, rows that are still shown stay selected.
    """
    choice: dict[str, Any] = {}
    if select is not None:
        key = selection_key(key, ids if ids is not None else [repr(list(row.items())) for row in rows])
        choice = {"on_select": "rerun", "selection_mode": select}
        if ids is not None and held is not None:
            choice["selection_default"] = {"selection": {"rows": _still_shown(key, ids, held)}}
    event = st.dataframe(
        frame(fields, rows),
        key=key,
        hide_index=True,
        row_height=ROW_PX,
        height=HEADER_PX + ROW_PX * max(1, min(len(rows), most_rows)),
        column_config={field.key: field.config() for field in fields},
        placeholder="–",
        **{**choice, **more},
    )
    chosen = [i for i in event["selection"]["rows"] if i < len(rows)] if select else []
    if ids is not None and held is not None:
        st.session_state[held] = [ids[i] for i in chosen]
    return chosen


def selection_key(key: str, ids: Sequence[str]) -> str:
    """Return the key of a grid of these rows in this order: another one where a position means another row."""
    digest = blake2b("\0".join(ids).encode("utf-8", "surrogatepass"), digest_size=8)
    return f"{key}.{len(ids)}.{digest.hexdigest()}"


def _still_shown(key: str, ids: Sequence[str], held: str) -> list[int]:
    """Return what a new grid begins with; one that stands already keeps what it began with."""
    begun = f"{held}.begun"
    if key not in st.session_state or begun not in st.session_state:
        wanted = set(st.session_state.get(held, ()))
        st.session_state[begun] = [i for i, one in enumerate(ids) if one in wanted]
    return list(st.session_state[begun])


def number_format(metric: Metric | None) -> str:
    """Return how a metric's values are written: shares with three decimals, counts and times shorter."""
    unit = metric.unit if metric else None
    return {None: "%.3f", "tokens": "%.0f", "ms": "%.1f", "usd": "%.5f", "USD": "%.5f"}.get(unit, "%.3f")


def written(value: float | None, metric: Metric | None = None, sign: bool = False) -> str:
    """Return a value as the grids write it, with its sign where asked; a dash where there is none."""
    if value is None:
        return "–"
    pattern = number_format(metric)
    text = (pattern.replace("%", "%+") if sign else pattern) % value
    return text.lstrip("+-") if float(text) == 0 else text


def run_fields(columns: Sequence[str], metrics: Mapping[str, Metric]) -> list[Field]:
    """Return the columns of the table of runs: a metric's n, low and high stand beside its mean."""
    return [_run_field(column, metrics) for column in columns]


def _run_field(column: str, metrics: Mapping[str, Metric]) -> Field:
    name, _, part = column.rpartition(" ")
    if column in metrics:
        return _mean_field(column, metrics[column])
    if name in metrics and part == "n":
        return Field(column, "n", "%d", 52, help="Questions scored, of which the mean to the left is taken")
    if name in metrics:
        return Field(column, part, number_format(metrics[name]), 70, help="End of the 95 % interval of the mean")
    return _FIXED.get(column, Field(column))


def _mean_field(column: str, metric: Metric) -> Field:
    better = "higher is better" if metric.higher_is_better else "lower is better"
    unit = f", in {metric.unit}" if metric.unit else ""
    return Field(
        column, column, number_format(metric), width=max(92, 30 + 8 * len(column)), help=f"Mean{unit}; {better}"
    )


_FIXED = {
    field.key: field
    for field in (
        Field("name", width=230, pinned=True),
        Field("pipeline", width=240),
        Field("dataset", width=140),
        Field("split", width=60),
        Field("questions", number="%d", width=85),
        Field("chunks", number="%d", width=75),
        Field("seconds", number="%.1f", width=80),
        Field("seed", number="%d", width=55),
        Field("created", width=155),
        Field("run", width=120),
        Field("dataset_version", width=120),
        Field("code_version", width=120),
        Field("libraries", width=200),
    )
}
