"""The per-question part of a run as one Parquet file, one row a question: readable by any tool, without a model.

Every metric is a column. What a question has several of is a column of lists: the ranking, the metrics that it was not
scored on with their reasons, and the fragments of its evidence with the stage that lost each of them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.aside import aside_name
from pipelines.errors import NotFoundError, storage_errors
from pipelines.losses import STAGES, Fates
from pipelines.records import PADDING, IntArray, LongArray, Metric, Rankings, Scores
from pipelines.runs.details_before import read_folder
from pipelines.runs.record import Details, Spans

_RANKED = ("chunk", "score", "document_id", "start", "end")
_FATE = ("evidence", "start", "end", "rank_before", "rank", "chunk", "chunk_start", "chunk_end")
_HANDED_ON = "handed on"


def file_of(folder: Path, run_id: str) -> Path:
    """Return where the file of a run lies, or would lie, below the folder of runs."""
    return folder / f"{run_id}.parquet"


def write_details(details: Details, path: Path) -> None:
    """Write the table aside, then rename it into place.

    Raises:
        StorageError: when the disk is full or refuses; nothing is left behind.
    """
    aside = path.with_name(f".{aside_name(path.stem)}.parquet")
    try:
        with storage_errors(path, "keep the per-question results"):
            path.parent.mkdir(parents=True, exist_ok=True)
            table = _table(details)
            pq.write_table(table, aside, use_dictionary=_repeating(table), write_statistics=False)
            aside.rename(path)
    finally:
        aside.unlink(missing_ok=True)


def read_details(path: Path) -> Details:
    """Read it again; where there is no such file, the folder of the same name that runs of before have.

    Raises:
        NotFoundError: when it is gone or cannot be read.
    """
    before = path.with_suffix("")
    try:
        return read_folder(before) if not path.exists() and before.is_dir() else _read(path)
    except (OSError, pa.ArrowException, LookupError, ValueError) as error:
        raise NotFoundError(
            f"The per-question results in {path} are missing or damaged; evaluate the run again to see them."
        ) from error


def _repeating(table: pa.Table) -> list[str]:
    """Return the columns that repeat few values, and so are worth a dictionary in the file."""
    lists = [field for field in table.schema if pa.types.is_list(field.type)]
    return [f"{field.name}.list.element" for field in lists if pa.types.is_dictionary(field.type.value_type)]


def _table(details: Details) -> pa.Table:
    scores, fates = details.scores, details.fates
    columns: dict[str, Any] = {"question_id": list(details.question_ids)}
    for i, metric in enumerate(scores.metrics):
        columns[metric.name] = pa.array(scores.values[:, i], mask=np.isnan(scores.values[:, i]))
    columns |= _unscored(scores) | _ranking(details)
    declared: dict[str, Any] = {
        "metrics": [[m.name, m.family, m.higher_is_better, m.unit] for m in scores.metrics],
        "depth": details.rankings.depth,
    }
    if fates is not None:
        columns |= _fates(fates)
        declared["cuts"] = fates.cuts
    return pa.table(columns).replace_schema_metadata({"run": json.dumps(declared)})


def _unscored(scores: Scores) -> dict[str, pa.Array]:
    rows, columns = np.nonzero(scores.reason)
    offsets = _offsets(rows, len(scores.reason))
    return {
        "unscored.metric": _lists(offsets, _named(columns, [metric.name for metric in scores.metrics])),
        "unscored.reason": _lists(offsets, _named(scores.reason[rows, columns], scores.reasons)),
    }


def _ranking(details: Details) -> dict[str, pa.Array]:
    rankings, spans = details.rankings, details.spans
    hit = rankings.chunk != PADDING
    offsets = np.append(0, np.cumsum(hit.sum(axis=1))).astype(np.int32)

    values = {
        "chunk": pa.array(rankings.chunk[hit]),
        "score": pa.array(rankings.score[hit]),
        "document_id": _named(spans.document[hit], spans.ids),
        "start": pa.array(spans.start[hit]),
        "end": pa.array(spans.end[hit]),
    }
    return {f"ranking.{name}": _lists(offsets, column) for name, column in values.items()}


def _fates(fates: Fates) -> dict[str, pa.Array]:
    offsets = _offsets(fates.question, fates.n_questions)
    columns = {f"fate.{name}": _lists(offsets, pa.array(getattr(fates, name))) for name in _FATE}
    called = pa.array([_HANDED_ON, *STAGES])
    for i, cut in enumerate(fates.cuts):
        stage = pa.DictionaryArray.from_arrays(pa.array(fates.stage[:, i]), called)
        columns[f"fate.{cut}"] = _lists(offsets, stage)
    return columns


def _lists(offsets: IntArray, values: pa.Array) -> pa.ListArray:
    return pa.ListArray.from_arrays(pa.array(offsets), values)


def _offsets(rows: npt.NDArray[np.integer[Any]], n_rows: int) -> IntArray:
    """Return where each row's values begin and end; `rows` is sorted."""
    return np.append(0, np.cumsum(np.bincount(rows, minlength=n_rows))).astype(np.int32)


