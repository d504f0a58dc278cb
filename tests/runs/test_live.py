"""A question asked live is answered as in a run, by every kind of pipeline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipelines import api
from pipelines.cache import Cache
from pipelines.execution import Execution
from pipelines.live import Live
from pipelines.planning.plan import plan
from pipelines.settings import cache_folder

from .helpers import vectors, words


@pytest.mark.parametrize(
    "stages",
    [
        {},
        {"retrieve": {"use": "bm25", "depth": 4, "per_document": 1}, "rerank": {"use": "lexical"}},
        {"rerank": {"use": "late-interaction", "depth": 3}},
        {"transform": {"use": "rm3"}},
    ],
)
def test_it_answers_as_a_run_does(towns: Path, stages: dict[str, Any]) -> None:
    dataset = api.open_dataset(towns)
    pipeline = words(**stages)
    run = api.evaluate(pipeline, dataset)
    work = plan(pipeline, dataset, dataset.select(None))
    live = Live.open(work, Execution(Cache(cache_folder())))
    for row, question in enumerate(work.questions):
        found = live.answer(question.text, question.filter)
        assert found.chunk[0].tolist() == run.details.rankings.chunk[row].tolist()
        assert np.allclose(found.score[0], run.details.rankings.score[row], atol=1e-5)


def test_a_fusion_answers_as_a_run_does(towns: Path) -> None:
    dataset = api.open_dataset(towns)
    pipeline = vectors(retrieve={"use": "hybrid", "depth": 5}, rerank={"use": "mmr"})
    run = api.evaluate(pipeline, dataset)
    work = plan(pipeline, dataset, dataset.select(None))
    live = Live.open(work, Execution(Cache(cache_folder())))
    question = work.questions[1]
    assert live.answer(question.text, {}).chunk[0].tolist() == run.details.rankings.chunk[1].tolist()
    assert live.answer("Is there anything else?", {}).chunk.shape == (1, 5)
