"""Specs: what they name, what is refused, and what each pipeline is held against."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipelines.errors import ConfigurationError
from pipelines.finetune.spec import FinetuneSpec
from pipelines.settings import REPOSITORY

ADAPTER: dict[str, Any] = {"use": "finetuned", "method": "adapter"}
Sentence = Callable[[object], str]


def spec(**values: Any) -> FinetuneSpec:
    return FinetuneSpec.parse({"embed": ADAPTER, "retrieve": "dense", **values}, "spec.yaml")


def test_a_pipeline_is_held_against_its_base_model() -> None:
    (one,) = spec().candidates
    assert one.trained == ("embed",)
    assert one.baseline.embed.name == "minilm"
    assert {k: v for k, v in one.baseline.components.items() if k != "embed"} == {
        k: v for k, v in one.pipeline.components.items() if k != "embed"
    }


def test_alternatives_are_compared_each_against_the_same_chunking() -> None:
    found = spec(
        chunk=[{"use": "fixed", "size": 64}, {"use": "fixed", "size": 128}],
        embed=[ADAPTER, {**ADAPTER, "adapter_fit": "closed"}, "minilm"],
    ).candidates
    assert len(found) == 4, "a base model is a baseline, not a candidate"
    assert len({one.label for one in found}) == 4
    assert all(one.baseline.chunk == one.pipeline.chunk for one in found)


def test_a_baseline_may_be_named() -> None:
    (one,) = spec(finetune={"baseline": {"retrieve": {"use": "bm25"}}}).candidates
    assert one.baseline.retrieve.name == "bm25"
    assert one.baseline.embed.name == "minilm"


def test_a_trained_reranker_is_held_against_none() -> None:
    (one,) = FinetuneSpec.parse({"rerank": {"use": "finetuned"}, "retrieve": "bm25"}, "spec.yaml").candidates
    assert one.trained == ("rerank",)
    assert one.baseline.rerank.name == "none"


def test_settings_read_back_as_the_same() -> None:
    one = spec(embed=[ADAPTER, {**ADAPTER, "blend": [0.5, 1.0]}], finetune={"split": "dev", "outside": "towns"})
    again = FinetuneSpec.parse(one.settings(), "again")
    assert again.settings() == one.settings()
    assert [c.pipeline.fingerprint() for c in again.candidates] == [c.pipeline.fingerprint() for c in one.candidates]


@pytest.mark.parametrize(
    "values",
    [
        {"finetune": {"train": "dev"}},
        {"finetune": {"train_on": "test"}},
        {"train": "dev"},
        {"train_on": "test"},
        {"finetune": {"train_split": ["train", "test"]}},
        {"embed": {**ADAPTER, "train_on": "test"}},
        {"embed": [{**ADAPTER, "split": "dev"}]},
        {"rerank": {"use": "finetuned", "train_on": "dev"}},
    ],
)
def test_training_on_dev_or_test_is_refused(values: dict[str, Any], sentence: Sentence) -> None:
    with pytest.raises(ConfigurationError) as refused:
        spec(**values)
    assert "training is on the train split, always" in sentence(refused.value)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"finetune": {"outsid": "x"}}, "Did you mean 'outside'?"),
        ({"finetune": {"split": "train"}}, "report on test"),
        ({"finetune": {"split": "tests"}}, "Did you mean 'test'?"),
        ({"finetune": ["test"]}, "takes a mapping"),
        ({"finetune": {"outside": 3}}, "name or folder"),
        ({"finetune": {"baseline": {"embd": "minilm"}}}, "Did you mean 'embed'?"),
        ({"embd": "minilm"}, "Did you mean 'embed'?"),
        ({"embed": {**ADAPTER, "learn_from": "elsewhere"}}, "learns from the dataset that it is asked for"),
        ({"embed": "minilm"}, "trains nothing"),
        ({"embed": {**ADAPTER, "blend": {"from": 0.0, "to": 1.0}}}, "infinitely many"),
        ({"embed": {**ADAPTER, "seed": list(range(101))}}, "100 at most"),
        ({"embed": {**ADAPTER, "patience": -1}}, "patience must be"),
    ],
)
def test_what_is_refused_says_what_to_do(values: dict[str, Any], told: str, sentence: Sentence) -> None:
    with pytest.raises(ConfigurationError) as refused:
        spec(**values)
    assert told in sentence(refused.value)


@pytest.mark.parametrize("text", ["", "- a\n", "embed: [", "[]", "just words"])
def test_files_that_are_none(text: str, tmp_path: Path, sentence: Sentence) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(text)
    with pytest.raises(ConfigurationError) as refused:
        FinetuneSpec.read(path)
    sentence(refused.value)


def test_an_embedder_that_nothing_searches_by_trains_nothing() -> None:
    with pytest.raises(ConfigurationError, match="trains nothing"):
        FinetuneSpec.parse({"embed": ADAPTER, "retrieve": "bm25"}, "spec.yaml")


def test_all_examples_of_the_documentation_are_specs() -> None:
    examples = sorted((REPOSITORY / "docs" / "examples" / "finetuning").glob("*.yaml"))
    assert len(examples) >= 3
    assert all(FinetuneSpec.read(path).candidates for path in examples)
