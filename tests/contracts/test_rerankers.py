"""Every reranker: it reorders, may drop, and never adds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from pipelines.models.chat import FunctionClient, register_chat_client
from pipelines.records import PADDING, Chunks, Column, Rankings
from pipelines.stages.rerank import Circumstances, FittedReranker, Reranker, Retrieved, TrainedReranker
from pipelines.stages.rerank.judged import ChatReranker

from .registry import one_knob_changed, registered
from .searching import assert_ranking, texts, vectors
from .tiny import cross_encoder_folder

EVERY = registered("rerank")
N_CHUNKS, N_QUESTIONS = 60, 7
CHUNKS = replace(
    Chunks.of(np.arange(N_CHUNKS) // 5, np.arange(N_CHUNKS) % 5 * 10, np.arange(N_CHUNKS) % 5 * 10 + 10),
    columns={"name": Column.of([("bank", "risk", None)[i % 3] for i in range(N_CHUNKS)])},
)


def every_way(component: type[Reranker]) -> Iterator[Reranker]:
    """The component with each knob changed in turn, but for the devices that this machine may lack."""
    return (ready(one) for one in one_knob_changed(component) if getattr(one, "device", "cpu") in ("auto", "cpu"))


def ready(one: Reranker) -> Reranker:
    """The reranker as it can rerank: with a model that grades and orders by the length of texts, or having learnt."""
    if isinstance(one, ChatReranker):
        register_chat_client("contract", FunctionClient(lambda text: f"{len(text) % 11} > 2", "by length"))
        return one.model_copy(update={"endpoint": "client:contract"})
    if isinstance(one, FittedReranker):
        given = retrieved(30)
        return one.learnt(one.table(given, given.rankings.chunk[:, : one.depth] % 3 == 0))
    if isinstance(one, TrainedReranker):
        return one.opened(cross_encoder_folder())
    return one


def retrieved(depth: int = 20, n_questions: int = N_QUESTIONS) -> Retrieved:
    """Random rankings of differing lengths, one of them empty and one of a single chunk."""
    rng = np.random.default_rng(depth)
    chunk = np.stack([rng.permutation(N_CHUNKS)[:depth] for _ in range(n_questions)] or [np.zeros(0)])
    chunk = chunk.astype(np.int32).reshape(n_questions, -1 if n_questions else depth)
    lengths = rng.integers(2, depth + 1, n_questions)
    lengths[:2] = [0, 1][: len(lengths[:2])]
    chunk[np.arange(chunk.shape[1]) >= lengths[:, None]] = PADDING
    score = np.where(chunk == PADDING, 0, np.linspace(1, 0.1, chunk.shape[1])).astype(np.float32)
    rows, asked = texts(N_CHUNKS), texts(9, seed=5)[:n_questions]
    own = vectors(asked) if asked else np.zeros((0, vectors(rows).shape[1]), dtype=np.float32)
    rankings = Rankings(chunk, score)
    about = Circumstances(CHUNKS, {"dense": rankings, "bm25": rankings.cut(5)}, [{"name": "risk"}] * n_questions)
    return Retrieved(rankings, asked, rows, vectors(rows), own, about)


@pytest.mark.parametrize("component", EVERY)
def test_it_returns_a_ranking_of_what_it_was_given(component: type[Reranker]) -> None:
    for reranker in every_way(component):
        given = retrieved()
        result = reranker.rerank(given)
        assert_ranking(result, N_QUESTIONS, N_CHUNKS)
        for before, after in zip(given.rankings.chunk, result.chunk, strict=True):
            kept, had = set(after[after != PADDING].tolist()), before[before != PADDING].tolist()
            assert kept <= set(had)
            wanted = min(len(had), getattr(reranker, "depth", len(had)))
            assert kept == set(had[:wanted]), "what lies within the depth was dropped, or what lies below came up"


@pytest.mark.parametrize("component", EVERY)
def test_it_is_deterministic_and_leaves_its_input_alone(component: type[Reranker]) -> None:
    for reranker in every_way(component):
        given = retrieved()
        before = given.rankings.chunk.copy()
        one, other = reranker.rerank(given), reranker.rerank(given)
        assert np.array_equal(one.chunk, other.chunk)
        assert np.array_equal(one.score, other.score)
        assert np.array_equal(given.rankings.chunk, before)


@pytest.mark.parametrize("component", EVERY)
def test_no_question_and_no_depth(component: type[Reranker]) -> None:
    for reranker in every_way(component):
        assert reranker.rerank(retrieved(n_questions=0)).n_questions == 0
        empty = retrieved()
        nothing = replace(empty, rankings=Rankings.empty(N_QUESTIONS, 0))
        assert reranker.rerank(nothing).chunk.shape == (N_QUESTIONS, 0)


@pytest.mark.parametrize("component", EVERY)
def test_it_tells_how_far_it_is(component: type[Reranker]) -> None:
    for reranker in every_way(component):
        told: list[tuple[int, int]] = []
        reranker.rerank(retrieved(), lambda done, total, told=told: told.append((done, total)))
        assert reranker.identity or told[-1][0] == told[-1][1] >= N_QUESTIONS - 1, "one question has no chunk"
        assert all(done <= total for done, total in told)
