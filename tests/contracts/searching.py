"""A small corpus to search in, and what must hold of any ranking."""

from __future__ import annotations

from hashlib import sha256

import numpy as np

from pipelines.records import PADDING, Candidates, FloatArray, Rankings

WORDS = tuple(
    "bank rate loan credit capital risk board policy report quarter profit margin cost branch client deposit bond "
    "yield equity audit fraud ledger treasury hedge swap option future index fund asset debt default recovery".split()
)
DIMENSIONS = 24


def texts(n: int, seed: int = 0) -> list[str]:
    """Short texts of common words; some are equal, one is empty, one is of no known word."""
    rng = np.random.default_rng(seed)
    rows = [" ".join(rng.choice(WORDS, rng.integers(3, 12))) for _ in range(n)]
    rows[n // 2] = rows[0]
    if n > 4:
        rows[1], rows[2] = "", "!?"
    return rows


def vectors(rows: list[str]) -> FloatArray:
    """The mean of its words' random directions, as the vector of a text; not of unit length."""
    empty = np.full(DIMENSIONS, 1e-3)
    return np.asarray([np.mean([_direction(w) for w in t.split()] or [empty], axis=0) for t in rows], dtype=np.float32)


def _direction(word: str) -> np.ndarray:
    return np.random.default_rng(int(sha256(word.encode()).hexdigest()[:8], 16)).normal(size=DIMENSIONS)


def masks(n_questions: int, n_chunks: int, seed: int = 0) -> Candidates:
    """Three masks, of which the last leaves two chunks only, and questions without a mask."""
    rng = np.random.default_rng(seed)
    allowed = np.stack([rng.random(n_chunks) < 0.5, rng.random(n_chunks) < 0.1, np.arange(n_chunks) < 2])
    return Candidates((np.arange(n_questions) % 4 - 1).astype(np.int32), allowed)


def assert_ranking(rankings: Rankings, n_questions: int, n_chunks: int) -> None:
    """No duplicates, falling scores, padding at the end only."""
    assert rankings.chunk.dtype == np.int32
    assert rankings.score.dtype == np.float32
    assert rankings.chunk.shape == rankings.score.shape
    assert rankings.n_questions == n_questions
    hit = rankings.chunk != PADDING
    assert np.all(hit[:, :-1] >= hit[:, 1:]), "a hit behind the padding"
    assert np.all(rankings.chunk < n_chunks) and np.all(rankings.chunk >= PADDING)
    assert np.all(rankings.score[~hit] == 0)
    assert np.all(np.isfinite(rankings.score))
    for chunk, score, n in zip(rankings.chunk, rankings.score, hit.sum(axis=1), strict=True):
        assert len(set(chunk[:n].tolist())) == n, "a chunk twice"
        assert np.all(np.diff(score[:n]) <= 0), "scores do not fall"


def assert_allowed(rankings: Rankings, candidates: Candidates) -> None:
    """Only chunks that the filter leaves."""
    for row, mask in zip(rankings.chunk, candidates.mask, strict=True):
        if mask != PADDING:
            assert candidates.allowed[mask][row[row != PADDING]].all(), "a chunk that was filtered out"
