"""A sweep over questions from which a reranker learnt says so."""

from __future__ import annotations

import pytest

from pipelines import api
from pipelines.sweeps.reporting import optimistic
from pipelines.sweeps.trials import Trial
from tests.conftest import MakeSet, town_documents
from tests.runs.test_learned import LEARNED, questions


@pytest.mark.parametrize(("split", "flatters"), [("train", True), ("all", True), ("dev", False), ("test", False)])
def test_configurations_that_learnt_from_what_they_are_chosen_on_are_named(
    write_set: MakeSet, split: str, flatters: bool
) -> None:
    dataset = api.open_dataset(write_set(town_documents(), questions(9)))
    bm25 = {"retrieve": {"use": "bm25"}}
    trials = [Trial(i, 0, "", {**bm25, "rerank": LEARNED} if i else bm25, {}, {}) for i in range(8)]
    notes = optimistic(trials, dataset, split)
    assert len(notes) == flatters
    assert all("#1, #2, #3, #4, #5 and 2 more learnt from 9 of these questions" in note for note in notes)
