"""What a sweep shows: its winner, ties, optimism, fronts and effects, as one record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from pipelines.errors import ComparisonError
from pipelines.records import Metric
from pipelines.sweeps.conclusions import conclude
from pipelines.sweeps.effects import main_effects
from pipelines.sweeps.fronts import fronts
from pipelines.sweeps.optimism_rows import estimate, on_test
from pipelines.sweeps.proposal import cost_order
from pipelines.sweeps.reported import KnobEffect, LeftOut, Optimism, Ranked, Report, Scored, TestResult
from pipelines.sweeps.selection import Standings, standings
from pipelines.sweeps.tabled import Tabled

__all__ = ["LeftOut", "Report", "Scored", "TestResult", "build_report"]


def build_report(
    configurations: Sequence[Scored],
    objectives: Sequence[Metric],
    question_ids: Sequence[str],
    *,
    test: Sequence[TestResult] = (),
    cost_metrics: Sequence[Metric] = (),
    grid: bool = True,
    seed: int = 0,
    left_out: Sequence[LeftOut] = (),
    importance: Mapping[str, float] | None = None,
) -> Report:
    """Report on the finished `configurations` of one sweep, all evaluated on `question_ids`.

    The winner is chosen by `objectives[0]`, which must be measured question by question. `test` holds what was
    evaluated on test, the winner and the proposal at least; without it the optimism is estimated. `grid` says whether
    `configurations` come from a grid, so that main effects have a meaning; `importance` (from a sampler) is passed on.
    Configurations that a race dropped or that failed belong into `left_out`. Neither the order of configurations nor
    that of the questions changes anything; equal seeds give equal bits.

    Raises:
        ComparisonError: for no configuration, one number twice, values that don't fit the questions, or a first
            objective that no configuration has a value of.
    """
    table = Tabled.of(configurations, objectives, question_ids)
    objective, costs = objectives[0], cost_order(cost_metrics, objectives[0].name)
    costs = tuple(metric for metric in costs if not np.isnan(table.means(metric.name)).all())
    price = table.columns(costs)
    found = standings(table.values, price, higher_is_better=objective.higher_is_better, seed=seed)
    if found is None:
        raise ComparisonError(
            f"No configuration of the sweep has a value of {objective.name} on any of {len(question_ids)} questions; "
            "choose another first objective, or a split with answerable questions."
        )
    effects, why_no_effects = _effects(table, found, objective, grid, seed)
    selection = conclude(found, table.numbers, objective, price, costs)
    return Report(
        objectives=tuple(objectives),
        costs=costs,
        seed=seed,
        n_configurations=len(table.numbers),
        n_questions=len(question_ids),
        n_test_questions=_n_test(test),
        configurations=_ranked(table, found, (*objectives, *costs)),
        selection=selection,
        optimism=_optimism(table, found, test, (selection.winner, selection.proposal.number), objective, seed),
        optimism_estimate=None if test else estimate(found, table.values, table.tie_order(price), objective, seed),
        fronts=fronts(table, found, objectives, costs),
        effects=effects,
        effects_reason=why_no_effects,
        importance=None if importance is None else dict(importance),
        left_out=tuple(sorted(left_out, key=lambda one: one.number)),
        notes=(*_notes(table, found, len(left_out)), *_silent(table, effects, why_no_effects)),
    )


def _effects(
    table: Tabled, found: Standings, objective: Metric, grid: bool, seed: int
) -> tuple[tuple[KnobEffect, ...], str | None]:
    if not grid:
        return (), "main effects need a grid: a sampler tries promising settings more often than others"
    rows = np.flatnonzero(found.basis.ranked)
    params = [table.configurations[i].params for i in rows]
    effects = main_effects(params, table.values[rows], objective, seed=seed)
    return effects, None if effects else "no two configurations differ in one knob only"


def _silent(table: Tabled, effects: Sequence[KnobEffect], why_none: str | None) -> list[str]:
    """Name the knobs of which no effect can be told, though they vary."""
    if why_none is not None:
        return []
    values: dict[str, set[str]] = {}
    for one in table.configurations:
        for knob, value in one.params.items():
            values.setdefault(knob, set()).add(repr(value))
    gone = sorted({knob for knob, found in values.items() if len(found) > 1} - {effect.knob for effect in effects})
    if not gone:
        return []
    return [f"No effect is told of {', '.join(gone)}: no two values met the same settings of all other knobs."]


def _ranked(table: Tabled, found: Standings, metrics: Sequence[Metric]) -> tuple[Ranked, ...]:
    aside = [i for i in range(len(table.numbers)) if found.standing[i] == "set aside"]
    means = {metric.name: table.means(metric.name) for metric in metrics}
    shown = [{name: _known(column[i]) for name, column in means.items()} for i in range(len(table.numbers))]
    return tuple(_row(table, found, i, shown[i]) for i in [*found.order.tolist(), *aside])


def _row(table: Tabled, found: Standings, i: int, means: Mapping[str, float | None]) -> Ranked:
    one, values = table.configurations[i], table.values[i]
    n = int(np.count_nonzero(~np.isnan(values)))
    n_ranked = int(np.count_nonzero(~np.isnan(values) & found.basis.questions)) if found.basis.ranked[i] else 0
    return Ranked(
        number=one.number,
        label=one.label,
        run_id=one.run_id,
        standing=found.standing[i],
        mean=_known(found.mean[i]),
        n_ranked=n_ranked,
        n=n,
        unscored=len(values) - n,
        difference=_known(found.difference[i]),
        low=_known(found.low[i]),
        high=_known(found.high[i]),
        p=_known(found.p[i]),
        p_holm=_known(found.p_holm[i]),
        n_shared=int(found.n_shared[i]),
        means=means,
        params=dict(one.params),
        reason=None if n_ranked else f"scored on {n:,} questions only, fewer than half of what others are",
    )


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _optimism(
    table: Tabled,
    found: Standings,
    test: Sequence[TestResult],
    chosen: Sequence[int],
    objective: Metric,
    seed: int,
) -> tuple[Optimism, ...]:
    """Return the winner first, then the proposal, then others by number; the first two even if not tested."""
    results = {result.number: result for result in test if result.number in table.position}
    if not test:
        return ()
    rows = []
    for number in dict.fromkeys([*chosen, *sorted(results)]):
        i, result = table.position[number], results.get(number)
        dev = np.where(found.basis.questions, table.values[i], np.nan)
        unseen = None if result is None else result.values.get(objective.name)
        run_id = table.configurations[i].run_id if result is None else result.run_id
        rows.append(on_test(number, run_id, dev, unseen, objective, seed))
    return tuple(rows)


def _n_test(test: Sequence[TestResult]) -> int | None:
    return max((len(v) for result in test for v in result.values.values()), default=0) if test else None


def _notes(table: Tabled, found: Standings, n_left_out: int) -> tuple[str, ...]:
    """Say what a reader of the table would otherwise take for granted."""
    notes = []
    total, n = table.values.shape[1], int(np.count_nonzero(found.basis.questions))
    n_aside = len(found.standing) - int(np.count_nonzero(found.basis.ranked))
    if not found.basis.shared:
        notes.append("The configurations scored different questions, so each is ranked on its own: means may mislead.")
    elif n < total:
        notes.append(f"Ranked on {n:,} of {total:,} questions: the others are unscored in at least one configuration.")
    if n_aside:
        notes.append(f"{_are(n_aside)} set aside: scored on fewer than half of the questions.")
    if n_left_out:
        notes.append(f"{_are(n_left_out)} not ranked: dropped by a race, or failed.")
    return tuple(notes)


def _are(n: int) -> str:
    return "1 configuration is" if n == 1 else f"{n:,} configurations are"
