"""The waterfall adds up: on any data, for every question and cut, and each share is what its definition says."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings

from pipelines.losses.attribution import Lists, attributed
from pipelines.losses.fates import Fates
from pipelines.losses.fragments import Fragments
from pipelines.losses.stages import STAGES
from pipelines.records import DoubleArray
from pipelines.stages.score import Evaluation
from pipelines.stages.score.standard import StandardScorer

from .brute_force import Case, lost
from .cases import cases


def fates(case: Case) -> Fates:
    lists = Lists(case.before, case.after, case.cutoffs, case.budgets)
    return attributed(Fragments.of(case.gold, case.chunks), case.candidates, lists, case.chunks)


def recall(case: Case, cuts: tuple[str, ...]) -> DoubleArray:
    """Recall as the scorer measures it, float64 [n_questions, n_cuts]."""
    scorer = StandardScorer(cutoffs=tuple(case.cutoffs), budgets_tokens=tuple(case.budgets) or (1,))
    documents = 1 + int(max(case.gold.document.max(initial=0), case.chunks.document.max(initial=0)))
    scores = scorer.score(Evaluation(case.gold, case.chunks, documents, case.after, case.candidates))
    return np.stack([scores.column(name) for name in cuts], axis=1)


@settings(max_examples=400, deadline=None)
@given(cases())
def test_shares_are_not_negative_and_add_up_to_what_recall_lacks(case: Case) -> None:
    found = fates(case)
    shares, whole = found.shares(), recall(case, found.cuts)
    assert np.array_equal(np.isnan(shares[:, :, 0]), np.isnan(whole))
    scored = ~np.isnan(whole)
    assert (shares[scored] >= 0).all()
    assert np.abs(shares[scored].sum(axis=-1) - (1 - whole[scored])).max(initial=0) <= 1e-12


@settings(max_examples=400, deadline=None)
@given(cases())
def test_every_share_is_what_counting_characters_gives(case: Case) -> None:
    shares = fates(case).shares()
    for question in range(case.gold.n_questions):
        relevant, cuts = lost(case, question)
        for at, counted in enumerate(cuts):
            for number, stage in enumerate(STAGES):
                value = shares[question, at, number]
                assert np.isnan(value) if not relevant else value == counted[stage] / relevant, (question, at, stage)


@settings(max_examples=100, deadline=None)
@given(cases())
def test_fragments_hold_every_character_once(case: Case) -> None:
    found = fates(case)
    for question in range(case.gold.n_questions):
        relevant, _ = lost(case, question)
        assert found.relevant[question] == relevant
    assert (found.chars > 0).all()
    assert ((found.rank == 0) | (found.rank_before > 0)).all()
    assert ((found.chunk >= 0) | (found.rank_before == 0)).all()
