"""Per-question values of some metrics of a run, read without the rest."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.errors import NotFoundError
from pipelines.records import DoubleArray
from pipelines.runs.details_before import SCORES


def read_values(path: Path, metrics: Sequence[str]) -> tuple[tuple[str, ...], dict[str, DoubleArray]]:
    """Return the question ids, and of each metric that the run has its values, float64 [n_questions], NaN if unscored.

    `path` is the file of the run; where there is none, runs of before have a folder of the same name.

    Raises:
        NotFoundError: when it is gone or cannot be read.
    """
    file = path if path.exists() else path.with_suffix("") / SCORES
    try:
        with pq.ParquetFile(file) as opened:
            held = set(opened.schema_arrow.names)
            wanted = [name for name in metrics if name in held]
            table = opened.read(columns=["question_id", *wanted])
        values = {name: table[name].to_numpy().astype(np.float64) for name in wanted}
        return tuple(table["question_id"].to_pylist()), values
    except (OSError, pa.ArrowException, KeyError, ValueError) as error:
        raise NotFoundError(
            f"The per-question results in {path} are missing or damaged; evaluate the run again to see them."
        ) from error
