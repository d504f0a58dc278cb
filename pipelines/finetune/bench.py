"""Where a finetuning works: trains, evaluates, keeps the runs; what was done already, by whomever, is looked up."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipelines.cache import Cache
from pipelines.compare.run_scores import RunScores
from pipelines.execution import Execution, Node
from pipelines.pipeline import Pipeline
from pipelines.planning.plan import Plan, plan
from pipelines.runs.claims import StoredClaims
from pipelines.runs.curves import Curves
from pipelines.runs.database import Database
from pipelines.runs.evaluate import evaluated
from pipelines.runs.heart import Heart
from pipelines.runs.jobs import Jobs
from pipelines.runs.measure import Evaluation
from pipelines.runs.record import ALL_QUESTIONS, Details
from pipelines.runs.store import RunStore
from pipelines.settings import cache_folder, runs_folder
from pipelines.sweeps.batch import On
from pipelines.sweeps.rates import Rates
from pipelines.sweeps.workloads import RUN, Sizes, Workload, workloads


@dataclass
class Bench:
    """One worker's tools for one job; `named` says what a training is called, by its key."""

    database: Database
    worker: str
    heart: Heart
    job_id: str
    named: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Open the stores."""
        self._works: dict[str, Workload] = {}
        self.cache = Cache(cache_folder())
        self.runs = RunStore(self.database, runs_folder())
        self.curves, self.rates = Curves(self.database), Rates(self.database)

    def say(self, text: str) -> None:
        """Add a line to the job's log."""
        Jobs(self.database).log(self.job_id, text)

    def execution(self) -> Execution:
        """Return what does stage executions for this job, telling how far it is and how fast it goes."""
        run = Execution(self.cache, self.heart.watch, claims=StoredClaims(self.database, self.worker))
        run.on_worked, run.on_learnt = self.rates.enter, self._learnt
        run.on_computed = self._computed
        return run

    def _computed(self, node: Node[Any], seconds: float) -> None:
        """Take note that something was finished, and of how fast it went where only that tells."""
        self.heart.advanced()
        work = self._works.get(node.key)
        if work is not None and not work.what.startswith(("embed ", "chat ", "train ")):
            self.rates.enter(work.what, work.units, seconds)

    def _learnt(self, key: str, point: Mapping[str, object]) -> None:
        self.curves.enter(key, point)
        self.heart.tell(training=self.named.get(key, key), point=dict(point))

    def trained(self, node: Node[Path], work: Plan) -> Path:
        """Return the folder of a trained model of a plan, training it unless it is there.

        Raises:
            WorkbenchError: when it cannot be trained; what was learnt up to the last checkpoint is kept.
        """
        run = self.execution()
        try:
            self._works = self._expected(Evaluation(work), run)
            return run.get(node)
        finally:
            self.curves.flush()
            self.rates.flush()

    def evaluated(self, pipeline: Pipeline, on: On, name: str) -> str:
        """Return the id of the run of a pipeline, evaluating it unless that very work is there."""
        identity = on.identity(pipeline)
        known = self.runs.by_identity([identity])
        if identity in known:
            return known[identity]
        work = plan(pipeline, on.dataset, on.questions())
        run, asked = self.execution(), Evaluation(work, on.split, name, on.seed, identity)
        self._works = self._expected(asked, run)
        started = time.perf_counter()
        done = evaluated(asked, run)
        self.runs.add(done.run, done.details)
        computed = sum(report.seconds for report in done.run.stages.values())
        self.rates.enter(RUN, 1, max(0.0, time.perf_counter() - started - computed))
        self.rates.flush()
        return done.run.id

    def _expected(self, asked: Evaluation, run: Execution) -> dict[str, Workload]:
        """Return the work that each stage execution is, by key."""
        n_chars = sum(len(text) for text in run.get(asked.plan.documents).texts)
        return {node.key: work for node, work in workloads(asked, Sizes(n_chars, {}), self.cache)}

    def scores(self, run_id: str) -> RunScores:
        """Return what a comparison needs of a run."""
        found, kept = self.runs.get(run_id), self.runs.details(run_id)
        split = None if found.split == ALL_QUESTIONS else found.split
        of = (found.id, found.name, found.dataset_name, found.dataset_version)
        return RunScores(*of, split, kept.question_ids, kept.scores, kept.fates)

    def details(self, run_id: str) -> Details:
        """Return the per-question part of a run."""
        return self.runs.details(run_id)
