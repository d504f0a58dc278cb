"""How long a change takes on the what-if page: retrieval, scoring and intervals of 500 questions over 15,000 chunks."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zlib import crc32

import numpy as np

from pipelines import api
from pipelines.cache import Cache
from pipelines.execution import Execution
from pipelines.golden.dataset import Dataset
from pipelines.pipeline import Pipeline
from pipelines.planning.plan import plan
from pipelines.progress import Keep, Progress, nothing, silent
from pipelines.settings import REPOSITORY
from pipelines.stages.embed import Embedded, Embedder
from pipelines.whatif import Origin, WhatIf

MERIDIAN = REPOSITORY / "datasets" / "meridian"
COPIES, N_QUESTIONS, DEPTH = 18, 500, 100
METRICS = ("recall@5", "precision@5", "iou@5", "hit@5", "mrr@5", "ndcg@5", "doc_recall@5", "context_tokens@5")
BASE: dict[str, Any] = {
    "chunk": {"use": "fixed", "size": 64},
    "embed": "benchmark-words",
    "retrieve": {"use": "hybrid", "depth": DEPTH, "pool": DEPTH},
}
MMR: dict[str, Any] = {"use": "mmr", "depth": DEPTH}
Settings = dict[str, Any]


class WordsEmbedder(Embedder, name="benchmark-words", version=1):
    """Stand in for a model: the sum of a random vector a word. What is timed begins behind the vectors."""

    def embed_documents(
        self, texts: Sequence[str], progress: Progress = silent, *, fitted: Path | None = None, keep: Keep = nothing
    ) -> Embedded:
        """Return one vector a text."""
        table = np.random.default_rng(0).normal(size=(4096, 384)).astype(np.float32)
        rows = [[crc32(word.encode()) % 4096 for word in text.lower().split()] or [0] for text in texts]
        vectors = np.stack([table[row].sum(axis=0) for row in rows])
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        keep(np.arange(len(texts)), np.pad(vectors, ((0, 0), (0, 2)), constant_values=1))
        return Embedded(vectors)


def main() -> dict[str, float]:
    """Time each change, best of some; print and return milliseconds."""
    with TemporaryDirectory() as folder:
        dataset = api.open_dataset(_written(Path(folder) / "repeated"))
        cache = Cache(Path(folder) / "cache")
        figures = _figures(dataset, cache, BASE, _changes())
        behind = _figures(dataset, cache, {**BASE, "rerank": MMR}, _mmr_changes())
    figures |= {f"mmr_{name}": value for name, value in behind.items()}
    for name, value in figures.items():
        print(f"{name:32} {value:10.0f}")
    return figures


def _figures(dataset: Dataset, cache: Cache, base: Settings, changes: dict[str, list[Settings]]) -> dict[str, float]:
    pipeline = Pipeline.parse(base)
    Execution(cache).get(plan(pipeline, dataset, dataset.select()).scores)
    opened_ms, session = _timed(lambda: WhatIf.open(Origin(pipeline, dataset), cache))
    session.evaluate(pipeline, METRICS)
    return {"open_ms": opened_ms, **{f"{n}_ms": min(_answered(session, one) for one in c) for n, c in changes.items()}}


def _changes() -> dict[str, list[Settings]]:
    """Return settings that were not tried before: what was is looked up and takes no time."""
    fourth = range(4)
    weighted = {"fusion": "weighted"}
    years = [{"use": "where", "where": {"year": {"$gte": 2021 + i}}} for i in fourth]
    return {
        "k": [{**BASE, "score": {"cutoffs": [1, 5, 11 + i]}} for i in fourth],
        "alpha": [_retrieve(alpha=0.3 + 0.1 * i) for i in (-1, 0, 1, 3)],
        "rrf_k": [_retrieve(rrf_k=10 + i) for i in fourth],
        "weighted_fusion": [_retrieve(**weighted, alpha=0.25 + 0.1 * i) for i in fourth],
        "normalisation": [_retrieve(**weighted, normalisation=how) for how in ("max", "z-score", "none")],
        "min_score": [_retrieve(min_score=0.015 + 0.001 * i) for i in fourth],
        "less_depth": [_retrieve(depth=20 + 10 * i, pool=20 + 10 * i) for i in fourth],
        "more_depth": [_retrieve(depth=n, pool=n) for n in (150, 301, 603)],
        "filter": [{**BASE, "filter": one} for one in years],
        "mmr_added": [{**BASE, "rerank": {**MMR, "depth": DEPTH - i}} for i in fourth],
    }


def _mmr_changes() -> dict[str, list[Settings]]:
    mmr = {**BASE, "rerank": MMR}
    return {
        "lambda": [{**BASE, "rerank": {**MMR, "lambda_mult": 0.3 + 0.1 * i}} for i in range(4)],
        "alpha": [{**mmr, **_retrieve(alpha=0.3 + 0.1 * i), "rerank": MMR} for i in (-1, 0, 1, 3)],
        "depth": [{**BASE, "rerank": {**MMR, "depth": 40 + 10 * i}} for i in range(4)],
    }


def _retrieve(**knobs: Any) -> Settings:
    return {**BASE, "retrieve": {**BASE["retrieve"], **knobs}}


def _answered(session: WhatIf, settings: Settings) -> float:
    pipeline = Pipeline.parse(settings)
    return _timed(lambda: session.evaluate(pipeline, METRICS).changed("recall@5"))[0]


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    started = time.perf_counter()
    found = work()
    return 1000 * (time.perf_counter() - started), found


def _written(folder: Path) -> Path:
    """Write meridian with its documents many times over, all but the first with shuffled sentences and words."""
    folder.mkdir()
    (folder / "dataset.yaml").write_text("name: repeated\n", encoding="utf-8")
    for name, rows in (("documents.jsonl", _documents()), ("questions.jsonl", _questions())):
        (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return folder


def _rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (MERIDIAN / name).read_text(encoding="utf-8").splitlines()]


def _documents() -> Iterator[dict[str, Any]]:
    draw, rows = random.Random(7), _rows("documents.jsonl")  # noqa: S311
    yield from rows
    for copy in range(1, COPIES):
        for row in rows:
            sentences = row["text"].split(". ")
            draw.shuffle(sentences)
            words = ". ".join(sentences).split(" ")
            text = " ".join(word if draw.random() > 0.15 else draw.choice(words) for word in words)
            yield {**row, "id": f"{row['id']}~{copy}", "text": text}


def _questions() -> Iterator[dict[str, Any]]:
    rows, prefixes = _rows("questions.jsonl"), ("", "Please tell me: ", "I wonder, ")
    for i in range(N_QUESTIONS):
        row, again = rows[i % len(rows)], i // len(rows)
        yield {**row, "id": f"{row['id']}~{again}", "text": prefixes[again] + row["text"]}


if __name__ == "__main__":
    main()
