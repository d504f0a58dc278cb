"""Evaluate one pipeline on one dataset: plan, execute, score, measure; the one way that a run comes about."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from pipelines.cache import Cache
from pipelines.execution import Execution, Watch, unwatched
from pipelines.golden.dataset import Dataset
from pipelines.pipeline import Pipeline
from pipelines.planning.plan import plan
from pipelines.runs.measure import Account, Evaluated, Evaluation, made_run, measured

Learnt = Callable[[str, Mapping[str, object]], None]

__all__ = ["Evaluated", "evaluate"]


def unheard(key: str, point: Mapping[str, object]) -> None:
    """Tell nobody."""


def evaluate(
    pipeline: Pipeline,
    dataset: Dataset,
    cache: Cache,
    *,
    split: str | None = None,
    name: str | None = None,
    seed: int = 0,
    watch: Watch = unwatched,
    learnt: Learnt = unheard,
) -> Evaluated:
    """Evaluate `pipeline` on the questions of `split` (None: all), computing only what the cache lacks.

    `learnt` is told each point of a training's curve, with the key of what is trained.

    Raises:
        WorkbenchError: for what the user can mend, before or while it is computed; finished stages are kept.
    """
    work = plan(pipeline, dataset, dataset.select(split))
    return evaluated(Evaluation(work, split, name, seed), Execution(cache, watch, on_learnt=learnt))


def evaluated(evaluation: Evaluation, execution: Execution) -> Evaluated:
    """Do what an evaluation needs in `execution`, and return the run."""
    started = time.perf_counter()
    (numbers,) = measured([evaluation], execution)
    execution.account_for(*evaluation.needs)
    account = Account(time.perf_counter() - started, execution.reports, execution.notes)
    return made_run(evaluation, numbers, account, execution)
