"""Racing within a batch: the questions are answered part by part, and what is surely not the best goes no further."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from pipelines.execution import Execution
from pipelines.planning.plan import plans
from pipelines.records import DoubleArray, Question
from pipelines.sweeps.batch import Asked, On
from pipelines.sweeps.engine import Engine
from pipelines.sweeps.kinds import kinds
from pipelines.sweeps.pieces import Graph
from pipelines.sweeps.racing import Race
from pipelines.sweeps.search import Race as RaceSettings
from pipelines.sweeps.spec import SweepSpec

Drop = Callable[[int, str, int], None]


def raced(
    asked: Sequence[Asked], on: On, spec: SweepSpec, run: Execution, engine: Engine, drop: Drop, batch: int = 0
) -> list[Asked]:
    """Return the configurations that stay; `drop` is told number, reason and number of questions of each other.

    Every process that shares the work comes to the same decisions, for they follow from the scores alone. The error
    rate is held over as many configurations as the whole sweep may try. Each `batch` has an order of questions of its
    own: a sampler that learnt from one batch would else know the order of the next.
    """
    if spec.search.race is None or len(asked) < 2:
        return list(asked)
    questions, metric = on.questions(), spec.objectives[0]
    race, alpha = _race(spec, len(asked), len(questions), metric.higher_is_better, batch), spec.search.race.alpha
    alive = np.ones(len(asked), dtype=np.bool_)
    for seen in race.rounds()[:-1]:
        left = [one for one, there in zip(asked, alive, strict=True) if there]
        values = _values(left, on, [questions[i] for i in seen], metric.metric, run, engine)
        table, running = np.full((race.n_configurations, len(seen)), np.nan), np.zeros(race.n_configurations, np.bool_)
        table[np.flatnonzero(alive)] = values
        running[: len(asked)] = alive
        for lost in race.drop(table, running):
            alive[lost.index] = False
            reason = lost.sentence(len(questions), alpha, asked[lost.by].number)
            drop(asked[lost.index].number, reason, lost.after_n)
    return [one for one, there in zip(asked, alive, strict=True) if there]


def _race(spec: SweepSpec, n_asked: int, n_questions: int, higher_is_better: bool, batch: int) -> Race:
    search = spec.search
    in_all = (spec.space.size() or 0) if search.strategy == "grid" else search.n_trials
    settings = search.race or RaceSettings()
    return Race(
        n_questions,
        max(n_asked, in_all),
        alpha=settings.alpha,
        rounds=settings.rounds,
        seed=search.seed + batch,
        higher_is_better=higher_is_better,
    )


def _values(
    asked: Sequence[Asked], on: On, questions: Sequence[Question], metric: str, run: Execution, engine: Engine
) -> DoubleArray:
    """Return one metric of each configuration on some questions, float64 [n_configurations, n_questions].

    One that fails has no value: it is left in, and fails again, with its reason, when it is evaluated.
    """
    made = plans([one.pipeline for one in asked], on.dataset, questions)
    graph = Graph(run.cache, kinds(made))
    waits = [graph.add([plan.scores]) for plan in made]
    failed = engine.carry_out(graph.pieces(), graph.shared())
    nothing = np.full(len(questions), np.nan)
    columns = [
        nothing if waiting & failed.keys() else run.get(plan.scores).column(metric)
        for plan, waiting in zip(made, waits, strict=True)
    ]
    return np.stack(columns)
