"""Every index, in every space: against brute force, under filters of many selectivities."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from pipelines.catalog import knobs
from pipelines.component import components
from pipelines.records import PADDING, BoolArray, FloatArray, Rankings
from pipelines.stages.index import Index, Searchable

from .registry import build
from .searching import assert_ranking

N, DIMENSIONS, N_QUERIES = 1_200, 24, 20
SHARES = (1 / N, 0.005, 0.05, 0.099, 0.101, 0.3, 0.5, 0.9, 0.999, 1.0)


def clustered(n: int, seed: int) -> FloatArray:
    """Vectors of differing lengths around forty centres, as texts on forty subjects lie; a few are equal."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(1).normal(size=(40, DIMENSIONS))
    rows = centres[rng.integers(0, 40, n)] + 0.4 * rng.normal(size=(n, DIMENSIONS))
    rows *= rng.uniform(0.7, 1.3, (n, 1))
    rows[n // 2] = rows[0]
    return rows.astype(np.float32)


VECTORS, QUERIES = clustered(N, 2), clustered(N_QUERIES, 3)


def brute_force(space: str, queries: FloatArray, vectors: FloatArray) -> np.ndarray:
    """Similarities in double precision: greater is nearer."""
    q, v = queries.astype(np.float64), vectors.astype(np.float64)
    if space == "cosine":
        q, v = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (q, v))
    return -((q[:, None] - v[None]) ** 2).sum(axis=2) if space == "l2" else q @ v.T


@dataclass
class Opened:
    component: Index
    search: Searchable
    space: str


def every_index() -> list[tuple[str, str]]:
    return [
        (name, space)
        for name, component in components("index").items()
        for space in next((k.choices for k in knobs(component) if k.name == "space"), ("cosine",))
    ]


