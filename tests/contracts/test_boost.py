"""A boost acts within the search, exactly: the same as adding the bonus to the score of every chunk and sorting."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.component import components
from pipelines.planning.searching import Search
from pipelines.records import PADDING, Candidates, Queries, Rankings
from pipelines.stages.index.exact import ExactIndex
from pipelines.stages.retrieve import Corpus, Retriever

from .registry import build, registered
from .searching import assert_ranking, texts, vectors

N_CHUNKS = 90
CHUNKS = texts(N_CHUNKS, seed=3)
QUESTIONS = tuple(texts(9, seed=5))
LEAVES = [param for param in registered("retrieve") if not build(param.values[0]).parts()]


def boosted(seed: int, weight: float = 0.4, n_levels: int = 3) -> Candidates:
    """Two masks of levels; every third question has none, and one mask leaves out a third of the chunks."""
    rng = np.random.default_rng(seed)
    level = rng.integers(0, n_levels, (2, N_CHUNKS)).astype(np.uint8)
    bonus = np.tile(weight * np.arange(n_levels) / max(1, n_levels - 1), (2, 1)).astype(np.float32)
    allowed = np.stack([np.ones(N_CHUNKS, dtype=np.bool_), rng.random(N_CHUNKS) < 0.66])
    mask = (np.arange(len(QUESTIONS)) % 3 - 1).astype(np.int32)
    return Candidates(mask, allowed, level, bonus)


def search(retriever: Retriever, candidates: Candidates, depth: int | None = None) -> Rankings:
    index = ExactIndex().open(vectors(CHUNKS), None) if retriever.needs_vectors else None
    own = vectors(list(QUESTIONS)) if retriever.needs_vectors else None
    searcher = retriever.open(Corpus(CHUNKS, index))
    return Search(Queries.of(QUESTIONS), candidates, own).by(searcher, depth)


@pytest.mark.parametrize("component", LEAVES)
@pytest.mark.parametrize("weight", [0.0, 0.05, 0.4, 5.0])
def test_it_is_what_adding_to_every_score_gives(component: type[Retriever], weight: float) -> None:
    retriever, candidates = build(component, depth=N_CHUNKS), boosted(1, weight)
    plain = search(retriever, Candidates(candidates.mask, candidates.allowed))
    found = search(retriever, candidates)
    assert_ranking(found, len(QUESTIONS), N_CHUNKS)
    for q, mask in enumerate(candidates.mask):
        hits = plain.chunk[q][plain.chunk[q] != PADDING]
        scores = plain.score[q][: len(hits)]
        if mask != PADDING and len(hits):
            added = candidates.bonus[mask][candidates.level[mask][hits]] * np.abs(scores.max())
            scores = (scores + added).astype(np.float32)
        order = np.lexsort((hits, -scores))
        assert np.allclose(found.score[q][: len(hits)], scores[order], rtol=1e-5, atol=1e-6)
        assert sorted(found.chunk[q][: len(hits)].tolist()) == sorted(hits.tolist())
        for chunk, score in zip(found.chunk[q][: len(hits)], found.score[q], strict=False):
            assert np.isclose(score, scores[list(hits).index(chunk)], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("component", registered("retrieve"))
def test_a_smaller_depth_is_a_prefix_of_a_larger(component: type[Retriever]) -> None:
    for seed in range(3):
        short, long = (search(build(component, depth=d), boosted(seed)) for d in (7, 60))
        assert np.array_equal(short.chunk, long.chunk[:, :7])
        assert np.array_equal(short.score, long.score[:, :7])


@pytest.mark.parametrize("component", registered("retrieve"))
def test_a_question_alone_is_answered_as_in_a_batch(component: type[Retriever]) -> None:
    retriever, candidates = build(component, depth=20), boosted(2)
    index = ExactIndex().open(vectors(CHUNKS), None) if retriever.needs_vectors else None
    own = vectors(list(QUESTIONS)) if retriever.needs_vectors else None
    searcher = retriever.open(Corpus(CHUNKS, index))
    whole = Search(Queries.of(QUESTIONS), candidates, own)
    together = whole.by(searcher)
    for q in range(len(QUESTIONS)):
        assert np.allclose(whole.only(q).by(searcher).score[0], together.score[q], atol=1e-4)


@pytest.mark.parametrize("component", registered("retrieve"))
def test_no_weight_changes_nothing(component: type[Retriever]) -> None:
    retriever, candidates = build(component, depth=20), boosted(4, 0.0)
    plain = search(retriever, Candidates(candidates.mask, candidates.allowed))
    assert np.array_equal(search(retriever, candidates).chunk, plain.chunk)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), n_levels=st.integers(1, 5), depth=st.integers(1, N_CHUNKS))
def test_the_best_of_all_is_among_the_best_of_each_level(seed: int, n_levels: int, depth: int) -> None:
    """Shown on the dense retriever: any levels, any depth."""
    candidates = boosted(seed, 0.5, n_levels)
    retriever = build(components("retrieve")["dense"], depth=depth)
    whole = search(build(components("retrieve")["dense"], depth=N_CHUNKS), candidates)
    found = search(retriever, candidates)
    assert np.array_equal(found.chunk, whole.chunk[:, :depth])
