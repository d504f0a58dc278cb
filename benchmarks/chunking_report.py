"""Six and more pipelines over the data of Chroma's chunking report, next to the figures it published.

Usage: python -m benchmarks.chunking_report SRC [OUT.md], where SRC holds the report's questions_df.csv and texts.
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import mkdtemp

import numpy as np

from pipelines import api
from pipelines.golden.dataset import Dataset
from pipelines.pipeline import Pipeline
from pipelines.records import Evidence
from pipelines.runs.record import Run

FLOAT32 = {"use": "minilm", "precision": "float32"}
PIPELINES = {
    "fixed 250, dense": {"chunk": {"use": "fixed", "size": 250}, "embed": FLOAT32},
    "recursive 250, dense": {"chunk": {"use": "recursive", "size": 250}, "embed": FLOAT32},
    "fixed 400, dense": {"chunk": {"use": "fixed", "size": 400}, "embed": FLOAT32},
    "sentence 250, dense": {"chunk": {"use": "sentence", "size": 250, "overlap": 0.0}, "embed": FLOAT32},
    "fixed 250, dense, bfloat16": {
        "chunk": {"use": "fixed", "size": 250},
        "embed": {"use": "minilm", "precision": "bfloat16"},
    },
    "fixed 250, dense, chroma": {"chunk": {"use": "fixed", "size": 250}, "embed": FLOAT32, "index": "chroma"},
    "fixed 250, bm25": {"chunk": {"use": "fixed", "size": 250}, "retrieve": "bm25"},
    "recursive 250, hybrid": {
        "chunk": {"use": "recursive", "size": 250},
        "embed": FLOAT32,
        "retrieve": "hybrid",
    },
}
PUBLISHED = {
    "fixed 250, dense": "77.1 / 3.3 / 16.4 / 3.3",
    "recursive 250, dense": "78.5 / 5.4 / 26.7 / 5.4",
}
METRICS = ("recall@5", "precision@5", "precision_omega", "iou@5")
_HEAD = """# Chroma's chunking data, all 472 questions

Made by `python -m benchmarks.chunking_report SRC OUT.md`; nothing here is written by hand.

The data are those of Chroma's technical report *Evaluating Chunking Strategies for Retrieval* (2024): five texts as one
corpus, 472 questions with the exact spans that answer them. MiniLM, k = 5, exact search unless said otherwise;
in per cent: recall / precision / precision omega / IoU. The interval is 95 %, over questions.

| pipeline | recall@5 (95 % interval) | precision@5 | omega | IoU@5 | n | published |
| --- | --- | --- | --- | --- | --- | --- |
"""
_FOOT = """
**Why the figures differ a little.** `finance.md` repeats long passages. The report's code finds a chunk's place by
searching for its text, so a chunk of a repeated passage is counted at the *first* place where that text stands; here a
chunk is where it is. Counting the very same runs as the report does ("placed as in the report") gives the figures of
the report's own code: 78.9 / 3.8 / 18.1 / 3.8 for windows of 250 tokens, and an omega of 12.5 for windows of 400. So
the metrics agree; the placement is what differs.
"""


def main(source: Path, out: Path | None) -> None:
    """Import, evaluate, and write the table."""
    folder = Path(mkdtemp()) / "chunking-evaluation"
    api.import_golden("chroma-chunking", source, folder)
    dataset = api.open_dataset(folder)
    lines = []
    for name, settings in PIPELINES.items():
        run = api.evaluate(Pipeline.parse(settings), dataset, name=name).run
        lines.append(_line(name, run))
        if name in ("fixed 250, dense", "fixed 400, dense"):
            lines.append(_placed_line(name, run, dataset))
        print(lines[-1], flush=True)
    text = _HEAD + "\n".join(lines) + "\n" + _FOOT
    if out is not None:
        out.write_text(text, encoding="utf-8")
    else:
        print(text)


def _line(name: str, run: Run) -> str:
    found = [run.measured(metric) for metric in METRICS]
    means = [f"{100 * m.mean:.1f}" if m and m.mean is not None else "–" for m in found]
    recall = found[0]
    interval = f"{100 * recall.low:.1f} to {100 * recall.high:.1f}" if recall and recall.low and recall.high else "–"
    n = recall.n if recall else 0
    return f"| {name} | {means[0]} ({interval}) | {' | '.join(means[1:])} | {n} | {PUBLISHED.get(name, '')} |"


def _placed_line(name: str, run: Run, dataset: Dataset) -> str:
    values = np.array(_as_the_report_counts(run, dataset))
    means = " | ".join(f"{100 * mean:.1f}" for mean in values.mean(axis=0))
    return f"| … placed as in the report | {means} | {len(values)} | |"


def _as_the_report_counts(run: Run, dataset: Dataset) -> list[tuple[float, float, float, float]]:
    """Count again, on sets of characters, with every chunk at the first place where its text stands."""
    documents, kept = dataset.documents(), api.details(run.id)
    text = dict(zip(documents.ids, documents.texts, strict=True))
    chunks = Pipeline.parse(run.settings).chunk.chunk(documents)
    own = [(documents.ids[d], s, e) for d, s, e in zip(chunks.document, chunks.start, chunks.end, strict=True)]
    everything = [_placed(text[d], d, s, e) for d, s, e in own]
    rows = []
    for q, question in enumerate(dataset.resolved()):
        gold = {(e.document_id, i) for e in question.evidence for i in range(e.start or 0, e.end or 0)}
        found = [_placed(text[d], d, s, e) for d, s, e in kept.spans.of(q)[:5]]
        rows.append(_scored(gold, found, _touching(everything, question.evidence)))
    return rows


def _placed(text: str, document: str, start: int, end: int) -> tuple[str, int, int]:
    piece = text[start:end].removesuffix(".")
    first = text.find(piece)
    return document, first, first + len(piece)


def _touching(chunks: list[tuple[str, int, int]], evidence: tuple[Evidence, ...]) -> list[tuple[str, int, int]]:
    return [
        (d, s, e)
        for d, s, e in chunks
        if any(d == item.document_id and s <= (item.end or 0) and (item.start or 0) <= e for item in evidence)
    ]


def _scored(
    gold: set[tuple[str, int]], found: list[tuple[str, int, int]], touching: list[tuple[str, int, int]]
) -> tuple[float, float, float, float]:
    covered, ideal = _characters(found), _characters(touching)
    hit, length = len(gold & covered), sum(end - start for _, start, end in found)
    return hit / len(gold), hit / length, len(gold & ideal) / len(ideal | gold), hit / (length + len(gold - covered))


def _characters(spans: list[tuple[str, int, int]]) -> set[tuple[str, int]]:
    return {(document, i) for document, start, end in spans for i in range(start, end)}


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
