"""What a run costs the first time, and what a change costs after it: only the stages that it touches."""

from __future__ import annotations

import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pipelines import api
from pipelines.cache import Cache
from pipelines.pipeline import Pipeline
from pipelines.runs.evaluate import evaluate

BASE: dict[str, Any] = {"chunk": {"use": "recursive", "size": 256}, "retrieve": {"use": "hybrid"}}
CHANGES: dict[str, dict[str, Any]] = {
    "nothing changed": BASE,
    "another fusion": {**BASE, "retrieve": {"use": "hybrid", "fusion": "weighted"}},
    "mmr added": {**BASE, "rerank": {"use": "mmr"}},
    "other cut-offs": {**BASE, "score": {"cutoffs": [1, 2, 4, 8]}},
}


def main() -> dict[str, float]:
    """Time a first run on the bundled dataset with an empty store, then each change; print and return the ratios."""
    dataset = api.open_dataset("meridian")
    with TemporaryDirectory() as folder:
        cache = Cache(Path(folder))
        evaluate(Pipeline.parse({"chunk": {"use": "fixed", "size": 2048}}), dataset, Cache(Path(folder) / "warm-up"))
        first = _seconds(BASE, dataset, cache)
        figures = {"first_s": first}
        for name, settings in CHANGES.items():
            figures[f"first_over_{name.replace(' ', '_')}"] = first / _seconds(settings, dataset, cache)
    for name, value in figures.items():
        print(f"{name:32} {value:10.2f}")
    return figures


def _seconds(settings: dict[str, Any], dataset: Any, cache: Cache) -> float:
    started = time.perf_counter()
    evaluate(Pipeline.parse(settings), dataset, cache)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
