"""Evaluate one pipeline on one dataset: plan, execute, score, measure; the one way that a run comes about."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np

from pipelines.cache import Cache
from pipelines.catalog import STAGE_NAMES
from pipelines.execution import Execution, StageReport, Watch, unwatched
from pipelines.golden.dataset import Dataset
from pipelines.live import index_loss, latencies
from pipelines.pipeline import Pipeline
from pipelines.plan import Plan, plan
from pipelines.records import PADDING, Chunks, DoubleArray, Metric, Rankings, Scores
from pipelines.resampling import mean_intervals
from pipelines.runs.record import ALL_QUESTIONS, Details, Measured, Run
from pipelines.runs.spans import ranked_spans
from pipelines.runs.versions import versions

_LOSS_AT = (1, 5, 10)
_QUANTILE_RESAMPLES = 2_000
_FREE = "no endpoint with a price was called"


@dataclass(frozen=True)
class Evaluated:
    """A run and its per-question part."""

    run: Run
    details: Details


def evaluate(
    pipeline: Pipeline,
    dataset: Dataset,
    cache: Cache,
    *,
    split: str | None = None,
    name: str | None = None,
    seed: int = 0,
    watch: Watch = unwatched,
) -> Evaluated:
    """Evaluate `pipeline` on the questions of `split` (None: all), computing only what the cache lacks.

    Raises:
        WorkbenchError: for what the user can mend, before or while it is computed; finished stages are kept.
    """
    started = time.perf_counter()
    work = plan(pipeline, dataset, dataset.select(split))
    execution = Execution(cache, watch)
    scores, timing = execution.get(work.scores), execution.get(latencies(work, seed))
    scores = _with_columns(scores, _extra_columns(work, execution))
    measured = (*_means(scores, seed), *_latency(timing, seed))
    rankings, chunks, documents = (
        execution.get(work.rankings),
        execution.get(work.chunks),
        execution.get(work.documents),
    )
    execution.account_for(work.scores)
    execution.account_for(latencies(work, seed))
    details = Details(tuple(q.id for q in work.questions), scores, rankings, ranked_spans(rankings, chunks, documents))
    run = Run(
        id=uuid.uuid4().hex[:12],
        name=name or pipeline.label(),
        dataset_name=dataset.name,
        dataset_version=dataset.version,
        dataset_path=str(dataset.path.resolve()),
        split=split or ALL_QUESTIONS,
        configuration=pipeline.fingerprint(),
        label=pipeline.label(),
        settings=pipeline.settings(),
        seed=seed,
        n_questions=len(work.questions),
        n_documents=len(documents),
        n_chunks=len(chunks),
        seconds=time.perf_counter() - started,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        versions=versions(),
        notes=(*dict.fromkeys(execution.notes), *_notes(work, rankings, chunks)),
        metrics=measured,
        stages=_in_order(pipeline, execution),
    )
    return Evaluated(run, details)


def _extra_columns(work: Plan, execution: Execution) -> list[tuple[Metric, DoubleArray, str]]:
    """Return what is measured outside the score stage: the index's loss, and the price."""
    nothing = np.full(len(work.questions), np.nan)
    columns = [(Metric("usd", "usd", False, "USD"), nothing, _FREE)]
    for depth, k in _asked_of_index(work.pipeline):
        values = np.asarray(execution.get(index_loss(work, depth, k)), dtype=np.float64)
        columns.append((Metric(f"ann_recall@{k}", "ann_recall", True), values, ""))
    return columns


def _asked_of_index(pipeline: Pipeline) -> list[tuple[int, int]]:
    """Return how many chunks an approximate index is asked for, with each k at which its loss is told."""
    depths = [] if pipeline.index.exact else [leaf.depth for leaf in pipeline.retrieve.leaves() if leaf.needs_vectors]
    return [(depths[0], k) for k in _LOSS_AT if k <= depths[0]] if depths else []


def _with_columns(scores: Scores, columns: Sequence[tuple[Metric, DoubleArray, str]]) -> Scores:
    for metric, values, why in columns:
        number = len(scores.reasons) if why else 0
        reason = np.where(np.isnan(values), number, 0).astype(np.int16)
        scores = Scores(
            (*scores.metrics, metric),
            np.column_stack([scores.values, values]),
            np.column_stack([scores.reason, reason]),
            (*scores.reasons, why) if why else scores.reasons,
        )
    return scores


def _means(scores: Scores, seed: int) -> list[Measured]:
    intervals = mean_intervals(scores.values, seed=seed)
    found = []
    for i, metric in enumerate(scores.metrics):
        one = intervals[i]
        reason = _commonest_reason(scores, i) if one.unscored else None
        found.append(Measured(metric, one.mean, one.low, one.high, one.n, one.unscored, reason))
    return found


def _commonest_reason(scores: Scores, column: int) -> str:
    counts = np.bincount(scores.reason[:, column], minlength=len(scores.reasons))[1:]
    return scores.reasons[int(counts.argmax()) + 1]


def _latency(milliseconds: Sequence[float], seed: int) -> list[Measured]:
    values = np.asarray(milliseconds)
    draws = np.random.default_rng(seed).integers(0, len(values), (_QUANTILE_RESAMPLES, len(values)))
    found = []
    for share in (50, 95):
        metric = Metric(f"latency_ms_p{share}", "latency_ms", False, "ms")
        low, high = np.percentile(np.percentile(values[draws], share, axis=1), (2.5, 97.5))
        found.append(Measured(metric, float(np.percentile(values, share)), float(low), float(high), len(values), 0))
    return found


def _notes(work: Plan, rankings: Rankings, chunks: Chunks) -> list[str]:
    """Say where a cut-off reaches beyond what there is: such a number is right, and easily misread."""
    why = "all that the dataset is cut into" if rankings.depth >= len(chunks) else "as deep as retrieve and rerank go"
    notes = []
    beyond = [k for k in getattr(work.pipeline.score, "cutoffs", ()) if k > rankings.depth]
    if beyond:
        names = ", ".join(f"@{k}" for k in beyond)
        notes.append(
            f"Metrics {names} look at {rankings.depth} chunks only, {why}; they equal those at {rankings.depth}."
        )
    handed_on = (
        np.where(rankings.chunk == PADDING, 0, chunks.tokens[rankings.chunk]).sum(axis=1) if len(chunks) else [0]
    )
    unfilled = [b for b in getattr(work.pipeline.score, "budgets_tokens", ()) if b > np.max(handed_on)]
    if unfilled:
        names = ", ".join(f"@{budget}tok" for budget in unfilled)
        notes.append(
            f"Metrics {names} are never filled: the chunks that are handed on hold at most {np.max(handed_on)} tokens."
        )
    return notes


def _in_order(pipeline: Pipeline, execution: Execution) -> dict[str, StageReport]:
    """Return the report of every stage that the pipeline uses, looked up or not, in the flow's order."""
    vectors = pipeline.retrieve.needs_vectors or pipeline.rerank.needs_vectors
    idle = {name for name, component in pipeline.components.items() if component.identity}
    idle |= set() if vectors else {"embed", "index"}
    used = [name for name in STAGE_NAMES if name not in idle]
    return {name: replace(execution.report(name)) for name in (*used, "latency")}
