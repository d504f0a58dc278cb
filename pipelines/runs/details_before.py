"""Per-question results as runs of before kept them: a folder of three tables, one row a question, reason or hit."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.records import PADDING, IntArray, LongArray, Metric, Rankings, Scores
from pipelines.runs.record import Details, Spans

SCORES = "scores.parquet"
_REASONS, _RANKINGS = "unscored.parquet", "rankings.parquet"


def read_folder(folder: Path) -> Details:
    """Read the three tables; such a run has no losses."""
    ids, scores = _read_scores(folder)
    return Details(ids, scores, *_read_rankings(folder, ids))


def _read_scores(folder: Path) -> tuple[tuple[str, ...], Scores]:
    table = pq.read_table(folder / SCORES)
    metrics = tuple(Metric(*row) for row in json.loads(table.schema.metadata[b"metrics"]))
    ids = tuple(table["question_id"].to_pylist())
    values = np.column_stack([table[m.name].to_numpy(zero_copy_only=False).astype(np.float64) for m in metrics])
    reason, reasons = _read_reasons(folder, ids, metrics)
    return ids, Scores(metrics, values, reason, reasons)


def _read_reasons(folder: Path, ids: tuple[str, ...], metrics: tuple[Metric, ...]) -> tuple[Any, tuple[str, ...]]:
    table = pq.read_table(folder / _REASONS)
    row, _ = _codes(table["question_id"], ids)
    column, _ = _codes(table["metric"], [metric.name for metric in metrics])
    number, reasons = _codes(table["reason"])
    reason = np.zeros((len(ids), len(metrics)), dtype=np.int16)
    reason[row, column] = number + 1
    return reason, ("", *reasons)


def _read_rankings(folder: Path, ids: Sequence[str]) -> tuple[Rankings, Spans]:
    table = pq.read_table(folder / _RANKINGS)
    rankings = Rankings.empty(len(ids), int(table.schema.metadata[b"depth"]))
    question, _ = _codes(table["question_id"], ids)
    document, names = _codes(table["document_id"])
    place = question, table["rank"].to_numpy() - 1

    def spread(values: npt.NDArray[Any]) -> IntArray:
        spread = np.full(rankings.chunk.shape, PADDING, dtype=np.int32)
        spread[place] = values
        return spread

    rankings.chunk[place], rankings.score[place] = table["chunk"].to_numpy(), table["score"].to_numpy()
    start, end = table["start"].to_numpy(), table["end"].to_numpy()
    return rankings, Spans(names, spread(document), spread(start), spread(end))


def _codes(column: pa.ChunkedArray, names: Sequence[str] | None = None) -> tuple[LongArray, tuple[str, ...]]:
    """Return a column's values as places in `names`, or in the names that it holds itself.

    Runs of before held plain text here; a dictionary is made of it.

    Raises:
        KeyError: for a value that `names` lacks.
    """
    encoded = column.combine_chunks()
    if not pa.types.is_dictionary(encoded.type):
        encoded = encoded.dictionary_encode()
    held = tuple(encoded.dictionary.to_pylist())
    codes: LongArray = encoded.indices.to_numpy().astype(np.int64)
    if names is None:
        return codes, held
    place = {name: i for i, name in enumerate(names)}
    return np.asarray([place[name] for name in held], dtype=np.int64)[codes], tuple(names)
