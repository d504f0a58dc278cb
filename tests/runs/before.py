"""Per-question results as runs of before were kept: a folder of three tables."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.runs.record import Details


def write_before(details: Details, folder: Path, *, plain: bool = False) -> None:
    """Write the three tables: names as dictionaries, or as plain text, as the first runs had them."""
    folder.mkdir(parents=True)
    for name, table in _tables(details).items():
        names = [field.name for field in table.schema if pa.types.is_dictionary(field.type)] if plain else []
        fields = [pa.field(field.name, pa.string()) if field.name in names else field for field in table.schema]
        pq.write_table(table.cast(pa.schema(fields, table.schema.metadata)), folder / f"{name}.parquet")


def _tables(details: Details) -> dict[str, pa.Table]:
    scores, rankings, spans = details.scores, details.rankings, details.spans
    names = [metric.name for metric in scores.metrics]
    values: dict[str, Any] = {"question_id": list(details.question_ids)}
    values |= {name: pa.array(scores.values[:, i], mask=np.isnan(scores.values[:, i])) for i, name in enumerate(names)}
    declared = json.dumps([[m.name, m.family, m.higher_is_better, m.unit] for m in scores.metrics])
    q, m = np.nonzero(scores.reason)
    reasons = {
        "question_id": [details.question_ids[i] for i in q],
        "metric": [names[i] for i in m],
        "reason": [scores.reasons[i] for i in scores.reason[q, m]],
    }
    row, column = np.nonzero(rankings.chunk >= 0)
    hits = {
        "question_id": [details.question_ids[i] for i in row],
        "rank": (column + 1).astype(np.int32),
        "chunk": rankings.chunk[row, column],
        "score": rankings.score[row, column],
        "document_id": [spans.ids[i] for i in spans.document[row, column]],
        "start": spans.start[row, column],
        "end": spans.end[row, column],
    }
    return {
        "scores": pa.table(values).replace_schema_metadata({"metrics": declared}),
        "unscored": _encoded(reasons),
        "rankings": _encoded(hits).replace_schema_metadata({"depth": str(rankings.depth)}),
    }


def _encoded(columns: dict[str, Any]) -> pa.Table:
    held = {name: pa.array(v, pa.string()) if isinstance(v, list) else pa.array(v) for name, v in columns.items()}
    return pa.table({n: c.dictionary_encode() if c.type == pa.string() else c for n, c in held.items()})
