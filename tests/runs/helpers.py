"""Pipelines that cost little, records made by hand, and processes that do one thing."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from pipelines.execution import StageReport
from pipelines.losses import Fates
from pipelines.pipeline import Pipeline
from pipelines.records import Metric, Rankings, Scores
from pipelines.runs.record import Details, Measured, Run, Spans, Versions

REPOSITORY = Path(__file__).parents[2]


def words(**stages: Any) -> Pipeline:
    """A pipeline without a model: BM25 over windows of 16 tokens."""
    return Pipeline.parse({"chunk": {"use": "fixed", "size": 16}, "retrieve": {"use": "bm25"}, **stages})


def vectors(**stages: Any) -> Pipeline:
    """A pipeline with the small model on the CPU, in full precision."""
    embed = {"use": "minilm", "precision": "float32", "device": "cpu"}
    chunk = {"use": "fixed", "size": 16}
    return Pipeline.parse({"chunk": chunk, "embed": embed, "retrieve": {"use": "dense"}, **stages})


METRICS = (Metric("recall@5", "recall", True), Metric("latency_ms_p50", "latency_ms", False, "ms"))


def record(run_id: str = "a" * 12, name: str = "first", mean: float | None = 1 / 3, **changes: Any) -> Run:
    """A run record with every field set."""
    values: dict[str, Any] = {
        "id": run_id,
        "name": name,
        "dataset_name": "towns",
        "dataset_version": "d" * 32,
        "dataset_path": "/data/towns",
        "split": "test",
        "configuration": "c" * 32,
        "label": "fixed 16 · bm25",
        "settings": {"chunk": {"use": "fixed", "size": 16}},
        "seed": 7,
        "n_questions": 2,
        "n_documents": 3,
        "n_chunks": 4,
        "seconds": 0.1 + 0.2,
        "created": "2026-01-02T03:04:05+00:00",
        "versions": Versions("0.1.0+abc", {"numpy": "2.0", "python": "3.11"}, "a processor, 2 cores"),
        "notes": ("A note.", "Another: =1+1"),
        "metrics": (
            Measured(METRICS[0], mean, 0.1, 0.7, 2, 1, "unanswerable: no evidence"),
            Measured(METRICS[1], 1e-300, None, None, 2, 0),
        ),
        "stages": {"chunk": StageReport(0.25, 1.5, "miss"), "score": StageReport(1e-9, 2.0, "hit")},
    }
    return Run(**{**values, **changes})


def details() -> Details:
    """Three questions: one with three hits, one with one, one with none; a value that is missing, with its reason."""
    nan = float("nan")
    values = np.asarray([[1 / 3, 0.1], [nan, 0.2], [0.0, nan]])
    reason = np.asarray([[0, 0], [1, 0], [0, 2]], dtype=np.int16)
    scores = Scores(METRICS, values, reason, ("", "unanswerable: no evidence", "was not measured"))
    chunk = np.asarray([[5, 2, 9], [3, -1, -1], [-1, -1, -1]], dtype=np.int32)
    score = np.asarray([[0.9, 0.5, -0.25], [1 / 3, 0, 0], [0, 0, 0]], dtype=np.float32)
    places = (
        [[0, 1, 0], [3, -1, -1], [-1] * 3],
        [[0, 5, 10], [7, -1, -1], [-1] * 3],
        [[5, 9, 12], [8, -1, -1], [-1] * 3],
    )
    spans = Spans(("a", "b", "never ranked", "ä/../=x"), *(np.asarray(rows, dtype=np.int32) for rows in places))
    return Details(("q1", "q2", "=q3"), scores, Rankings(chunk, score), spans)


def details_with_fates() -> Details:
    """The same, with what became of the evidence: parts lost by several stages, and a question without any."""
    table = np.asarray([[0, 0, 3, 9, 2, 1, 5, 0, 9], [0, 1, 2, 4, 0, 0, -1, -1, -1], [2, 0, 0, 7, 4, 0, 3, 7, 8]])
    stage = np.asarray([[5, 0], [1, 1], [3, 7]], dtype=np.int8)
    fates = Fates(("recall@5", "recall@2000tok"), 3, *table.astype(np.int32).T.copy(), stage=stage)
    return replace(details(), fates=fates)


def places(one: Details) -> list[list[tuple[str, int, int]]]:
    """Where each ranked chunk lies, by question and rank."""
    return [one.spans.of(q) for q in range(len(one.question_ids))]


def python(script: str, *args: str) -> subprocess.Popen[str]:
    """Start a Python process of its own on a script; it inherits the home folder."""
    command = [sys.executable, "-c", script, *args]
    return subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def outputs(processes: list[subprocess.Popen[str]], timeout_s: float = 60) -> list[str]:
    """Wait for processes and return what they printed; none may fail."""
    found = []
    for process in processes:
        out, err = process.communicate(timeout=timeout_s)
        assert process.returncode == 0, err
        found.append(out.strip())
    return found
