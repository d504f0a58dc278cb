"""From the runs of a sweep to its report: what is read of them, who is evaluated on test, and what is left out."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pipelines.errors import ComparisonError, NotFoundError
from pipelines.golden.dataset import Dataset
from pipelines.models.chat_knobs import ChatKnobs
from pipelines.pipeline import Pipeline
from pipelines.planning.rerank import train_questions
from pipelines.records import Metric
from pipelines.runs.store import RunStore
from pipelines.stages.rerank import FittedReranker
from pipelines.sweeps.conduct import Conductor, Place
from pipelines.sweeps.importance import importances
from pipelines.sweeps.objectives import Objective
from pipelines.sweeps.report import LeftOut, Report, Scored, TestResult, build_report
from pipelines.sweeps.spec import SweepSpec
from pipelines.sweeps.telling import told_of
from pipelines.sweeps.trials import Sweep, SweepStore, Trial
from pipelines.training.knobs import PairKnobs

_LATENCY = Metric("latency_ms_p50", "latency_ms", False, "ms")
_USD = Metric("usd", "usd", False, "USD")
_USUAL_CUT = "5"
_NAMED = 5


@dataclass(frozen=True)
class Reporting:
    """Makes the report of one sweep. With a conductor, the winner is evaluated on test; without, what is known."""

    sweep: Sweep
    spec: SweepSpec
    dataset: Dataset
    place: Place
    conductor: Conductor

    def report(self) -> dict[str, Any]:
        """Return the report as plain JSON; `{"reason": ...}` where there is nothing to choose from."""
        trials = SweepStore(self.place.database).trials(self.sweep.id)
        finished = [trial for trial in trials if trial.state == "finished"]
        if not finished:
            reasons = {trial.reason for trial in trials if trial.reason}
            why = next(iter(reasons)) if len(reasons) == 1 else "each configuration's row says why"
            return {"reason": f"No configuration could be evaluated: {why}"}
        ids, scored = self._scored(finished)
        left_out = [LeftOut(t.number, t.label, t.reason or "") for t in trials if t.state in ("dropped", "failed")]
        try:
            importance = self._importance(finished)
            first = self._built(ids, scored, left_out, (), importance)
            test = self._on_test(finished, first)
            last = self._built(ids, scored, left_out, test, importance) if test else first
            return replace(last, notes=(*last.notes, *optimistic(finished, self.dataset, self.sweep.split))).to_dict()
        except ComparisonError as error:
            return {"reason": str(error)}

    def _built(
        self,
        ids: Sequence[str],
        scored: Sequence[Scored],
        left_out: Sequence[LeftOut],
        test: Sequence[TestResult],
        importance: Mapping[str, float] | None,
    ) -> Report:
        return build_report(
            scored,
            self.objectives(),
            ids,
            test=test,
            cost_metrics=self.costs(),
            grid=self.spec.search.strategy == "grid",
            seed=self.spec.search.seed,
            left_out=left_out,
            importance=importance,
        )

    def objectives(self) -> list[Metric]:
        """Return what the sweep improves."""
        return [_metric(one) for one in self.spec.objectives]

    def costs(self) -> list[Metric]:
        """Return what a configuration costs: the context at the cut-off of the first objective, latency, price."""
        cut = self.objectives()[0].name.partition("@")[2] or _USUAL_CUT
        return [Metric(f"context_tokens@{cut}", "context_tokens", False, "tokens"), _LATENCY, _USD]

    def _scored(self, finished: Sequence[Trial]) -> tuple[tuple[str, ...], list[Scored]]:
        runs = self.place.runs()
        names = list(dict.fromkeys(metric.name for metric in (*self.objectives(), *self.costs())))
        means = _means(runs, [trial.run_id or "" for trial in finished], names)
        ids: tuple[str, ...] = ()
        scored: list[Scored] = []
        for trial in finished:
            try:
                ids, values = runs.values(trial.run_id or "", names)
            except NotFoundError:
                continue
            scored.append(
                Scored(trial.number, trial.label, trial.run_id or "", trial.params, values, means[trial.run_id or ""])
            )
        return ids, _free_where_none_is_asked(scored, {t.number for t in finished if not _asks_a_model(t)}, len(ids))

    def _on_test(self, finished: Sequence[Trial], first: Report) -> list[TestResult]:
        """Evaluate the winner and the proposal on the reported split, where it has questions of its own."""
        split = self.spec.search.report_on
        there = any(question.split == split for question in self.dataset.questions)
        if not there or self.sweep.split in (split, "all"):
            return []
        wanted = {first.selection.winner, first.selection.proposal.number}
        runs = self.conductor.evaluate_on([trial for trial in finished if trial.number in wanted], split)
        names = [metric.name for metric in self.objectives()]
        store = self.place.runs()
        return [TestResult(number, run_id, store.values(run_id, names)[1]) for number, run_id in sorted(runs.items())]

    def _importance(self, finished: Sequence[Trial]) -> dict[str, float] | None:
        """Return what Optuna makes of it where no grid was searched; a grid has main effects."""
        if self.spec.search.strategy == "grid":
            return None
        told = told_of(finished, self.spec, self.place.runs())
        found = importances(self.spec, told, seed=self.spec.search.seed)
        return {one.knob: one.importance for one in found.knobs} or None


def _asks_a_model(trial: Trial) -> bool:
    pipeline = Pipeline.parse(trial.settings, f"configuration {trial.number}")
    return any(isinstance(component, ChatKnobs) for component in pipeline.components.values())


def optimistic(trials: Sequence[Trial], dataset: Dataset, split: str) -> list[str]:
    """Warn where configurations are chosen on questions from which they learnt."""
    n = len(train_questions(dataset)) if split in ("all", "train") else 0
    learnt = [f"#{trial.number}" for trial in trials if n and _learns(trial)]
    if not learnt:
        return []
    more = f" and {len(learnt) - _NAMED:,} more" if len(learnt) > _NAMED else ""
    return [
        f"OPTIMISTIC: {', '.join(learnt[:_NAMED])}{more} learnt from {n:,} of these questions, those of the train "
        "split, and what is said of them here holds for no others; search on dev."
    ]


def _learns(trial: Trial) -> bool:
    pipeline = Pipeline.parse(trial.settings, f"configuration {trial.number}")
    learning = [one for one in (pipeline.embed, pipeline.rerank) if isinstance(one, PairKnobs) and not one.learn_from]
    return bool(learning) or isinstance(pipeline.rerank, FittedReranker)


def _free_where_none_is_asked(scored: Sequence[Scored], free: Container[int], n_questions: int) -> list[Scored]:
    """Return the configurations with a price of 0 for those that ask no model, where any other has a price.

    A run alone calls its price unknown; beside one that is paid for, it is the cheaper one.
    """
    name = _USD.name
    if not any(one.means.get(name) is not None for one in scored):
        return list(scored)
    nothing = np.zeros(n_questions)

    def known(one: Scored) -> Scored:
        if one.number not in free:
            return one
        return replace(one, values={**one.values, name: nothing}, means={**one.means, name: 0.0})

    return [known(one) for one in scored]


def _metric(objective: Objective) -> Metric:
    return Metric(objective.metric, objective.family, objective.higher_is_better, objective.unit)


def _means(runs: RunStore, run_ids: Sequence[str], names: Sequence[str]) -> dict[str, dict[str, float | None]]:
    rows = {row["id"]: row for row in runs.table(list(names), run_ids=run_ids)}
    return {run_id: {name: rows.get(run_id, {}).get(f"{name} mean") for name in names} for run_id in run_ids}
