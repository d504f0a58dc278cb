"""Weighted fusion where scores are not positive: what a list lacks never earns more than what it holds."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest

from pipelines.component import build
from pipelines.records import PADDING, Rankings
from pipelines.stages.retrieve import Retriever
from pipelines.stages.retrieve.normalise import Normalisation


def ranking(*hits: tuple[int, float]) -> Rankings:
    chunk, score = zip(*hits, strict=True)
    return Rankings(np.array([chunk], dtype=np.int32), np.array([score], dtype=np.float32))


DENSE, WORDS = ranking((0, -0.5), (1, -0.75), (2, -2.0)), ranking((3, 9.0), (4, 8.0), (5, 1.0))


def fused(normalisation: str, alpha: float) -> list[int]:
    knobs = {"use": "hybrid", "fusion": "weighted", "normalisation": normalisation, "alpha": alpha}
    retriever = build("retrieve", knobs, "dense", "test")
    assert isinstance(retriever, Retriever)
    chunk = retriever.fuse({"dense": DENSE, "bm25": WORDS}).chunk[0]
    return [int(c) for c in chunk if c != PADDING]


@pytest.mark.parametrize("normalisation", get_args(Normalisation))
def test_the_whole_weight_on_one_list_is_that_list(normalisation: str) -> None:
    assert fused(normalisation, 1.0) == [0, 1, 2]
    assert fused(normalisation, 0.0) == [3, 4, 5]


@pytest.mark.parametrize("normalisation", get_args(Normalisation))
def test_the_order_within_a_list_is_kept(normalisation: str) -> None:
    order = fused(normalisation, 0.9)
    assert [c for c in order if c < 3] == [0, 1, 2][: len([c for c in order if c < 3])]
    assert (
        order[0] == 0
    )  # 0.9 x the best dense score, above all that BM25 earns, save where scores are left as they are
