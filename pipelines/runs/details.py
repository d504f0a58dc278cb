"""Per-question scores and rankings of a run, as Parquet: readable by any tool, without a model."""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.errors import NotFoundError, storage_errors
from pipelines.records import PADDING, IntArray, LongArray, Metric, Rankings, Scores
from pipelines.runs.record import Details, Spans

_SCORES, _REASONS, _RANKINGS = "scores.parquet", "unscored.parquet", "rankings.parquet"


def write_details(details: Details, folder: Path) -> None:
    """Write the three tables aside, then rename the folder into place.

    Raises:
        StorageError: when the disk is full or refuses; nothing is left behind.
    """
    aside = folder.with_name(f".{folder.name}-{uuid.uuid4().hex[:8]}")
    try:
        with storage_errors(folder, "keep the per-question results"):
            aside.mkdir(parents=True)
            _write(_scores_table(details), aside / _SCORES)
            _write(_reasons_table(details), aside / _REASONS)
            _write(_rankings_table(details), aside / _RANKINGS)
            aside.rename(folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _write(table: pa.Table, path: Path) -> None:
    """Write a table; only the columns that repeat few values are worth a dictionary in the file."""
    repeating = [field.name for field in table.schema if pa.types.is_dictionary(field.type) or field.name == "rank"]
    pq.write_table(table, path, use_dictionary=repeating, write_statistics=False)


def read_details(folder: Path) -> Details:
    """Read them again.

    Raises:
        NotFoundError: when the folder is gone or cannot be read.
    """
    try:
        ids, scores = _read_scores(folder)
        return Details(ids, scores, *_read_rankings(folder, ids))
    except (OSError, pa.ArrowInvalid, LookupError, ValueError) as error:
        raise NotFoundError(
            f"The per-question results in {folder} are missing or damaged; evaluate the run again to see them."
        ) from error


def _scores_table(details: Details) -> pa.Table:
    scores = details.scores
    columns: dict[str, Any] = {"question_id": list(details.question_ids)}
    for i, metric in enumerate(scores.metrics):
        columns[metric.name] = pa.array(scores.values[:, i], mask=np.isnan(scores.values[:, i]))
    declared = [[m.name, m.family, m.higher_is_better, m.unit] for m in scores.metrics]
    return pa.table(columns).replace_schema_metadata({"metrics": json.dumps(declared)})


def _reasons_table(details: Details) -> pa.Table:
    scores = details.scores
    rows, columns = np.nonzero(scores.reason)
    return pa.table(
        {
            "question_id": _named(rows, details.question_ids),
            "metric": _named(columns, [metric.name for metric in scores.metrics]),
            "reason": _named(scores.reason[rows, columns], scores.reasons),
        }
    )


def _rankings_table(details: Details) -> pa.Table:
    rankings, spans = details.rankings, details.spans
    hit = rankings.chunk != PADDING
    rank = np.broadcast_to(np.arange(1, rankings.depth + 1, dtype=np.int32), hit.shape)
    every = bool(hit.all())

    def held(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return values.ravel() if every else values[hit]

    table = pa.table(
        {
            "question_id": _named(np.repeat(np.arange(rankings.n_questions), hit.sum(axis=1)), details.question_ids),
            "rank": held(rank),
            "chunk": held(rankings.chunk),
            "score": held(rankings.score),
            "document_id": _named(held(spans.document), spans.ids),
            "start": held(spans.start),
            "end": held(spans.end),
        }
    )
    return table.replace_schema_metadata({"depth": str(rankings.depth)})


def _named(codes: npt.NDArray[np.integer[Any]], names: Sequence[str]) -> pa.DictionaryArray:
    """Return the names at `codes` as a column that holds each name once, and only those that occur."""
    used = np.zeros(len(names), dtype=np.bool_)
    used[codes] = True
    own = (np.cumsum(used) - 1).astype(np.int32)[codes]
    held = pa.array([names[i] for i in np.flatnonzero(used).tolist()], pa.string())
    return pa.DictionaryArray.from_arrays(pa.array(own), held)


def _read_scores(folder: Path) -> tuple[tuple[str, ...], Scores]:
    table = pq.read_table(folder / _SCORES)
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
