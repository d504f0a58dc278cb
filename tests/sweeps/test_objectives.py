"""Objectives: metrics with the direction that they declare, cut-offs completed, what is not measured refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipelines import api
from pipelines.errors import ConfigurationError
from pipelines.pipeline import Pipeline
from pipelines.stages.score.families import FAMILIES
from pipelines.sweeps.objectives import MEASURED_OUTSIDE, Objective, objectives_of
from pipelines.sweeps.space import Space


def metrics(*texts: str, **stages: Any) -> list[str]:
    return [one.metric for one in objectives_of(texts, Space.parse(stages, "s.yaml"), "s.yaml")]


def test_the_direction_is_the_metrics_own() -> None:
    ndcg, tokens = Objective.parse("ndcg@10"), Objective.parse("-context_tokens@5")
    assert (ndcg.metric, ndcg.family, ndcg.higher_is_better, ndcg.direction) == ("ndcg@10", "ndcg", True, "maximize")
    assert (tokens.metric, tokens.higher_is_better, tokens.direction) == ("context_tokens@5", False, "minimize")
    assert Objective.parse("context_tokens@5") == tokens
    assert (ndcg.gain(0.5), tokens.gain(700.0)) == (0.5, -700.0)
    assert (tokens.declared.name, tokens.declared.unit) == ("context_tokens@5", "tokens")


@pytest.mark.parametrize("family", [*FAMILIES, *MEASURED_OUTSIDE], ids=lambda family: family.name)
def test_every_metric_of_a_run_can_be_one(family: Any) -> None:
    index = {"index": {"use": "chroma"}} if family.name == "ann_recall" else {}
    (found,) = objectives_of([family.name], Space.parse(index, "s.yaml"))
    assert found.higher_is_better == family.higher_is_better
    assert found.metric == (family.name if family.cut == "none" else f"{family.name}@10")


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        (["recall@5", "-context_tokens"], ["recall@5", "context_tokens@5"]),
        (["-context_tokens", "recall@5"], ["context_tokens@5", "recall@5"]),
        (["recall@2000tok", "context_tokens"], ["recall@2000tok", "context_tokens@2000tok"]),
        # Documents have no budgets of tokens: the greatest cut-off of at most 10.
        (["recall@2000tok", "doc_ndcg"], ["recall@2000tok", "doc_ndcg@10"]),
        (["-latency_ms_p95", "ndcg"], ["latency_ms_p95", "ndcg@10"]),
        ([" ndcg@10 "], ["ndcg@10"]),
    ],
)
def test_a_cut_off_left_out_is_the_first_that_is_named(texts: list[str], found: list[str]) -> None:
    assert metrics(*texts) == found


def test_a_cut_off_left_out_is_one_that_is_computed() -> None:
    assert metrics("ndcg", score={"use": "standard", "cutoffs": [1, 7, 20]}) == ["ndcg@7"]
    assert metrics("ndcg", score={"use": "standard", "cutoffs": [15, 20]}) == ["ndcg@15"]
    # Only 5 is computed by both alternatives.
    assert metrics("ndcg", score={"use": "standard", "cutoffs": [[5, 10], [3, 5]]}) == ["ndcg@5"]


REFUSED: list[tuple[list[str], dict[str, Any], str, str]] = [
    (["ndgc@10"], {}, "names 'ndgc@10', but there is no such metric", "Did you mean 'ndcg'?"),
    (["-ndcg@10"], {}, "names '-ndcg@10', but ndcg is better when higher", "write 'ndcg@10'."),
    (["precision_omega@5"], {}, "precision_omega has no cut-off", "write 'precision_omega'."),
    (["latency_ms"], {}, "there is no such metric", "Did you mean 'latency_ms_p"),
    (["ndcg@7"], {}, "names 'ndcg@7', which is not measured in every configuration", "ndcg@1, ndcg@3, ndcg@5, ndcg@10"),
    (["ndcg@"], {}, "names 'ndcg@', which is not measured", "there are ndcg@1"),
    (["doc_ndcg@500tok"], {}, "doc_ndcg@500tok", "doc_ndcg@1,"),
    (["ndcg@10"], {"score": {"use": "standard", "cutoffs": [[5], [10]]}}, "of ndcg there are ndcg@500tok", "cutoffs"),
    (["recall@5", "recall@5"], {}, "names recall@5 twice", "name it once."),
    (["-context_tokens", "context_tokens"], {}, "names context_tokens@10 twice", ""),
    (["ann_recall@5"], {}, "which only an approximate index has", "index: exact"),
    (["ann_recall@5"], {"index": ["chroma", "exact"]}, "which only an approximate index has", "index: exact"),
    (["ann_recall@7"], {"index": "chroma"}, "there are ann_recall@1, ann_recall@3, ann_recall@5,", "@20"),
]  # fmt: skip


@pytest.mark.parametrize(("texts", "stages", "said", "also"), REFUSED, ids=[" ".join(row[0]) for row in REFUSED])
def test_objectives_that_are_none(texts: list[str], stages: dict[str, Any], said: str, also: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        metrics(*texts, **stages)
    message = str(refused.value)
    assert message.startswith("s.yaml: search.objectives ")
    assert said in message
    assert also in message


@pytest.mark.slow
def test_they_are_the_metrics_of_a_run(towns: Path) -> None:
    """Every metric that a run holds can be an objective, declared alike; the approximate index's loss among them."""
    stages = {
        "embed": {"use": "minilm", "precision": "float32", "device": "cpu"},
        "chunk": {"use": "fixed", "size": 16},
        "index": {"use": "chroma"},
        "score": {"use": "standard", "cutoffs": [1, 5], "budgets_tokens": [20]},
    }
    run = api.evaluate(Pipeline.parse(stages), api.open_dataset(towns)).run
    measured = [one.metric for one in run.metrics]
    assert len(measured) > 20
    found = objectives_of([metric.name for metric in measured], Space.parse(stages, "s.yaml"))
    assert [one.declared for one in found] == measured
    known = {name for name in (one.metric for one in found)}
    with pytest.raises(ConfigurationError) as refused:
        objectives_of(["recall@3"], Space.parse(stages, "s.yaml"))
    assert all(name in known for name in str(refused.value).partition("there are ")[2].partition(":")[0].split(", "))
