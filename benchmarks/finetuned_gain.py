"""What finetuning gains on questions that it has not seen, on the texts and questions of Chroma's chunking report.

Usage: python -m benchmarks.finetuned_gain SRC [question | dev | document], where SRC holds the report's texts and its
questions_df.csv. Chunks are 800 characters one after the other; a chunk is an answer where it touches evidence.

`question`: 172 questions drawn with seed 0 are held out, the others trained on, for three epochs. `dev`: 60 of the
others decide where to stop, and are not trained on. `document`: the questions on two of the five texts are held out.
It prints, of the held-out questions, the share with an answer among the first five, the share of answers among the
first five, and the mean reciprocal rank; and differences to the base, paired, with 95 % bootstrap intervals.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import psutil

from pipelines import api
from pipelines.cache import Cache
from pipelines.execution import Execution
from pipelines.pipeline import Pipeline
from pipelines.planning.plan import Plan, plan
from pipelines.records import DoubleArray
from pipelines.settings import cache_folder
from pipelines.stages.chunk import Span, TextChunker

N_TEST, N_DEV, CHARS, DEPTH = 172, 60, 800, 100
UNSEEN = ("finance", "chatlogs")
EMBEDDERS: tuple[dict[str, Any], ...] = (
    {"use": "minilm"},
    {"use": "finetuned", "method": "adapter"},
    {"use": "finetuned", "method": "full"},
)


class CharactersChunker(TextChunker, name="characters", version=1):
    """Cut every 800 characters."""

    def spans(self, text: str) -> Iterable[Span]:
        """Return the spans."""
        return [(start, min(start + CHARS, len(text))) for start in range(0, len(text), CHARS)]


def main(source: Path, how: str = "question") -> None:
    """Print a line an embedder."""
    with TemporaryDirectory() as temporary:
        folder = Path(temporary) / "dataset"
        api.import_golden("chroma-chunking", source, folder)
        _deal(folder, how)
        dataset = api.open_dataset(folder)
        before: DoubleArray | None = None
        for embed in EMBEDDERS:
            stop = {"patience": 2 if how == "dev" else 0} if embed.get("method") == "full" else {}
            settings = {"chunk": {"use": "characters"}, "embed": {**embed, **stop}, "retrieve": {"depth": DEPTH}}
            work, run = (
                plan(Pipeline.parse(settings), dataset, dataset.select("test")),
                Execution(Cache(cache_folder())),
            )
            started = time.perf_counter()
            if work.trained is not None:
                run.get(work.trained)
            seconds = time.perf_counter() - started
            found = _measured(work, run)
            before = found if before is None else before
            held = psutil.Process().memory_info().rss / 2**30
            name = embed.get("method", "base")
            print(f"{name}: {_told(found, before)}; trained in {seconds:.0f} s, {held:.1f} GiB held", flush=True)


def _deal(folder: Path, how: str) -> None:
    path = folder / "questions.jsonl"
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    order = np.random.RandomState(0).permutation(len(rows))
    of = [row["evidence"][0]["document_id"] for row in rows]
    test = {i for i in order if any(name in of[i] for name in UNSEEN)} if how == "document" else set(order[:N_TEST])
    dev = {i for i in order[-N_DEV:] if i not in test} if how == "dev" else set()
    for i, row in enumerate(rows):
        row["split"] = "test" if i in test else "dev" if i in dev else "train"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def _measured(work: Plan, run: Execution) -> DoubleArray:
    """Return hit@5, recall@5 by chunk and the reciprocal rank of every question, [3, n_questions]."""
    ranked, gold, chunks = run.get(work.rankings).chunk, run.get(work.gold), run.get(work.chunks)
    found = np.zeros((3, gold.n_questions))
    for row in range(gold.n_questions):
        answers: set[int] = set()
        for i in np.flatnonzero(gold.question == row):
            touched = (
                (chunks.document == gold.document[i]) & (chunks.start < gold.end[i]) & (chunks.end > gold.start[i])
            )
            answers |= set(np.flatnonzero(touched).tolist())
        hits = np.isin(ranked[row], list(answers))
        rank = int(hits.argmax()) + 1
        found[:, row] = hits[:5].any(), hits[:5].sum() / len(answers), 1 / rank if hits.any() else 0.0
    return found


def _told(found: DoubleArray, before: DoubleArray) -> str:
    n = found.shape[1]
    draws = np.random.default_rng(0).integers(0, n, (10_000, n))
    parts = []
    for name, own, base in zip(("hit@5", "recall@5", "mrr"), found, before, strict=True):
        gain = own - base
        low, high = np.percentile(gain[draws].mean(axis=1), (2.5, 97.5))
        shown = "" if found is before else f" ({gain.mean():+.3f}, {low:+.3f} to {high:+.3f})"
        parts.append(f"{name} {own.mean():.3f}{shown}")
    return f"{', '.join(parts)}, n {n}"


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:3])