@pytest.fixture(scope="module", params=every_index(), ids="-".join)
def opened(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    name, space = request.param
    component = build(components("index")[name], space=space)
    yield Opened(component, _open(component, VECTORS, tmp_path_factory.mktemp(name)), space)


def _open(component: Index, vectors: FloatArray, folder: Path) -> Searchable:
    if component.persistent:
        component.build(vectors, folder)
    return component.open(vectors, folder if component.persistent else None)


def random_mask(share: float) -> BoolArray:
    mask = np.zeros(N, dtype=np.bool_)
    mask[np.random.default_rng(int(1e4 * share)).permutation(N)[: max(1, round(share * N))]] = True
    return mask


def shared(found: Rankings, truth: np.ndarray) -> float:
    """The mean share of the truly nearest that were found."""
    pairs = zip(found.chunk, truth, strict=True)
    return float(np.mean([len(set(f.tolist()) & set(t.tolist())) / len(t) for f, t in pairs]))


def test_it_finds_the_nearest(opened: Opened) -> None:
    found = opened.search.search(QUERIES, 10, None)
    assert_ranking(found, N_QUERIES, N)
    truth = np.argsort(-brute_force(opened.space, QUERIES, VECTORS), axis=1, kind="stable")[:, :10]
    if opened.component.exact:
        assert np.array_equal(found.chunk, truth)
    else:
        assert shared(found, truth) >= 0.97
        twin = opened.component.exact_twin()
        assert twin.exact
        assert getattr(twin, "space", opened.space) == opened.space
        assert np.array_equal(twin.open(VECTORS, None).search(QUERIES, 10, None).chunk, truth)


def test_scores_are_the_similarities(opened: Opened) -> None:
    found = opened.search.search(QUERIES, 30, None)
    expected = np.take_along_axis(brute_force(opened.space, QUERIES, VECTORS), found.chunk.astype(np.int64), axis=1)
    assert np.allclose(found.score, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("share", SHARES)
def test_a_filter_leaves_as_many_as_are_asked_for(opened: Opened, share: float) -> None:
    allowed = random_mask(share)
    for depth in (1, 10, 200):
        found = opened.search.search(QUERIES, depth, allowed)
        assert_ranking(found, N_QUERIES, N)
        assert found.depth == depth
        assert allowed[found.chunk[found.chunk != PADDING]].all()
        assert np.all((found.chunk != PADDING).sum(axis=1) == min(depth, allowed.sum()))
    scores = np.where(allowed, brute_force(opened.space, QUERIES, VECTORS), -np.inf)
    best = np.argsort(-scores, axis=1, kind="stable")[:, : min(10, int(allowed.sum()))]
    assert shared(opened.search.search(QUERIES, 10, allowed), best) >= (1.0 if opened.component.exact else 0.95)


def test_it_returns_all_when_all_are_asked_for(opened: Opened) -> None:
    for depth in (N, N + 50):
        found = opened.search.search(QUERIES[:2], depth, None)
        assert_ranking(found, 2, N)
        assert np.all((found.chunk != PADDING).sum(axis=1) == N)


def test_it_is_deterministic_and_a_smaller_depth_is_a_prefix(opened: Opened) -> None:
    long, again = (opened.search.search(QUERIES, 50, None) for _ in range(2))
    assert np.array_equal(long.chunk, again.chunk)
    short = opened.search.search(QUERIES, 5, None)
    if opened.component.exact:
        assert np.array_equal(short.chunk, long.chunk[:, :5])
    else:  # an approximate search for fewer may look less far
        assert shared(short, long.chunk[:, :5]) >= 0.97


def test_a_filter_is_searched_approximately_from_the_share_that_is_set() -> None:
    """Never fewer than asked for either way; what a filter leaves is searched exactly up to that share."""
    from pipelines.stages.index.chroma import ChromaSearch
    from pipelines.stages.index.exact import ExactIndex

    class Blind:
        """A graph that finds nothing but the first chunk."""

        asked = 0

        def query(self, query_embeddings: FloatArray, **_: object) -> dict[str, list[list[str]]]:
            self.asked += 1
            return {"ids": [["0"]] * len(query_embeddings)}

    allowed, exactly = random_mask(0.3), ExactIndex().open(VECTORS, None)
    for share, asked in ((0.5, 0), (0.1, 1)):
        graph = Blind()
        found = ChromaSearch(graph, exactly, share).search(QUERIES, 5, allowed)
        assert graph.asked == asked
        assert np.array_equal(found.chunk, exactly.search(QUERIES, 5, allowed).chunk)


def test_no_queries(opened: Opened) -> None:
    assert opened.search.search(QUERIES[:0], 5, None).chunk.shape == (0, 5)


@pytest.fixture
def unverified(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spare the process that reads a built index back, which takes a second."""
    monkeypatch.setattr("pipelines.stages.index.chroma.verified", lambda *_: "")


@pytest.mark.usefixtures("unverified")
@pytest.mark.parametrize("name", list(components("index")))
@pytest.mark.parametrize("n", [0, 1, 3])
def test_tiny_indexes(name: str, n: int, tmp_path: Path) -> None:
    vectors = clustered(5, 4)[:n]
    found = _open(build(components("index")[name]), vectors, tmp_path / "index").search(QUERIES[:2], 4, None)
    assert_ranking(found, 2, n)
    assert np.all((found.chunk != PADDING).sum(axis=1) == min(4, n))


@pytest.mark.usefixtures("unverified")
@pytest.mark.parametrize("name", list(components("index")))
def test_zero_vectors_have_finite_scores(name: str, tmp_path: Path) -> None:
    """A model gives an empty text no direction at all; cosine must not divide by its length."""
    vectors = clustered(8, 4)
    vectors[3] = 0
    found = _open(build(components("index")[name]), vectors, tmp_path / "index").search(vectors[2:4], 8, None)
    assert_ranking(found, 2, 8)
    assert found.chunk[0, 0] == 2


@pytest.mark.parametrize("space", ["cosine", "ip", "l2"])
@pytest.mark.parametrize("share", [None, 0.02, 0.97, 1.0])
def test_exact_search_is_the_same_in_blocks_of_any_size(
    monkeypatch: pytest.MonkeyPatch, space: str, share: float | None
) -> None:
    """Also where the chunks between the allowed ones are scored, and where the allowed ones are copied."""
    from pipelines.stages.index import exact

    allowed = None if share is None else random_mask(share)
    index = exact.ExactIndex(space=space).open(VECTORS, None)
    whole = index.search(QUERIES, 30, allowed)
    for rows, queries, cost in ((7, 3, 25), (64, 512, 0), (500, 5, 10**9)):
        monkeypatch.setattr(exact, "_BLOCK_ROWS", rows)
        monkeypatch.setattr(exact, "_BLOCK_QUERIES", queries)
        monkeypatch.setattr(exact, "_COPY_COST", cost)
        found = index.search(QUERIES, 30, allowed)
        assert np.array_equal(found.chunk, whole.chunk)
        assert np.allclose(found.score, whole.score, rtol=1e-5, atol=1e-5)


def test_exact_search_does_not_copy_the_vectors() -> None:
    from pipelines.stages.index.exact import ExactIndex

    search = ExactIndex().open(VECTORS, None)
    search.search(QUERIES, 5, None)
    assert search.vectors is VECTORS
    held = [value for value in vars(search).values() if isinstance(value, np.ndarray) and value is not VECTORS]
    assert sum(value.nbytes for value in held) == 4 * N


def test_vectors_of_no_length_and_of_no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """A chunk whose vector is no number is never found; one of length 0 is near nothing."""
    from pipelines.stages.index import exact

    monkeypatch.setattr(exact, "_BLOCK_ROWS", 4)
    rows = VECTORS[:10].copy()
    rows[3], rows[5, 0] = 0, np.nan
    found = exact.ExactIndex().open(rows, None).search(QUERIES, 10, None)
    assert not (found.chunk == 5).any()
    assert (found.chunk == 3).sum() == N_QUERIES
    assert (found.score[found.chunk == 3] == 0).all()
    assert (found.chunk[:, -1] == PADDING).all()
