"""Per-question scores and rankings of a run, as Parquet: readable by any tool, without a model."""

from __future__ import annotations

import json
import shutil
import uuid
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.errors import NotFoundError, storage_errors
from pipelines.records import PADDING, Metric, Rankings, Scores
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
            pq.write_table(_scores_table(details), aside / _SCORES)
            pq.write_table(_reasons_table(details), aside / _REASONS)
            pq.write_table(_rankings_table(details), aside / _RANKINGS)
            aside.rename(folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def read_details(folder: Path) -> Details:
    """Read them again.

    Raises:
        NotFoundError: when the folder is gone or cannot be read.
    """
    try:
        ids, scores = _read_scores(folder)
        return Details(ids, scores, *_read_rankings(folder))
    except (OSError, pa.ArrowInvalid, KeyError, ValueError) as error:
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
    rows, columns = np.nonzero(details.scores.reason)
    reasons = [details.scores.reasons[details.scores.reason[r, c]] for r, c in zip(rows, columns, strict=True)]
    return pa.table(
        {
            "question_id": pa.array([details.question_ids[r] for r in rows], pa.string()),
            "metric": pa.array([details.scores.metrics[c].name for c in columns], pa.string()),
            "reason": pa.array(reasons, pa.string()),
        }
    )


def _rankings_table(details: Details) -> pa.Table:
    rankings, spans = details.rankings, details.spans
    n_hits = (rankings.chunk != PADDING).sum(axis=1)
    question = np.repeat(np.arange(rankings.n_questions), n_hits)
    hit = rankings.chunk != PADDING
    table = pa.table(
        {
            "question_id": pa.array([details.question_ids[q] for q in question], pa.string()),
            "rank": np.concatenate([np.arange(1, n + 1) for n in n_hits] or [np.zeros(0)]).astype(np.int32),
            "chunk": rankings.chunk[hit],
            "score": rankings.score[hit],
            "document_id": pa.array([d for row in spans.document_ids for d in row], pa.string()),
            "start": pa.array([s for row in spans.starts for s in row], pa.int32()),
            "end": pa.array([e for row in spans.ends for e in row], pa.int32()),
        }
    )
    return table.replace_schema_metadata({"depth": str(rankings.depth)})


def _read_scores(folder: Path) -> tuple[tuple[str, ...], Scores]:
    table = pq.read_table(folder / _SCORES)
    metrics = tuple(Metric(*row) for row in json.loads(table.schema.metadata[b"metrics"]))
    ids = tuple(table["question_id"].to_pylist())
    values = np.column_stack([table[m.name].to_numpy(zero_copy_only=False).astype(np.float64) for m in metrics])
    reason, reasons = _read_reasons(folder, ids, metrics)
    return ids, Scores(metrics, values, reason, reasons)


def _read_reasons(folder: Path, ids: tuple[str, ...], metrics: tuple[Metric, ...]) -> tuple[Any, tuple[str, ...]]:
    rows = pq.read_table(folder / _REASONS).to_pydict()
    reasons = ("", *sorted(set(rows["reason"])))
    number = {text: i for i, text in enumerate(reasons)}
    row, column = {q: i for i, q in enumerate(ids)}, {m.name: i for i, m in enumerate(metrics)}
    reason = np.zeros((len(ids), len(metrics)), dtype=np.int16)
    for question, metric, text in zip(rows["question_id"], rows["metric"], rows["reason"], strict=True):
        reason[row[question], column[metric]] = number[text]
    return reason, reasons


def _read_rankings(folder: Path) -> tuple[Rankings, Spans]:
    ids = pq.read_table(folder / _SCORES, columns=["question_id"])["question_id"].to_pylist()
    table = pq.read_table(folder / _RANKINGS)
    rankings = Rankings.empty(len(ids), int(table.schema.metadata[b"depth"]))
    position = {question_id: i for i, question_id in enumerate(ids)}
    columns = table.to_pydict()
    row = np.asarray([position[q] for q in columns["question_id"]], dtype=np.int64)
    rank = np.asarray(columns["rank"], dtype=np.int64) - 1
    rankings.chunk[row, rank], rankings.score[row, rank] = columns["chunk"], columns["score"]
    cuts = np.searchsorted(row, np.arange(len(ids) + 1))
    parts = ("document_id", "start", "end")
    return rankings, Spans(*(tuple(tuple(columns[p][a:b]) for a, b in pairwise(cuts)) for p in parts))
