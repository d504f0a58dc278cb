"""Maximal marginal relevance against a plain loop, and with the cosines remembered: the same to the bit."""

from __future__ import annotations

import numpy as np
import pytest

from pipelines.records import PADDING, FloatArray, Rankings
from pipelines.stages.rerank import Retrieved
from pipelines.stages.rerank import mmr as module
from pipelines.stages.rerank.mmr import Cosines, MMRReranker

N_CHUNKS = 90
LAMBDAS = (0.0, 0.3, 0.7, 1.0)


def given(n_questions: int = 9, depth: int = 14, seed: int = 3) -> Retrieved:
    """Rankings of all lengths from none to `depth`, over vectors that lean to one side, so that cosines differ."""
    rng = np.random.default_rng(seed)
    chunk = np.stack([rng.permutation(N_CHUNKS)[:depth] for _ in range(n_questions)]).astype(np.int32)
    chunk[np.arange(depth) >= rng.integers(0, depth + 1, n_questions)[:, None]] = PADDING
    vectors, asked = (rng.normal(0.4, 1, (n, 24)).astype(np.float32) for n in (N_CHUNKS, n_questions))
    return Retrieved(Rankings(chunk, np.zeros(chunk.shape, np.float32)), ["?"] * n_questions, [], vectors, asked)


def plain(row: list[int], vectors: FloatArray, asked: FloatArray, share: float) -> list[int]:
    """Choose one after the other, as the formula reads."""
    unit = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float64)
    question = (asked / np.linalg.norm(asked)).astype(np.float64)
    left, chosen = list(row), list[int]()
    while left:
        repeated = {c: max([0.0, *(float(unit[c] @ unit[one]) for one in chosen)]) for c in left}
        best = max(left, key=lambda c: share * float(unit[c] @ question) - (1 - share) * repeated[c])
        chosen.append(best)
        left.remove(best)
    return chosen


@pytest.mark.parametrize("share", LAMBDAS[1:])
def test_it_chooses_as_a_plain_loop_does(share: float) -> None:
    retrieved = given()
    assert retrieved.vectors is not None and retrieved.question_vectors is not None
    found = MMRReranker(lambda_mult=share).rerank(retrieved)
    for before, after, asked in zip(retrieved.rankings.chunk, found.chunk, retrieved.question_vectors, strict=True):
        row = before[before != PADDING].tolist()
        assert after[after != PADDING].tolist() == plain(row, retrieved.vectors, asked, share)
        assert np.all(after[len(row) :] == PADDING)


def test_a_question_alone_gets_the_bits_that_it_gets_among_others(monkeypatch: pytest.MonkeyPatch) -> None:
    retrieved, reranker = given(), MMRReranker(depth=10)
    together = reranker.rerank(retrieved)
    monkeypatch.setattr(module, "_BLOCK_BYTES", 1)
    alone = reranker.rerank(retrieved)
    assert alone.chunk.tobytes() == together.chunk.tobytes()
    assert alone.score.tobytes() == together.score.tobytes()


def test_remembered_cosines_give_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    cosines, computed = Cosines(), []
    real = module._Batch.cosines
    monkeypatch.setattr(module._Batch, "cosines", lambda batch, rows: computed.append(rows) or real(batch, rows))
    retrieved = given()
    for share in LAMBDAS:
        known = MMRReranker(lambda_mult=share).remembering(cosines).rerank(retrieved)
        fresh = MMRReranker(lambda_mult=share).rerank(retrieved)
        assert known.chunk.tobytes() == fresh.chunk.tobytes()
        assert known.score.tobytes() == fresh.score.tobytes()
    assert len(computed) == 1 + len(LAMBDAS)  # once for all that remember, once for each that does not


def test_other_rankings_vectors_or_depths_are_not_mistaken_for_those_remembered() -> None:
    cosines, first = Cosines(), given()
    other = given(seed=4)
    mixed = Retrieved(first.rankings, first.questions, [], other.vectors, first.question_vectors)
    for retrieved in (first, other, mixed, Retrieved(other.rankings, first.questions, [], *_own(first)), first):
        for depth in (5, 14):
            known = MMRReranker(depth=depth).remembering(cosines).rerank(retrieved)
            fresh = MMRReranker(depth=depth).rerank(retrieved)
            assert known.score.tobytes() == fresh.score.tobytes()


def _own(retrieved: Retrieved) -> tuple[FloatArray | None, FloatArray | None]:
    return retrieved.vectors, retrieved.question_vectors


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    cosines = Cosines()
    for seed in range(9):
        MMRReranker().remembering(cosines).rerank(given(seed=seed))
    assert len(cosines._held) == 4
    monkeypatch.setattr(module, "_REMEMBERED_BYTES", 2 * 4 * 9 * 15 * 15)  # two batches of nine times [15, 15] floats
    MMRReranker().remembering(cosines).rerank(given(seed=20))
    assert len(cosines._held) == 2
    monkeypatch.setattr(module, "_REMEMBERED_BYTES", 100)
    MMRReranker().remembering(cosines).rerank(given(seed=21))
    assert len(cosines._held) == 2, "a batch that is too large is not held, and costs the others nothing"


def test_remembering_changes_neither_settings_nor_key() -> None:
    own = MMRReranker(lambda_mult=0.2)
    assert own.remembering(Cosines()).settings() == own.settings()
    assert own.remembering(Cosines()).fingerprint() == own.fingerprint()
