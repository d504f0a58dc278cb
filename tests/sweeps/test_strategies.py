"""Strategies: what is proposed, once each, the same again after a crash, and better than chance where it learns."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import Field, model_validator

from pipelines.component import _REGISTRY, components
from pipelines.stages.rerank import Reranker
from pipelines.sweeps.space import Choice
from pipelines.sweeps.spec import SweepSpec
from pipelines.sweeps.strategies import Proposal, Told, strategy

STAGES: dict[str, Any] = {
    "chunk": {"use": ["recursive", "sentence"], "size": [64, 128, 256, 512]},
    "retrieve": ["bm25", {"use": "hybrid", "alpha": {"from": 0.0, "to": 1.0, "step": 0.1}}],
    "rerank": ["none", {"use": "mmr", "lambda_mult": [0.3, 0.5, 0.7, 0.9]}],
}
SAMPLERS = ("random", "tpe", "nsga2")
N = 2 * 4 * (1 + 11) * (1 + 4)


def spec_of(name: str, stages: dict[str, Any] = STAGES, **search: Any) -> SweepSpec:
    return SweepSpec.parse({**stages, "search": {"strategy": name, "trials": 40, **search}})


def quality(choice: Choice) -> tuple[float, ...]:
    """Best at sentence 256, hybrid 0.4, mmr 0.7: 1.0."""
    p = choice.params
    value = 0.2 * (p["chunk"] == "sentence") + {64: 0.0, 128: 0.1, 256: 0.2, 512: 0.1}[p["chunk.size"]]  # type: ignore[index]
    value += 0.4 - abs(float(p["retrieve.alpha"] or 0) - 0.4) if p["retrieve"] == "hybrid" else 0.0
    return (value + (0.2 - abs(float(p["rerank.lambda_mult"] or 0) - 0.7) if p["rerank"] == "mmr" else 0.0),)


def tokens(choice: Choice) -> tuple[float, ...]:
    return (*quality(choice), float(choice.params["chunk.size"] or 0))


def swept(
    spec: SweepSpec, measure: Callable[[Choice], tuple[float | None, ...]] = quality
) -> list[tuple[Proposal, Told]]:
    """Evaluate all that is proposed, batch by batch."""
    found: list[tuple[Proposal, Told]] = []
    while batch := strategy(spec).propose([told for _, told in found]):
        for one in batch:
            told = Told(one.number, one.choice.drawn, (), "failed")
            found.append((one, told if one.refused else Told(one.number, one.choice.drawn, measure(one.choice))))
    return found


def identities(spec: SweepSpec, found: list[tuple[Proposal, Told]]) -> list[str]:
    return [spec.space.identity(one.choice) for one, _ in found]


# Grid ---------------------------------------------------------------------------------------------------------------


def test_a_grid_is_proposed_at_once_in_its_order() -> None:
    spec = SweepSpec.parse(STAGES)
    batch = strategy(spec).propose([])
    assert [one.choice for one in batch] == list(spec.space.configurations())
    assert [one.number for one in batch] == list(range(N))
    assert strategy(spec).propose([Told(one.number, {}) for one in batch]) == []


def test_a_grid_in_batches() -> None:
    spec = SweepSpec.parse({"chunk": {"use": "fixed", "size": [16, 32, 48, 64, 80]}, "search": {"batch": 2}})
    found = swept(spec, lambda _: (0.0,))
    assert [one.number for one, _ in found] == [0, 1, 2, 3, 4]
    assert [one.number for one in strategy(spec).propose([Told(0, {}), Told(1, {}), Told(3, {})])] == [2]


# Samplers -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SAMPLERS)
def test_each_configuration_once_and_as_many_as_asked(name: str) -> None:
    spec = spec_of(name)
    found = swept(spec)
    assert [one.number for one, _ in found] == list(range(40))
    assert len(set(identities(spec, found))) == 40


@pytest.mark.parametrize("name", SAMPLERS)
def test_the_seed_decides(name: str) -> None:
    one, same, other = spec_of(name), spec_of(name), spec_of(name, seed=1)
    assert identities(one, swept(one)) == identities(same, swept(same))
    assert identities(one, swept(one)) != identities(other, swept(other))


@pytest.mark.parametrize("name", SAMPLERS)
def test_after_a_crash_the_same_is_proposed(name: str) -> None:
    spec = spec_of(name, batch=6)
    whole = swept(spec)
    for at in (1, 6, 15, 23, 39):
        told = [told for _, told in whole[:at]]
        # In any order, and whatever of the batch was in flight finished first.
        again = strategy(spec_of(name, batch=6)).propose(told[::-1])
        end = min(-(-(at + 1) // 6) * 6, 40)
        assert again == [one for one, _ in whole[at:end]]
        if at % 6 == 0 and at + 4 < 40:
            out_of_order = strategy(spec).propose([*told, *(told for _, told in whole[at + 2 : at + 4])])
            assert [one.number for one in out_of_order] == [at, at + 1, at + 4, at + 5]


SCRIPT = """
import json, sys
sys.path.insert(0, {folder!r})
from test_strategies import spec_of, swept, tokens
print(json.dumps([one.choice.drawn for one, _ in swept(spec_of({name!r}, objectives={objectives!r}), tokens)]))
"""


@pytest.mark.parametrize("name", ["tpe", "nsga2"])
def test_another_process_proposes_the_same(name: str) -> None:
    folder = os.path.dirname(__file__)  # noqa: PTH120
    script = SCRIPT.format(folder=folder, name=name, objectives=["ndcg@10", "-context_tokens"])
    out = [
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        for seed in ("1", "2")
    ]
    assert out[0].stdout == out[1].stdout
    assert out[0].stdout.count("chunk.size") == 40
    assert out[0].stderr == "", "Optuna says nothing"


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_small_space_is_exhausted_and_no_more(name: str) -> None:
    stages = {
        "chunk": {"use": "fixed", "size": [16, 32, 48]},
        "retrieve": ["bm25", {"use": "hybrid", "alpha": [0.2, 0.4]}],
    }
    spec = spec_of(name, stages)
    found = swept(spec, lambda choice: (float(choice.params["chunk.size"] or 0),))
    assert sorted(identities(spec, found)) == sorted(spec.space.identity(one) for one in spec.space.configurations())


@pytest.mark.parametrize("name", SAMPLERS)
def test_nothing_to_vary(name: str) -> None:
    assert [one.choice.params for one, _ in swept(spec_of(name, {}), lambda _: (1.0,))] == [{}]


@pytest.mark.parametrize(("name", "trials"), [("tpe", 40), ("nsga2", 96)])
def test_learning_beats_chance(name: str, trials: int) -> None:
    def later(strategy_name: str) -> float:
        runs = [swept(spec_of(strategy_name, seed=seed, trials=trials)) for seed in range(3)]
        values = [told.values[0] or 0.0 for run in runs for _, told in run[-16:]]
        return sum(values) / len(values)

    # The last 16 trials: by chance about 0.3 of at most 1.0, learnt about 0.53.
    assert later(name) > later("random") + 0.1


def test_several_objectives_find_the_front() -> None:
    for name in ("tpe", "nsga2"):
        found = [told.values for _, told in swept(spec_of(name, objectives=["ndcg@10", "-context_tokens"]), tokens)]
        smallest = [value for value, length in found if length == 64]
        assert len(smallest) >= 5, "short contexts are looked for too"
        assert max(value or 0.0 for value, _ in found) > 0.7


@pytest.mark.parametrize("name", ["tpe", "nsga2"])
def test_trials_without_values_teach_nothing_and_stop_nothing(name: str) -> None:
    spec = spec_of(name, objectives=["ndcg@10", "-context_tokens"])
    found = swept(spec, lambda choice: (None, 1.0))
    assert len(set(identities(spec, found))) == 40


@pytest.mark.parametrize("name", ["tpe", "nsga2"])
@pytest.mark.parametrize("state", ["dropped", "failed"])
@pytest.mark.parametrize("objectives", [["ndcg@10"], ["ndcg@10", "-context_tokens"]], ids=["one", "two"])
def test_what_was_dropped_or_failed_is_shunned(name: str, state: Any, objectives: list[str]) -> None:
    spec = spec_of(name, trials=64, objectives=objectives)
    found: list[tuple[Proposal, Told]] = []
    while batch := strategy(spec).propose([told for _, told in found]):
        for one in batch:
            if one.choice.params["chunk"] == "sentence":
                values = tokens(one.choice)[: len(objectives)]
                found.append((one, Told(one.number, one.choice.drawn, values)))
            else:
                found.append((one, Told(one.number, one.choice.drawn, (), state)))
    late = [one.choice.params["chunk"] for one, _ in found[32:]]
    # Of 32; by chance 16.
    assert late.count("sentence") >= 20


class Choosy(Reranker):
    """Refuse two knobs together."""

    fast: bool = Field(False, description="Whether to be fast")
    exact: bool = Field(False, description="Whether to be exact")

    @model_validator(mode="after")
    def _not_both(self) -> Choosy:
        if self.fast and self.exact:
            raise ValueError("cannot be fast and exact at once")
        return self

    def rerank(self, retrieved: Any, progress: Any = None) -> Any:
        raise NotImplementedError


@pytest.mark.parametrize("name", SAMPLERS)
def test_what_cannot_be_built_is_proposed_as_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    components("rerank")
    monkeypatch.setattr(Choosy, "name", "choosy")
    monkeypatch.setitem(_REGISTRY["rerank"], "choosy", Choosy)
    stages = {"rerank": {"use": "choosy", "fast": [True, False], "exact": [True, False]}}
    found = swept(spec_of(name, stages), lambda _: (0.5,))
    refused = [one.refused for one, _ in found if one.refused]
    assert len(found) - len(refused) == 3, "each of the three that can be built"
    assert len(refused) <= 1
    assert all("cannot be fast and exact at once" in why for why in refused)


def test_told_as_the_store_keeps_it() -> None:
    """What goes through JSON comes back as it was."""
    import json

    spec = spec_of(
        "nsga2", {"rerank": {"use": "mmr", "lambda_mult": {"from": 0.1, "to": 0.9}, "depth": {"from": 5, "to": 50}}}
    )
    found = swept(spec, lambda choice: (float(choice.params["rerank.lambda_mult"] or 0),))
    stored = [Told(told.number, json.loads(json.dumps(told.drawn)), told.values) for _, told in found]
    assert [told.drawn for _, told in found] == [told.drawn for told in stored]
    assert strategy(spec).propose(stored[:16]) == [one for one, _ in found[16:32]]
