"""Is it worth labelling more? What the last doubling of the pairs says, and what it cannot."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipelines.errors import ConfigurationError
from pipelines.finetune.curve import averaged, nearest_half, worth
from pipelines.finetune.spec import FinetuneSpec
from pipelines.finetune.submit import check_curve
from tests.finetune.test_gains import noise, run

SPEC = FinetuneSpec.parse({"embed": {"use": "finetuned"}, "retrieve": "dense"}, "spec.yaml")


def doubling(low: float | None, high: float | None) -> dict[str, Any]:
    middle = None if low is None or high is None else (low + high) / 2
    return {"from_pairs": 60, "to_pairs": 120, "difference": middle, "low": low, "high": high, "p": 0.1, "n": 50}


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.01, 0.05, "likely to pay"),
        (-0.02, 0.05, "cannot tell"),
        (-0.04, 0.005, "not likely to pay"),
        (None, None, "cannot tell"),
    ],
)
def test_what_the_last_doubling_says(low: float | None, high: float | None, verdict: str) -> None:
    found, sentence = worth(doubling(low, high), "ndcg@10")
    assert found == verdict
    assert sentence.endswith(".")
    assert worth(None, "ndcg@10")[0] == "cannot tell"


def test_the_half_of_the_largest_share() -> None:
    assert nearest_half([0.25, 0.5, 0.75, 1.0]) == 0.5
    assert nearest_half([0.1, 0.7, 1.0]) == 0.7
    assert nearest_half([0.9, 1.0]) is None
    assert nearest_half([]) is None


def test_seeds_are_averaged_question_by_question() -> None:
    first, second = noise(20), noise(20, 1)
    found = averaged([run(first), run(second)])
    assert found.scores.column("ndcg@10") == pytest.approx(np.mean([first, second], axis=0))


@pytest.mark.parametrize("shares", [[], [0.5, 0.25], [0.5, 0.5], [0.0, 1.0], [0.5, 1.5]])
def test_shares_that_make_no_curve(shares: list[float], sentence: Any) -> None:
    with pytest.raises(ConfigurationError) as refused:
        check_curve(SPEC, shares, 1)
    assert "0.25,0.5,0.75,1" in sentence(refused.value)


def test_a_curve_is_of_one_pipeline_and_a_few_seeds(sentence: Any) -> None:
    both = FinetuneSpec.parse({"embed": {"use": "finetuned", "blend": [0.5, 1.0]}, "retrieve": "dense"}, "spec.yaml")
    for spec, seeds in ((both, 1), (SPEC, 0), (SPEC, 21)):
        with pytest.raises(ConfigurationError) as refused:
            check_curve(spec, [0.5, 1.0], seeds)
        sentence(refused.value)
