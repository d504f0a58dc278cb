"""Make runs of scores: means with intervals, latency, the index's loss, notes; many at a time share the resampling."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from pipelines.catalog import STAGE_NAMES
from pipelines.errors import counted
from pipelines.execution import Execution, Node, StageReport
from pipelines.index_loss import index_loss, loss_cuts
from pipelines.latency import Stopwatch
from pipelines.losses import STAGES, Fates, LossesByCut, Lost, fates, stages_at
from pipelines.pipeline import Pipeline
from pipelines.planning.plan import Plan
from pipelines.records import PADDING, Chunks, DoubleArray, Metric, Rankings, Scores
from pipelines.resampling import Interval, mean_intervals
from pipelines.runs.record import ALL_QUESTIONS, Details, Measured, Run
from pipelines.runs.spans import ranked_spans
from pipelines.runs.versions import versions
from pipelines.spending import usd_a_question

_QUANTILE_RESAMPLES = 2_000
_RESAMPLES = 10_000
_LOSS_RESAMPLES = 2_000  # The ends of a bar are looked at, not tested.


@dataclass(frozen=True)
class Evaluated:
    """A run and its per-question part."""

    run: Run
    details: Details


@dataclass(frozen=True)
class Evaluation:
    """One pipeline to be made a run of: its plan, what it is called, and what its intervals and samples are drawn with.

    `identity` tells which work the run is the result of: asked for again in a sweep, it is found by it.
    """

    plan: Plan
    split: str | None = None
    name: str | None = None
    seed: int = 0
    identity: str | None = None

    @cached_property
    def stopwatch(self) -> Stopwatch:
        """The measurement of its latency."""
        return Stopwatch.of(self.plan, self.seed)

    @cached_property
    def fates(self) -> Node[Fates]:
        """What became of the evidence."""
        return fates(self.plan)

    @cached_property
    def needs(self) -> tuple[Node[Any], ...]:
        """The nodes whose outputs the run is made of."""
        losses = [index_loss(self.plan)] if loss_cuts(self.plan) else []
        plan = self.plan
        needed: list[Node[Any]] = [
            plan.documents,
            plan.chunks,
            plan.before_rerank,
            plan.rankings,
            plan.scores,
            self.fates,
        ]
        spent: list[Node[Any]] = [spent for _, spent in plan.spendings]
        return (*needed, *losses, *spent, *self.stopwatch.parts)


@dataclass(frozen=True)
class Account:
    """What an evaluation cost: seconds in all, each stage's report, and what its user should know."""

    seconds: float
    stages: Mapping[str, StageReport]
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Numbers:
    """What was measured of a configuration: a question, and on the mean; with what became of its evidence."""

    scores: Scores
    means: Sequence[Measured]
    fates: Fates
    losses: LossesByCut


Known = dict[tuple[int, bytes], Interval]


def measured(evaluations: Sequence[Evaluation], execution: Execution, known: Known | None = None) -> list[Numbers]:
    """Return the numbers of each; the nodes that they need are got on the way.

    All must be over the same questions with the same seed: intervals then come of one resampling, and equal the bits
    that each would get alone. Columns that many configurations share are resampled once; `known` holds those of
    earlier calls.
    """
    scores = [_with_columns(execution.get(one.plan.scores), _extra_columns(one.plan, execution)) for one in evaluations]
    traced = [execution.get(one.fates) for one in evaluations]
    seed, memory = evaluations[0].seed, {} if known is None else known
    shares = [one.shares().reshape(one.n_questions, -1) for one in traced]
    own = _intervals([one.values for one in scores], _RESAMPLES, seed, memory)
    lost = _intervals(shares, _LOSS_RESAMPLES, seed, memory)
    return [
        Numbers(
            scores[i],
            [*_means(scores[i], own[i]), *_latency(one.stopwatch.milliseconds(execution), seed)],
            traced[i],
            _losses(traced[i], lost[i]),
        )
        for i, one in enumerate(evaluations)
    ]


def _losses(traced: Fates, intervals: Sequence[Interval]) -> LossesByCut:
    """Return what each stage lost at each cut, of the stages that can lose anything there."""
    table = {cut: intervals[i * len(STAGES) : (i + 1) * len(STAGES)] for i, cut in enumerate(traced.cuts)}
    return {
        cut: {
            stage: Lost(one.mean, one.low, one.high, one.n)
            for stage, one in zip(STAGES, row, strict=True)
            if stage in stages_at(cut)
        }
        for cut, row in table.items()
    }


