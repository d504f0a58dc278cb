"""The search space: which configurations a sweep file stands for, in which order, and how they are told apart."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, model_validator

from pipelines.catalog import STAGE_NAMES, all_components, knobs
from pipelines.component import _REGISTRY
from pipelines.errors import ConfigurationError
from pipelines.pipeline import Pipeline
from pipelines.stages.rerank import Reranker
from pipelines.sweeps.space import Choice, Space
from pipelines.sweeps.spec import SweepSpec
from tests.contracts.registry import required


def space(**stages: Any) -> Space:
    return Space.parse(stages, "s.yaml")


def params(found: Space) -> list[dict[str, Any]]:
    return [choice.params for choice in found.configurations()]


def only(found: Space, stage: str, knob: str) -> list[Any]:
    return [choice.settings[stage][knob] for choice in found.configurations()]


# Order --------------------------------------------------------------------------------------------------------------


def test_the_latest_stage_varies_fastest_whatever_the_order_of_the_file() -> None:
    found = space(rerank=["none", "mmr"], chunk={"use": "fixed", "size": [16, 32]}, retrieve=["bm25", "dense"])
    assert [tuple(row.values()) for row in params(found)] == list(
        itertools.product((16, 32), ("bm25", "dense"), ("none", "mmr"))
    )
    assert all(list(row) == ["chunk.size", "retrieve", "rerank"] for row in params(found))


def test_neighbours_share_the_longest_prefix() -> None:
    found = space(chunk={"use": "fixed", "size": [16, 32]}, retrieve={"use": ["bm25", "dense"], "depth": [5, 9]})
    changes = [
        next(name for name in a.settings if a.settings[name] != b.settings[name])
        for a, b in itertools.pairwise(found.configurations())
    ]
    # 8 configurations: chunks change once, after the fourth; retrieval at the six other steps.
    assert changes == ["retrieve"] * 3 + ["chunk"] + ["retrieve"] * 3


# What varies --------------------------------------------------------------------------------------------------------


def test_a_knob_exists_where_its_component_is_chosen() -> None:
    found = space(retrieve=["bm25", {"use": "hybrid", "alpha": [0.2, 0.4]}])
    assert params(found) == [
        {"retrieve": "bm25"},
        {"retrieve": "hybrid", "retrieve.alpha": 0.2}, {"retrieve": "hybrid", "retrieve.alpha": 0.4},
    ]  # fmt: skip
    component, alpha = found.knobs()
    assert (component.name, component.kind, component.values, component.when) == (
        "retrieve",
        "component",
        ("bm25", "hybrid"),
        (),
    )
    assert (alpha.name, alpha.kind, alpha.values, alpha.when) == ("retrieve.alpha", "values", (0.2, 0.4), ("hybrid",))


def test_several_components_under_use_share_the_knobs_that_they_have() -> None:
    found = space(retrieve={"use": ["bm25", "hybrid"], "depth": [5, 9], "alpha": 0.3})
    assert [c.settings["retrieve"] for c in found.configurations()] == [
        {"use": "bm25", "depth": 5}, {"use": "bm25", "depth": 9},
        {"use": "hybrid", "depth": 5, "alpha": 0.3}, {"use": "hybrid", "depth": 9, "alpha": 0.3},
    ]  # fmt: skip
    assert [axis.name for axis in found.knobs()] == ["retrieve", "retrieve.depth"]
    assert found.knobs()[1].when == ("bm25", "hybrid")


def test_knobs_that_are_allowed_other_values_are_drawn_apart() -> None:
    found = space(chunk=[{"use": "fixed", "size": [16, 32]}, {"use": "recursive", "size": [64, 128]}])
    assert [axis.name for axis in found.knobs()] == ["chunk", "chunk.fixed.size", "chunk.recursive.size"]
    assert params(found)[2] == {"chunk": "recursive", "chunk.size": 64}


def test_one_component_may_stand_twice() -> None:
    found = space(rerank=[{"use": "mmr", "lambda_mult": 0.2}, {"use": "mmr", "depth": [5, 9]}])
    assert params(found) == [
        {"rerank": "mmr"}, {"rerank": "mmr (2)", "rerank.depth": 5}, {"rerank": "mmr (2)", "rerank.depth": 9},
    ]  # fmt: skip


def test_a_knob_that_differs_between_alternatives_has_a_column() -> None:
    found = space(
        chunk=[{"use": "fixed", "size": 16}, {"use": "fixed", "size": 32}], retrieve={"use": "bm25", "depth": 9}
    )
    assert params(found) == [{"chunk": "fixed", "chunk.size": 16}, {"chunk": "fixed (2)", "chunk.size": 32}]


# Values -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "values"),
    [
        ({"from": 0.3, "to": 0.9, "step": 0.2}, [0.3, 0.5, 0.7, 0.9]),
        ({"from": 0.0, "to": 0.5, "step": 0.2}, [0.0, 0.2, 0.4]),
        ({"from": 0, "to": 1, "count": 4}, [0.0, 0.333333333333, 0.666666666667, 1.0]),
        # Equal ratios: 0.01 x 10, x 10.
        ({"from": 0.01, "to": 1, "count": 3, "log": True}, [0.01, 0.1, 1.0]),
        (0.25, [0.25]),
        (1, [1.0]),
        ([0.9, 0.1], [0.9, 0.1]),
    ],
)
def test_ranges_of_real_numbers(written: Any, values: list[float]) -> None:
    assert only(space(rerank={"use": "mmr", "lambda_mult": written}), "rerank", "lambda_mult") == values


@pytest.mark.parametrize(
    ("written", "values"),
    [
        ({"from": 3, "to": 6}, [3, 4, 5, 6]),
        ({"from": 3, "to": 9, "step": 3}, [3, 6, 9]),
        ({"from": 1, "to": 4, "count": 3}, [1, 2, 4]),  # 1, 2.5, 4; halves go to the even number
        ({"from": 10, "to": 1000, "count": 3, "log": True}, [10, 100, 1000]),
        ({"from": 1, "to": 3, "count": 9}, [1, 2, 3]),  # no number twice
        ([50, 5.0], [50, 5]),
    ],
)
def test_ranges_of_whole_numbers(written: Any, values: list[int]) -> None:
    found = only(space(rerank={"use": "mmr", "depth": written}), "rerank", "depth")
    assert found == values
    assert all(type(value) is int for value in found)


def test_a_knob_that_takes_a_list() -> None:
    assert only(space(score={"use": "standard", "cutoffs": [5, 1]}), "score", "cutoffs") == [[1, 5]]
    assert only(space(score={"use": "standard", "budgets_tokens": []}), "score", "budgets_tokens") == [[]]
    several = space(score={"use": "standard", "cutoffs": [[1], [5, 1]]})
    assert params(several) == [{"score.cutoffs": "[1]"}, {"score.cutoffs": "[1, 5]"}]


def test_a_knob_that_takes_a_mapping() -> None:
    one, other = {"year": {"$gte": 2023}}, {"status": "current"}
    assert only(space(filter={"use": "where", "where": one}), "filter", "where") == [one]
    found = space(filter={"use": "where", "where": [one, other]})
    assert only(found, "filter", "where") == [one, other]
    assert params(found)[1] == {"filter.where": '{"status": "current"}'}


def test_two_spellings_of_one_value_count_once() -> None:
    found = space(score={"use": "standard", "cutoffs": [[1, 5], [5, 1], [5, 5, 1]]})
    assert found.size() == 1
    assert only(found, "score", "cutoffs") == [[1, 5]]


def test_two_ways_to_the_same_pipeline_count_once() -> None:
    # 0.0 is the overlap's default: {16, 32} and {32} x {0.0, 0.1} share (32, 0.0).
    found = space(chunk=[{"use": "fixed", "size": [16, 32]}, {"use": "fixed", "size": 32, "overlap": [0.0, 0.1]}])
    assert found.size() == 3
    assert len({Pipeline.parse(choice.settings).fingerprint() for choice in found.configurations()}) == 3


def test_infinitely_many() -> None:
    found = space(rerank={"use": "mmr", "lambda_mult": {"from": 0.1, "to": 1, "log": True}})
    assert found.size() is None
    with pytest.raises(ConfigurationError, match="infinitely many"):
        next(found.configurations())
    (axis,) = found.knobs()
    assert (axis.kind, axis.low, axis.high, axis.integer, axis.log, axis.values) == (
        "range",
        0.1,
        1.0,
        False,
        True,
        None,
    )


# Declarations that no component has today ---------------------------------------------------------------------------


class Odd(Reranker):
    """Take an optional whole number in steps, and two knobs that do not go with each other."""

    cut: int | None = Field(None, ge=0, le=64, multiple_of=16, description="Optional, in steps of 16")
    fast: bool = Field(False, description="Whether to be fast")
    exact: bool = Field(False, description="Whether to be exact")

    @model_validator(mode="after")
    def _not_both(self) -> Odd:
        if self.fast and self.exact:
            raise ValueError("cannot be fast and exact at once")
        return self

    def rerank(self, retrieved: Any, progress: Any = None) -> Any:
        raise NotImplementedError


@pytest.fixture
def odd() -> Iterator[None]:
    all_components()
    Odd.name = "odd"
    _REGISTRY["rerank"]["odd"] = Odd
    yield
    del _REGISTRY["rerank"]["odd"]


@pytest.mark.usefixtures("odd")
def test_an_optional_knob_takes_null_and_a_declared_step_is_kept() -> None:
    assert only(space(rerank={"use": "odd", "cut": [None, 16]}), "rerank", "cut") == [None, 16]
    assert only(space(rerank={"use": "odd", "cut": {"from": 0, "to": 48}}), "rerank", "cut") == [0, 16, 32, 48]
    # 0, 24, 48: 24 is one and a half steps, which rounds to two.
    assert only(space(rerank={"use": "odd", "cut": {"from": 0, "to": 48, "count": 3}}), "rerank", "cut") == [0, 32, 48]


@pytest.mark.usefixtures("odd")
def test_values_that_do_not_go_together() -> None:
    stages: dict[str, Any] = {"rerank": {"use": "odd", "fast": [False, True], "exact": [True, False]}}
    with pytest.raises(ConfigurationError, match="cannot be fast and exact at once"):
        SweepSpec.parse(stages)
    sampled = SweepSpec.parse({**stages, "search": {"strategy": "random"}})
    assert sampled.space.size() == 3, "a sampler leaves out what cannot be built"
    with pytest.raises(ConfigurationError, match="cannot be fast and exact at once"):
        SweepSpec.parse({"rerank": {"use": "odd", "fast": True, "exact": True}, "search": {"strategy": "random"}})


# Invariants ---------------------------------------------------------------------------------------------------------

_NUMBERS = st.lists(st.integers(16, 60), min_size=1, max_size=3, unique=True)
_SHARES = st.lists(st.sampled_from([0.0, 0.1, 0.25, 0.5]), min_size=1, max_size=3, unique=True)
_CHUNK = st.fixed_dictionaries(
    {"use": st.sampled_from(["fixed", "recursive", "sentence", ["fixed", "recursive"]])},
    optional={"size": _NUMBERS, "overlap": _SHARES},
)
_RETRIEVE = st.fixed_dictionaries(
    {"use": st.sampled_from(["bm25", "hybrid", ["bm25", "dense"]])}, optional={"depth": _NUMBERS}
)
_STAGES = st.fixed_dictionaries(
    {},
    optional={
        "chunk": _CHUNK | st.lists(_CHUNK, min_size=1, max_size=3),
        "retrieve": _RETRIEVE,
        "rerank": st.sampled_from(
            ["none", ["none", "mmr"], [{"use": "mmr", "lambda_mult": {"from": 0, "to": 1, "count": 3}}]]
        ),
    },
)


def _space(stages: dict[str, Any]) -> Space | None:
    try:
        return Space.parse(stages, "s.yaml")
    except ConfigurationError as error:
        assert "twice with the same knobs" in str(error)
        return None


@given(stages=_STAGES)
def test_every_configuration_once(stages: dict[str, Any]) -> None:
    found = _space(stages)
    if found is None:
        return
    choices = list(found.configurations())
    assert len(choices) == found.size()
    assert (found.size_listed() or 0) >= len(choices)
    pipelines = [Pipeline.parse(choice.settings) for choice in choices]
    assert len({pipeline.fingerprint() for pipeline in pipelines}) == len(choices)
    assert len({found.identity(choice) for choice in choices}) == len(choices)
    assert all(list(choice.settings) == [n for n in STAGE_NAMES if n in choice.settings] for choice in choices)


@given(stages=_STAGES, fractions=st.lists(st.floats(0, 1, exclude_max=True), min_size=12, max_size=12))
def test_what_is_drawn_is_found_again(stages: dict[str, Any], fractions: list[float]) -> None:
    found = _space(stages)
    if found is None:
        return
    left = iter(fractions)
    choice = found.decide(lambda _, domain: domain.uniform(next(left)))
    again = found.decide(lambda name, _: choice.drawn[name])
    assert again == choice
    assert set(choice.drawn) <= set(found.domains)
    listed = {found.identity(one) for one in found.configurations()}
    assert found.identity(choice) in listed


@given(low=st.integers(1, 900), width=st.integers(1, 99), log=st.booleans(), fraction=st.floats(0, 1, exclude_max=True))
def test_draws_stay_within_an_interval(low: int, width: int, log: bool, fraction: float) -> None:
    found = space(rerank={"use": "mmr", "depth": {"from": low, "to": low + width, "log": log}})
    drawn = found.domains["rerank.depth"].uniform(fraction)
    assert low <= drawn <= low + width
    assert found.size() == width + 1


def test_every_numeric_knob_of_every_component_takes_a_range() -> None:
    tried = 0
    for stage, known in all_components().items():
        for name, component in known.items():
            for knob in knobs(component):
                if knob.schema.get("type") not in ("integer", "number") or knob.choices:
                    continue
                low = knob.schema.get("minimum", knob.schema.get("exclusiveMinimum", 0) + 0.25)
                high = knob.schema.get("maximum", low + 1)
                whole = knob.schema["type"] == "integer"
                found = space(**{stage: {"use": name, **required(component), knob.name: {"from": low, "to": high}}})
                (axis,) = found.knobs()
                assert axis.values is not None or (axis.low, axis.high, axis.integer) == (low, high, whole)
                tried += 1
    assert tried > 15


def test_the_size_is_the_product() -> None:
    found = space(
        chunk={"use": ["fixed", "recursive"], "size": [16, 32, 64]},
        retrieve=["bm25", {"use": "hybrid", "alpha": [0.2, 0.4, 0.6]}],
        rerank=["none", {"use": "mmr", "lambda_mult": [0.3, 0.6]}],
    )
    assert found.size() == math.prod((2 * 3, 1 + 3, 1 + 2))


def test_nothing_varies() -> None:
    assert list(space().configurations()) == [Choice({}, {}, {})]
    assert space(chunk="fixed").knobs() == []
