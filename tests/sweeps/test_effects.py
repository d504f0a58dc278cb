"""Main effects: by hand on small grids, conditional knobs, and grids with holes, where partners must be equal."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.records import Metric
from pipelines.runs.table import Cell
from pipelines.sweeps.design import matched
from pipelines.sweeps.effects import main_effects

NAN = math.nan
NDCG = Metric("ndcg@10", "ndcg", True)
LATENCY = Metric("latency_ms", "latency_ms", False, "ms")


def _grid(**knobs: list[Cell]) -> list[dict[str, Cell]]:
    return [dict(zip(knobs, setting, strict=True)) for setting in itertools.product(*knobs.values())]


def test_a_full_grid_by_hand() -> None:
    params = _grid(size=[128, 256], k=[5, 10])
    # Two questions; size 256 adds 0.2 and 0.4, k = 10 adds 0.1 to the first.
    values = np.array([[0.1, 0.2], [0.2, 0.2], [0.3, 0.6], [0.4, 0.6]])
    size, k = main_effects(params, values, NDCG, resamples=200)
    assert (size.knob, size.best, size.worst, size.n_matched, size.n) == ("size", 256, 128, 2, 2)
    assert size.effect == pytest.approx((0.2 + 0.4) / 2)
    assert (size.low, size.high) == (pytest.approx(0.2), pytest.approx(0.4))  # a resample may hold one question only
    assert [level.value for level in size.levels] == [128, 256]
    assert size.levels[0].mean == pytest.approx((0.1 + 0.2 + 0.2 + 0.2) / 4)
    assert [(level.n_configurations, level.n_won) for level in size.levels] == [(2, 0), (2, 2)]
    assert (k.best, k.effect) == (10, pytest.approx(0.1 / 2))
    assert (size.warning, size.n_unmatched) == (None, 0)
    assert "size 256 instead of 128 changes ndcg@10 by 0.300" in size.sentence
    assert "best level in 2 of 2 matched sets" in size.sentence


def test_where_lower_is_better_the_best_level_is_the_lowest() -> None:
    values = np.array([[10.0, 12.0], [30.0, 20.0]])
    (effect,) = main_effects(_grid(size=[128, 256]), values, LATENCY, resamples=200)
    assert (effect.best, effect.worst, effect.effect) == (128, 256, 11.0 - 25.0)
    assert effect.levels[0].n_won == 1 and "by -14.000 ms" in effect.sentence


def test_conditional_knobs_count_where_they_exist() -> None:
    params: list[dict[str, Cell]] = [
        {"retrieve": "dense", "k": 5},
        {"retrieve": "dense", "k": 10},
        *({"retrieve": "hybrid", "k": k, "retrieve.alpha": a} for k in (5, 10) for a in (0.3, 0.7)),
    ]
    values = np.array([[0.5], [0.5], [0.4], [0.8], [0.4], [0.8]])
    found = {effect.knob: effect for effect in main_effects(params, values, NDCG, resamples=200)}
    alpha, retrieve = found["retrieve.alpha"], found["retrieve"]
    assert (alpha.n_configurations, alpha.n_matched, alpha.effect) == (4, 2, pytest.approx(0.4))
    # Hybrid is averaged over its alphas: (0.4 + 0.8) / 2 against 0.5, at both k.
    assert (retrieve.n_matched, retrieve.effect, retrieve.best) == (2, pytest.approx(0.1), "hybrid")
    assert [level.n_configurations for level in retrieve.levels] == [2, 4]
    assert found["k"].n_matched == 3  # dense, hybrid at 0.3 and at 0.7
    assert found["k"].effect == 0 and "makes no difference" in found["k"].sentence
    assert all(effect.warning is None for effect in found.values())


def test_a_level_is_not_favoured_for_having_met_easier_partners() -> None:
    # Size makes no difference, the reranker 0.4; size 256 without reranker was dropped.
    params = [*_grid(size=[128, 256], rerank=["none", "ce"])[:2], {"size": 256, "rerank": "ce"}]
    values = np.array([[0.3, 0.3], [0.7, 0.7], [0.7, 0.7]])
    found = {effect.knob: effect for effect in main_effects(params, values, NDCG, resamples=200)}
    assert found["size"].effect == 0  # naive means: 0.5 against 0.7
    assert (found["size"].n_matched, found["size"].n_unmatched) == (1, 1)
    assert "1 of 3 configurations with size are left out" in str(found["size"].warning)
    assert found["rerank"].effect == pytest.approx(0.4)


def test_shared_conditional_knobs_are_matched_between_levels() -> None:
    # The model decides (a 0.2, b 0.8), and dense has not been run with a: hybrid's b alone is its partner.
    params: list[dict[str, Cell]] = [
        {"retrieve": "bm25"},
        {"retrieve": "dense", "model": "b"},
        {"retrieve": "hybrid", "model": "a", "alpha": 0.5},
        {"retrieve": "hybrid", "model": "b", "alpha": 0.3},
        {"retrieve": "hybrid", "model": "b", "alpha": 0.5},
    ]
    design = matched(params, "retrieve")
    assert design is not None
    assert design.levels == ("bm25", "dense", "hybrid")
    assert [design.used(i).tolist() for i in range(3)] == [[0], [1], [3, 4]]


def test_settings_weigh_the_same_however_many_alphas_they_met() -> None:
    params: list[dict[str, Cell]] = [
        {"retrieve": "bm25"},
        {"retrieve": "dense", "model": "a"},
        {"retrieve": "dense", "model": "b"},
        {"retrieve": "hybrid", "model": "a", "alpha": 0.5},
        {"retrieve": "hybrid", "model": "b", "alpha": 0.3},
        {"retrieve": "hybrid", "model": "b", "alpha": 0.5},
    ]
    # Model a gives 0.2, b 0.8, to both alike.
    values = np.array([[0.0], [0.2], [0.8], [0.2], [0.8], [0.8]])
    found = {effect.knob: effect for effect in main_effects(params, values, NDCG, resamples=200)}
    levels = {level.value: level.mean for level in found["retrieve"].levels}
    assert levels["dense"] == levels["hybrid"] == pytest.approx((0.2 + 0.8) / 2)


def test_a_level_without_partners_is_given_up_and_named() -> None:
    params: list[dict[str, Cell]] = [
        *({"chunk": "recursive", "size": size} for size in (128, 256, 512)),
        *({"chunk": "sentence", "size": size} for size in (256, 1024)),
    ]
    design = matched(params, "size")
    assert design is not None
    # No size but 256 has met both chunkers; three levels at recursive use more than two levels would.
    assert (design.levels, design.n_sets, design.levels_left_out) == ((128, 256, 512), 1, (1024,))
    chunk = matched(params, "chunk")
    assert chunk is not None and [chunk.used(i).tolist() for i in range(2)] == [[1], [3]]
    (_, size) = sorted(main_effects(params, np.eye(5, 7), NDCG, resamples=200), key=lambda e: e.knob)
    assert "not compared at all: 1024" in str(size.warning)


def test_knobs_that_cannot_be_compared_have_no_effect() -> None:
    assert matched([{"a": 1}, {"a": 1}], "a") is None
    assert matched([{"a": 1, "b": 1}, {"a": 2, "b": 2}], "a") is None
    assert matched([{"a": 1}], "b") is None
    assert main_effects([{"a": 1, "b": 1}, {"a": 2, "b": 2}], np.zeros((2, 3)), NDCG) == ()
    assert main_effects([], np.zeros((0, 3)), NDCG) == ()


def test_values_of_all_types_stand_in_order() -> None:
    params: list[dict[str, Cell]] = [{"a": value} for value in ("x", 10, 9.5, None, True, 1)]
    design = matched(params, "a")
    assert design is not None and design.levels == (None, True, 1, 9.5, 10, "x")


def test_unscored_questions_count_for_no_level() -> None:
    values = np.array([[0.1, 0.9, NAN], [0.3, NAN, 0.9]])
    (effect,) = main_effects(_grid(a=[1, 2]), values, NDCG, resamples=200)
    assert (effect.n, effect.effect, effect.low) == (1, pytest.approx(0.2), None)
    assert [level.mean for level in effect.levels] == [0.1, 0.3]
    (nothing,) = main_effects(_grid(a=[1, 2]), np.full((2, 3), NAN), NDCG, resamples=200)
    assert (nothing.n, nothing.effect) == (0, None) and "no question is scored in all" in nothing.sentence


def test_intervals_cover_the_true_effect() -> None:
    random, hits, params = np.random.default_rng(3), 0, _grid(a=[1, 2], b=[1, 2, 3])
    shift = np.array([[0.1 * (knobs["a"] == 2)] for knobs in params])
    for seed in range(200):
        ease = random.random((1, 60)) * 0.5
        by_level = np.array([[knobs["a"] == 2] for knobs in params]) * random.normal(0, 0.2, 60)
        values = ease + shift + by_level + random.normal(0, 0.05, (6, 60))
        effects = {e.knob: e for e in main_effects(params, values, NDCG, seed=seed, resamples=200)}
        low, high = effects["a"].low, effects["a"].high
        assert low is not None and high is not None
        hits += low <= 0.1 <= high
    assert 0.89 <= hits / 200 <= 0.99


@given(st.sets(st.integers(0, 23), min_size=2), st.integers(0, 1000))
def test_in_any_part_of_a_grid_only_the_knob_that_matters_has_an_effect(rows: set[int], seed: int) -> None:
    grid = _grid(a=[1, 2, 3], b=["x", "y"], c=[1, 2, 3, 4])
    params = [grid[i] for i in sorted(rows)]
    question = np.random.default_rng(seed).random(5)
    by_a = {1: 0.0, 2: 0.5, 3: 0.75}
    values = np.stack([question + by_a[int(knobs["a"])] for knobs in params])  # type: ignore[arg-type]
    for effect in main_effects(params, values, NDCG, resamples=100):
        expected = by_a[effect.best] - by_a[effect.worst] if effect.knob == "a" else 0  # type: ignore[index]
        assert effect.effect == pytest.approx(expected, abs=1e-12)
        assert effect.n_unmatched + sum(level.n_configurations for level in effect.levels) == len(params)
        assert effect.levels[0].n_configurations == effect.n_matched
