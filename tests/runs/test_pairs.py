"""A pair of texts is scored once for ever, whatever else of the pipelines is changed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipelines import api
from pipelines.models.pair_scorer import Pair, PairScorer
from pipelines.pipeline import Pipeline
from pipelines.records import PADDING
from pipelines.settings import cache_folder
from tests.contracts.tiny import cross_encoder_folder

from .helpers import words


def reranked(depth: int, **stages: Any) -> Pipeline:
    model = {"use": "cross-encoder", "model": str(cross_encoder_folder()), "device": "cpu", "depth": depth}
    return words(**stages, rerank=model)


@pytest.fixture
def scored(monkeypatch: pytest.MonkeyPatch) -> list[Pair]:
    """The pairs that the model was given, but for single questions, whose latency is measured without looking up."""
    pairs: list[Pair] = []
    real = PairScorer.score

    def score(self: PairScorer, asked: Sequence[Pair], *rest: Any) -> Any:
        if len({question for question, _ in asked}) > 1:
            pairs.extend(asked)
        return real(self, asked, *rest)

    monkeypatch.setattr(PairScorer, "score", score)
    return pairs


def test_each_pair_is_scored_once(towns: Path, scored: list[Pair]) -> None:
    dataset = api.open_dataset(towns)
    shallow = api.evaluate(reranked(3), dataset).details
    first = list(scored)
    assert len(first) == len(set(first)) == int((shallow.rankings.chunk != PADDING).sum())
    scored.clear()
    deep = api.evaluate(reranked(6), dataset).details
    assert not set(scored) & set(first), "only the ranks below the former depth are new"
    assert len(set(scored) | set(first)) == int((deep.rankings.chunk != PADDING).sum())
    scored.clear()
    api.evaluate(reranked(5), dataset)
    assert scored == []


def test_a_store_that_was_lost_gives_the_same_ranking(towns: Path, scored: list[Pair]) -> None:
    dataset = api.open_dataset(towns)
    before = api.evaluate(reranked(4), dataset).details
    n = len(scored)
    for path in (cache_folder() / "rows").glob("*.db*"):
        path.write_bytes(b"damaged" * 100)
    for path in (cache_folder() / "rerank").iterdir():
        path.rename(path.with_name("gone"))
    after = api.evaluate(reranked(4), dataset)
    assert len(scored) == 2 * n
    assert np.array_equal(after.details.rankings.chunk, before.rankings.chunk)
    assert after.details.rankings.score.tobytes() == before.rankings.score.tobytes()
    assert any("was damaged" in note and "computed again" in note for note in after.run.notes)