def _intervals(tables: Sequence[DoubleArray], resamples: int, seed: int, known: Known) -> list[list[Interval]]:
    """Return the interval of every column of each table, each distinct column resampled once."""
    keys = [[(resamples, column.tobytes()) for column in table.T] for table in tables]
    new = {key: (t, c) for t, row in enumerate(keys) for c, key in enumerate(row) if key not in known}
    if new:
        columns = np.stack([tables[t][:, c] for t, c in new.values()], axis=1)
        found = mean_intervals(columns, resamples=resamples, seed=seed)
        known.update({key: found[i] for i, key in enumerate(new)})
    return [[known[key] for key in row] for row in keys]


def made_run(evaluation: Evaluation, numbers: Numbers, account: Account, execution: Execution) -> Evaluated:
    """Return the run and its per-question part."""
    work, pipeline = evaluation.plan, evaluation.plan.pipeline
    rankings, chunks = execution.get(work.rankings), execution.get(work.chunks)
    documents = execution.get(work.documents)
    ids, spans = tuple(q.id for q in work.questions), ranked_spans(rankings, chunks, documents)
    details = Details(ids, numbers.scores, rankings, spans, numbers.fates)
    run = Run(
        id=uuid.uuid4().hex[:12],
        name=evaluation.name or pipeline.label(),
        dataset_name=work.dataset.name,
        dataset_version=work.dataset.version,
        dataset_path=str(work.dataset.path.resolve()),
        split=evaluation.split or ALL_QUESTIONS,
        configuration=pipeline.fingerprint(),
        label=pipeline.label(),
        settings=pipeline.settings(),
        seed=evaluation.seed,
        n_questions=len(work.questions),
        n_documents=len(documents),
        n_chunks=len(chunks),
        seconds=account.seconds,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        versions=versions(),
        notes=(*dict.fromkeys(account.notes), *_notes(work, rankings, chunks)),
        metrics=tuple(numbers.means),
        stages=_in_order(pipeline, account.stages),
        identity=evaluation.identity,
        losses=numbers.losses,
    )
    return Evaluated(run, details)


def _extra_columns(work: Plan, execution: Execution) -> list[tuple[Metric, DoubleArray, str]]:
    """Return what is measured outside the score stage: the index's loss, and the price."""
    columns = [(Metric("usd", "usd", False, "USD"), *usd_a_question(work, execution))]
    cuts = loss_cuts(work)
    if cuts:
        values = np.asarray(execution.get(index_loss(work)), dtype=np.float64).reshape(-1, len(cuts))
        columns += [(Metric(f"ann_recall@{k}", "ann_recall", True), values[:, i], "") for i, k in enumerate(cuts)]
    return columns


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


def _means(scores: Scores, intervals: Sequence[Interval]) -> list[Measured]:
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
    resampled = np.sort(values[_draws(len(values), seed)], axis=1)
    found = []
    for share in (50, 95):
        metric = Metric(f"latency_ms_p{share}", "latency_ms", False, "ms")
        low, high = np.percentile(_quantile(resampled, share / 100), (2.5, 97.5))
        middle = float(_quantile(np.sort(values)[None], share / 100)[0])
        found.append(Measured(metric, middle, float(low), float(high), len(values), 0))
    return found


@lru_cache(maxsize=8)
def _draws(n: int, seed: int) -> npt.NDArray[np.int64]:
    """Return which of `n` values each resample holds: the same for all runs of a sweep."""
    return np.random.default_rng(seed).integers(0, n, (_QUANTILE_RESAMPLES, n))


def _quantile(ordered: DoubleArray, share: float) -> DoubleArray:
    """Interpolate linearly in each sorted row, as np.percentile does."""
    place = share * (ordered.shape[1] - 1)
    before = int(place)
    after = min(before + 1, ordered.shape[1] - 1)
    return np.asarray(ordered[:, before] + (place - before) * (ordered[:, after] - ordered[:, before]))


def _notes(work: Plan, rankings: Rankings, chunks: Chunks) -> list[str]:
    """Say where a cut-off reaches beyond what there is: such a number is right, and easily misread."""
    why = "all that the dataset is cut into" if rankings.depth >= len(chunks) else "as deep as retrieve and rerank go"
    notes = []
    beyond = [k for k in getattr(work.pipeline.score, "cutoffs", ()) if k > rankings.depth]
    if beyond:
        names = ", ".join(f"@{k}" for k in beyond)
        notes.append(
            f"Metrics {names} look at {counted(rankings.depth, 'chunk')} only, {why}; "
            f"they equal those at {rankings.depth}."
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


def _in_order(pipeline: Pipeline, reports: Mapping[str, StageReport]) -> dict[str, StageReport]:
    """Return the report of every stage that the pipeline uses, looked up or not, in the flow's order."""
    vectors = pipeline.retrieve.needs_vectors or pipeline.rerank.needs_vectors
    idle = {name for name, component in pipeline.components.items() if component.identity}
    idle |= set() if vectors else {"embed", "index"}
    used = [name for name in STAGE_NAMES if name not in idle]
    return {name: replace(reports.get(name, StageReport())) for name in (*used, "latency")}
