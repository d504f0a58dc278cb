"""Every stage's sentence is made of the settings of the pipeline that lost there, whatever components it has."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.catalog import STAGE_NAMES
from pipelines.component import components
from pipelines.losses.advice import advice
from pipelines.losses.stages import STAGES
from pipelines.pipeline import Pipeline

DEFAULTS = Pipeline.parse({}).settings()


@pytest.mark.parametrize("stage", STAGES)
def test_a_sentence_for_every_component(stage: str) -> None:
    for name in STAGE_NAMES:
        for used, kind in components(name).items():
            knobs = {n: f.default for n, f in kind.model_fields.items() if not f.is_required()}
            told = advice(stage, {**DEFAULTS, name: {"use": used, **knobs}}, "recall@5")
            assert told.endswith(".") and told[0].isupper() and "None" not in told


@pytest.mark.parametrize(
    ("stage", "settings", "words"),
    [
        ("filter", {"filter": {"use": "inferred", "threshold": 0.5}}, ["'inferred'", "threshold (now 0.5)", "'boost'"]),
        ("retrieve", {"retrieve": {"use": "dense", "depth": 40}}, ["depth beyond 40", "'hybrid'"]),
        ("retrieve", {"retrieve": {"use": "hybrid", "depth": 40, "min_score": 0.2}}, ["min_score (now 0.2)", "pool"]),
        ("rerank", {"rerank": {"use": "mmr", "depth": 10, "lambda_mult": 0.3}}, ["'mmr'", "now 10", "now 0.3"]),
        ("chunk", {"chunk": {"use": "parent", "parent_size": 512}}, ["parent_size (now 512)"]),
        ("cut", {}, ["more than 5 chunks", "Add a reranker"]),
        ("budget", {"chunk": {"use": "fixed", "size": 512}}, ["512 tokens", "more than 2000 tokens"]),
    ],
)
def test_the_settings_are_named(stage: str, settings: dict[str, Any], words: list[str]) -> None:
    told = advice(stage, {**DEFAULTS, **settings}, "recall@2000tok" if stage == "budget" else "recall@5")
    assert [word for word in words if word not in told] == []
