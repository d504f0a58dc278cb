"""An opened run: changes are evaluated from what it holds in memory and what the store has."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np

from pipelines.cache import Cache
from pipelines.catalog import STAGE_NAMES
from pipelines.compare.comparison import RunScores, compare
from pipelines.component import Component
from pipelines.execution import Node
from pipelines.held import HeldExecution
from pipelines.pipeline import Pipeline
from pipelines.planning.asking import Asking
from pipelines.planning.plan import Plan
from pipelines.records import PADDING, Metric
from pipelines.resampling.grid import column_means
from pipelines.runs.record import Run
from pipelines.stages.rerank import PairReranker
from pipelines.stages.rerank.judged import ChatReranker
from pipelines.stages.rerank.mmr import Cosines
from pipelines.whatif.answer import Answer, CostlyChange, Origin, OutputsGone

RESAMPLES = 2_000
FIXED = ("load", "chunk", "extract", "embed", "index", "transform", "generate")
"""Stages in which nothing can be changed here: what comes behind them would have to be computed anew."""
_COSTLY = ("load", "chunk", "extract", "embed", "index", "transform")


@runtime_checkable
class _Remembers(Protocol):
    """A reranker that can look up, for another lambda, what it worked out before."""

    def remembering(self, cosines: Cosines) -> Component: ...


class WhatIf:
    """An opened run: what a change does not touch is held in memory; what it does touch, for the latest changes only.

    The store is read, never written to. One evaluation at a time: threads wait for one another.
    """

    def __init__(self, origin: Origin, cache: Cache) -> None:
        self.origin = origin
        self.questions = origin.dataset.select(origin.split)
        self._asking = Asking(self.questions)
        self._execution = HeldExecution(cache, keep=False, refuse=self._refuse_scoring)
        self._reads_pairs = False
        self._cosines = Cosines()
        self._deepest: dict[str, int] = {}
        self._lock = threading.Lock()

    @classmethod
    def open(cls, source: Run | Origin, cache: Cache) -> WhatIf:
        """Read all that a change does not touch.

        Raises:
            NotFoundError: when the dataset is gone or was changed; `OutputsGone` when the store lacks what it needs.
        """
        opened = cls(source if isinstance(source, Origin) else Origin.of(source), cache)
        plan = opened._plan(opened.origin.pipeline)
        opened._refuse_gone(opened._missing(plan))
        opened._reads_pairs = isinstance(plan.pipeline.rerank, PairReranker | ChatReranker)
        try:
            opened._execution.hold(plan.scores)
        except CostlyChange:
            opened._refuse_gone(["rerank"])
        return opened

    def _refuse_gone(self, missing: Sequence[str]) -> None:
        if missing:
            raise OutputsGone(
                f"The outputs of {self.origin.name} are not in the store any more ({', '.join(missing)} would have "
                "to run); run it again, and its settings can be changed here."
            )

    def evaluate(
        self, pipeline: Pipeline, metrics: Sequence[str] | None = None, resamples: int = RESAMPLES, seed: int = 0
    ) -> Answer:
        """Evaluate `pipeline` on every question and compare it with the origin, scored as `pipeline` is.

        Raises:
            CostlyChange: when it would need what is neither in memory nor in the store, such as another embedding.
            WorkbenchError: for settings that fit no document, such as a filter on a field that there is not.
        """
        with self._lock:
            started = time.perf_counter()
            now = self._plan(pipeline)
            self._refuse_costly(now)
            was = self._plan(_scored_as(self.origin.pipeline, pipeline))
            pair = self._scores(was, "as it was"), self._scores(now, "now")
            notes = (*self._empty(now, was), *self._otherwise(pair[0]))
            self._execution.trim()
        comparison = compare(pair[0], [pair[1]], metrics, resamples, seed)
        return Answer(pipeline, *pair, comparison, notes, time.perf_counter() - started)

    def _plan(self, pipeline: Pipeline) -> Plan:
        """Plan it with the searchers asked at the greatest depth so far, of which others are cut."""
        rerank = pipeline.rerank
        if isinstance(rerank, _Remembers):
            pipeline = Pipeline({**pipeline.components, "rerank": rerank.remembering(self._cosines)})
        plan = Plan(pipeline, self.origin.dataset, self._asking)
        for key, depth in (asked for leaf in pipeline.retrieve.leaves() for asked in plan.depths(leaf)):
            before = self._deepest.get(key, 0)
            if depth > before:
                # Twice as deep as before at least: of a depth that is pushed up bit by bit, few are searched.
                self._deepest[key] = max(depth, 2 * before)
        return Plan(pipeline, self.origin.dataset, self._asking, dict(self._deepest))

    def _missing(self, plan: Plan) -> list[str]:
        """Return the costly stages, in their order, of which an output is neither in memory nor in the store."""
        missing = {node.stage for node in plan.scores.upstream() if node.stage in _COSTLY and not self._there(node)}
        return [name for name in STAGE_NAMES if name in missing]

    def _there(self, node: Node[Any]) -> bool:
        return node.codec is None or node in self._execution or self._execution.cache.has(node.stage, node.key)

    def _refuse_costly(self, plan: Plan) -> None:
        own, wanted = self.origin.pipeline.components, plan.pipeline.components
        changed = [name for name in FIXED if own[name].settings() != wanted[name].settings()]
        if changed:
            behind = ", ".join(_behind(changed[0], plan.pipeline))
            raise CostlyChange(
                f"Another {changed[0]} stage than that of {self.origin.name} cannot be tried on the spot: "
                f"{behind} would have to run; run it as a job, or go back to the run's settings."
            )
        missing = self._missing(plan)
        if missing and plan.trained_reranker is not None and not self._there(plan.trained_reranker):
            self._refuse_scoring("train")
        if missing:
            raise CostlyChange(
                f"This change needs what was never computed for these documents and questions: "
                f"{', '.join(missing)} would have to run; run it as a job, or go back to the run's settings."
            )

    def _refuse_scoring(self, stage: str) -> None:
        """Refuse a model that reads pairs of texts: its progress is asked for only where some were never scored.

        A training is refused too: it asks for its progress before it begins.
        """
        if stage == "train":
            raise CostlyChange(
                "This change needs a model that was not trained yet on these questions and chunks; run it as a job, "
                "or go back to the run's settings."
            )
        if stage == "rerank" and self._reads_pairs:
            raise CostlyChange(
                "This change brings up pairs of question and chunk that were never scored: rerank would have to run; "
                "run it as a job, or go back to the run's settings."
            )

    def _scores(self, plan: Plan, name: str) -> RunScores:
        origin = self.origin
        dataset, ids = origin.dataset, tuple(question.id for question in self.questions)
        self._reads_pairs = isinstance(plan.pipeline.rerank, PairReranker | ChatReranker)
        scores = self._execution.get(plan.scores)
        return RunScores(name, name, dataset.name, dataset.version, origin.split, ids, scores)

    def _empty(self, plan: Plan, was: Plan) -> list[str]:
        """Say where nothing is left to be found that there was before."""
        allowed = self._execution.get(plan.candidates).allowed
        if len(allowed) and not allowed.any():
            n_chunks = len(self._execution.get(plan.chunks))
            return [f"The filter removes all {n_chunks:,} chunks: nothing can be found for any question."]
        now, before = self._n_without(plan), self._n_without(was)
        told = f"Nothing at all is found for {now:,} of {len(self.questions):,} questions, where it was {before:,}."
        return [told] if now > before else []

    def _n_without(self, plan: Plan) -> int:
        """Return for how many questions nothing is found."""
        first = self._execution.get(plan.rankings).chunk[:, :1]
        return len(first) - int(np.count_nonzero((first != PADDING).any(axis=1)))

    def _otherwise(self, was: RunScores) -> list[str]:
        """Say so when the run's own settings give other means by now than were logged."""
        logged = self.origin.run.metrics if self.origin.run else ()
        means = dict(zip(was.scores.metrics, column_means(was.scores.values).tolist(), strict=True))
        other = [one.metric for one in logged if one.metric in means and one.mean not in (None, means[one.metric])]
        return [_told(other)] if other else []


def _told(other: Sequence[Metric]) -> str:
    names = ", ".join(metric.name for metric in other[:3]) + (" …" if len(other) > 3 else "")
    return (
        f"The workbench computes the run's own settings otherwise than when it was logged ({names} differ): "
        "'as it was' is what they give now."
    )


def _scored_as(origin: Pipeline, pipeline: Pipeline) -> Pipeline:
    return Pipeline({**origin.components, "score": pipeline.score})


def _behind(name: str, pipeline: Pipeline) -> list[str]:
    """Return the stages from `name` on that a pipeline uses."""
    vectors = pipeline.retrieve.needs_vectors or pipeline.rerank.needs_vectors
    idle = {stage for stage, component in pipeline.components.items() if component.identity} - {name}
    idle |= set() if vectors else {"embed", "index"} - {name}
    return [stage for stage in STAGE_NAMES[STAGE_NAMES.index(name) :] if stage not in idle]
