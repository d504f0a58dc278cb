"""What is kept of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipelines.execution import StageReport
from pipelines.losses import Fates, LossesByCut
from pipelines.records import PADDING, IntArray, Metric, Rankings, Scores

ALL_QUESTIONS = "all"


@dataclass(frozen=True)
class Measured:
    """A metric's mean over the `n` scored questions with its 95 % interval; None, with a reason, for want of one."""

    metric: Metric
    mean: float | None
    low: float | None
    high: float | None
    n: int
    unscored: int
    reason: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the form that `--json` prints."""
        numbers = {"mean": self.mean, "low": self.low, "high": self.high, "n": self.n, "unscored": self.unscored}
        return numbers if self.reason is None else {**numbers, "reason": self.reason}


@dataclass(frozen=True)
class Versions:
    """What the numbers depend on besides data and configuration."""

    code: str
    libraries: Mapping[str, str]
    machine: str


@dataclass(frozen=True)
class Run:
    """One pipeline evaluated on one dataset version. `split` is "all" where every question was evaluated.

    `losses` is None for a run that was made before losses were measured.
    """

    id: str
    name: str
    dataset_name: str
    dataset_version: str
    dataset_path: str
    split: str
    configuration: str
    label: str
    settings: Mapping[str, Any]
    seed: int
    n_questions: int
    n_documents: int
    n_chunks: int
    seconds: float
    created: str
    versions: Versions
    notes: tuple[str, ...]
    metrics: tuple[Measured, ...]
    stages: Mapping[str, StageReport]
    identity: str | None = None
    losses: LossesByCut | None = None

    def measured(self, name: str) -> Measured | None:
        """Return a metric by name, None where it was not measured."""
        return next((m for m in self.metrics if m.metric.name == name), None)

    def to_dict(self) -> dict[str, Any]:
        """Return the form that `--json` prints."""
        return {
            "run": self.id,
            "name": self.name,
            "dataset": {"name": self.dataset_name, "version": self.dataset_version},
            "split": self.split,
            "pipeline": dict(self.settings),
            "metrics": {m.metric.name: m.to_dict() for m in self.metrics},
            "losses": self._losses(),
            "seconds": {name: report.seconds for name, report in self.stages.items()},
            "seconds_computed": {name: report.seconds_computed for name, report in self.stages.items()},
            "cache": {name: report.found for name, report in self.stages.items()},
            "seed": self.seed,
            "n": {"questions": self.n_questions, "documents": self.n_documents, "chunks": self.n_chunks},
            "versions": {
                "code": self.versions.code,
                "libraries": dict(self.versions.libraries),
                "machine": self.versions.machine,
            },
            "notes": list(self.notes),
            "created": self.created,
        }

    def _losses(self) -> dict[str, dict[str, dict[str, Any]]] | None:
        if self.losses is None:
            return None
        return {cut: {stage: lost.to_dict() for stage, lost in row.items()} for cut, row in self.losses.items()}


@dataclass(frozen=True)
class Details:
    """The per-question part of a run, which lies in a Parquet file beside the store.

    Row q of `scores`, `rankings` and `spans` is `question_ids[q]`; column r holds rank r + 1. `fates` says what became
    of the evidence, None for a run that was made before that was measured.
    """

    question_ids: tuple[str, ...]
    scores: Scores
    rankings: Rankings
    spans: Spans
    fates: Fates | None = None


@dataclass(frozen=True, eq=False)
class Spans:
    """Where each ranked chunk lies: `ids[document[q, r]]`, from character `start[q, r]` to `end[q, r]`.

    The arrays are int32 [n_questions, depth], -1 where a row is shorter. `ids` may name more documents than are ranked.
    """

    ids: tuple[str, ...]
    document: IntArray
    start: IntArray
    end: IntArray

    def of(self, question: int) -> list[tuple[str, int, int]]:
        """Return document id, start and end of the ranked chunks of one question, in order of rank."""
        places = np.stack([self.document[question], self.start[question], self.end[question]], axis=1).tolist()
        return [(self.ids[document], start, end) for document, start, end in places if document != PADDING]
