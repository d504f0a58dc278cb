"""Importances: what decides comes first, in conditional spaces too, and what cannot be told has a reason."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.sweeps.importance import LEAST_TRIALS, Importances, importances
from pipelines.sweeps.space import Choice
from pipelines.sweeps.spec import SweepSpec
from pipelines.sweeps.strategies import Told, strategy

STAGES: dict[str, Any] = {
    "chunk": {"use": ["recursive", "sentence"], "size": [64, 128, 256, 512]},
    "retrieve": ["bm25", {"use": "hybrid", "alpha": {"from": 0.0, "to": 1.0}, "rrf_k": {"from": 1, "to": 100}}],
}


def spec_of(stages: dict[str, Any] = STAGES, **search: Any) -> SweepSpec:
    return SweepSpec.parse({**stages, "search": {"strategy": "random", "trials": 80, **search}})


def told(spec: SweepSpec, measure: Any) -> list[Told]:
    return [Told(one.number, one.choice.drawn, measure(one.choice)) for one in strategy(spec).propose([])]


def by_size(choice: Choice) -> tuple[float, ...]:
    return ({64: 0.1, 128: 0.4, 256: 0.3, 512: 0.2}[choice.params["chunk.size"]] + _little(choice),)  # type: ignore[index]


def by_alpha(choice: Choice) -> tuple[float, ...]:
    near = 1 - abs(float(choice.params["retrieve.alpha"] or 0) - 0.3) if choice.params["retrieve"] == "hybrid" else 0.0
    return (near + _little(choice),)


def _little(choice: Choice) -> float:
    """So that no two are equal, and nothing that is named matters."""
    return 1e-6 * (hash(tuple(choice.drawn.values())) % 1000)


def shares(found: Importances) -> dict[str, float]:
    return {one.knob: one.importance for one in found.knobs}


def test_the_one_that_decides_comes_first() -> None:
    spec = spec_of()
    found = importances(spec, told(spec, by_size))
    assert found.reason is None
    assert (found.n_trials, found.knobs[0].knob) == (80, "chunk.size")
    assert found.knobs[0].importance > 0.6
    assert sum(shares(found).values()) == pytest.approx(1.0)
    assert set(shares(found)) == {"chunk", "chunk.size", "retrieve", "retrieve.alpha", "retrieve.rrf_k"}


def test_a_knob_that_exists_beside_one_component_only() -> None:
    spec = spec_of()
    found = shares(importances(spec, told(spec, by_alpha)))
    assert found["retrieve.alpha"] > 0.5
    assert found["retrieve.alpha"] > 3 * found["retrieve.rrf_k"]


def test_intervals_hold_the_share_and_come_from_the_seed() -> None:
    spec = spec_of()
    trials = told(spec, by_size)
    found = importances(spec, trials)
    assert all(0 <= one.low <= one.importance <= one.high <= 1 for one in found.knobs)
    assert any(one.low < one.high for one in found.knobs)
    assert importances(spec, trials) == found
    assert importances(spec, trials, seed=1) != found


def test_direction_and_objective() -> None:
    spec = spec_of(objectives=["ndcg@10", "-context_tokens"])
    # The second one, less being better, is least at size 512 alone; the first one hangs on the chunker.
    trials = told(spec, lambda choice: (
        float(choice.params["chunk"] == "sentence") + _little(choice), 1000.0 - float(choice.params["chunk.size"] or 0),
    ))  # fmt: skip
    assert importances(spec, trials, 0).knobs[0].knob == "chunk"
    assert importances(spec, trials, 1).knobs[0].knob == "chunk.size"


def test_as_nsga2_draws() -> None:
    spec = spec_of(strategy="nsga2", trials=40, batch=40)
    assert importances(spec, told(spec, by_size)).knobs[0].knob == "chunk.size"


@pytest.mark.parametrize(
    ("stages", "n", "value", "reason"),
    [
        (STAGES, LEAST_TRIALS - 1, None, f"only 19 trials finished, and importances need {LEAST_TRIALS}"),
        (STAGES, 40, 0.25, "ndcg@10 is 0.25 in every trial"),
        ({}, 1, 0.5, "nothing varies"),
    ],
)
def test_what_cannot_be_told(stages: dict[str, Any], n: int, value: float | None, reason: str) -> None:
    spec = spec_of(stages)
    trials = told(spec, by_size if value is None else lambda _: (value,))
    rest = [Told(one.number, one.drawn, (), "failed") for one in trials[n:]]
    found = importances(spec, [*trials[:n], *rest])
    assert (found.knobs, found.reason, found.n_trials) == ((), reason, n)