def _named(codes: npt.NDArray[np.integer[Any]], names: Sequence[str]) -> pa.DictionaryArray:
    """Return the names at `codes` as a column that holds each name once, and only those that occur."""
    used = np.zeros(len(names), dtype=np.bool_)
    used[codes] = True
    own = (np.cumsum(used) - 1).astype(np.int32)[codes]
    held = pa.array([names[i] for i in np.flatnonzero(used).tolist()], pa.string())
    return pa.DictionaryArray.from_arrays(pa.array(own), held)


def _read(path: Path) -> Details:
    with pq.ParquetFile(path) as opened:
        table = opened.read()
    declared = json.loads(table.schema.metadata[b"run"])
    metrics = tuple(Metric(*row) for row in declared["metrics"])
    ids = tuple(table["question_id"].to_pylist())
    values = [table[m.name].to_numpy(zero_copy_only=False).astype(np.float64) for m in metrics]
    scores = Scores(metrics, np.column_stack(values), *_read_reasons(table, metrics))
    fates = _read_fates(table, declared["cuts"]) if "cuts" in declared else None
    return Details(ids, scores, *_read_ranking(table, int(declared["depth"])), fates)


def _read_reasons(table: pa.Table, metrics: Sequence[Metric]) -> tuple[npt.NDArray[np.int16], tuple[str, ...]]:
    row, metric = _values(table, "unscored.metric")
    place = {one.name: i for i, one in enumerate(metrics)}
    own, known = _codes(metric)
    column = np.asarray([place[name] for name in known], dtype=np.int64)[own]
    number, reasons = _codes(_values(table, "unscored.reason")[1])
    reason = np.zeros((len(table), len(metrics)), dtype=np.int16)
    reason[row, column] = number + 1
    return reason, ("", *reasons)


def _read_ranking(table: pa.Table, depth: int) -> tuple[Rankings, Spans]:
    found: Mapping[str, pa.Array] = {name: _values(table, f"ranking.{name}")[1] for name in _RANKED}
    row, _ = _values(table, "ranking.chunk")
    place = row, np.arange(len(row)) - np.searchsorted(row, row)
    rankings = Rankings.empty(len(table), depth)

    def spread(values: npt.NDArray[Any]) -> IntArray:
        spread = np.full(rankings.chunk.shape, PADDING, dtype=np.int32)
        spread[place] = values
        return spread

    rankings.chunk[place], rankings.score[place] = found["chunk"].to_numpy(), found["score"].to_numpy()
    document, names = _codes(found["document_id"])
    start, end = found["start"].to_numpy(), found["end"].to_numpy()
    return rankings, Spans(names, spread(document), spread(start), spread(end))


def _read_fates(table: pa.Table, cuts: Sequence[str]) -> Fates:
    question, _ = _values(table, "fate.evidence")
    arrays = {name: _values(table, f"fate.{name}")[1].to_numpy().astype(np.int32) for name in _FATE}
    number = {name: i for i, name in enumerate((_HANDED_ON, *STAGES))}
    stage = np.zeros((len(question), len(cuts)), dtype=np.int8)
    for i, cut in enumerate(cuts):
        own, known = _codes(_values(table, f"fate.{cut}")[1])
        stage[:, i] = np.asarray([number[name] for name in known], dtype=np.int8)[own]
    return Fates(tuple(cuts), len(table), question.astype(np.int32), **arrays, stage=stage)


def _values(table: pa.Table, name: str) -> tuple[LongArray, pa.Array]:
    """Return a column of lists as the row of each value, int64 [n_values], and the values."""
    lists = table[name].combine_chunks()
    lengths = np.diff(lists.offsets.to_numpy())
    return np.repeat(np.arange(len(lengths)), lengths), lists.flatten()


def _codes(values: pa.Array) -> tuple[LongArray, tuple[str, ...]]:
    """Return names as places among those that occur, and these."""
    encoded = values if pa.types.is_dictionary(values.type) else values.dictionary_encode()
    codes: LongArray = encoded.indices.to_numpy().astype(np.int64)
    return codes, tuple(encoded.dictionary.to_pylist())
