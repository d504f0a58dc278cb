"""Rankings by hand: the best of many, fusion, normalisation, variety, words."""

from __future__ import annotations

from itertools import pairwise
from math import isclose, sqrt
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pipelines.records import PADDING, Candidates, Rankings
from pipelines.stages.rerank import Retrieved
from pipelines.stages.rerank.mmr import MMRReranker
from pipelines.stages.retrieve import Corpus, Lookup
from pipelines.stages.retrieve.bm25 import BM25Retriever
from pipelines.stages.retrieve.hybrid import HybridRetriever
from pipelines.stages.retrieve.normalise import Normalisation, normalised
from pipelines.topk import Best, fuse, padded, top_k


def ranking(*hits: tuple[int, float], depth: int | None = None) -> Rankings:
    """One row of (chunk, score), padded to `depth`."""
    width = depth or len(hits)
    chunk = np.full((1, width), PADDING, dtype=np.int32)
    score = np.zeros((1, width), dtype=np.float32)
    for i, (c, s) in enumerate(hits):
        chunk[0, i], score[0, i] = c, s
    return Rankings(chunk, score)


# The best of many ---------------------------------------------------------------------------------------------------

FEW_VALUES = st.sampled_from([0.0, 1.0, 2.0, -1.0, 0.5, float("-inf")]).map(np.float32)


@given(
    scores=hnp.arrays(np.float32, hnp.array_shapes(min_dims=2, max_dims=2, max_side=12), elements=FEW_VALUES),
    k=st.integers(1, 14),
)
@settings(max_examples=400)
def test_top_k_is_a_stable_sort_cut(scores: np.ndarray, k: int) -> None:
    columns, values = top_k(scores, k)
    expected = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    assert np.array_equal(columns, expected)
    assert np.array_equal(values, np.take_along_axis(scores, expected, axis=1))


@given(
    scores=hnp.arrays(np.float32, st.tuples(st.integers(1, 5), st.integers(1, 40)), elements=FEW_VALUES),
    k=st.integers(1, 14),
    cuts=st.lists(st.integers(0, 40), max_size=6),
)
@settings(max_examples=400)
def test_the_best_of_many_blocks_is_the_best_of_all(scores: np.ndarray, k: int, cuts: list[int]) -> None:
    """Ties across blocks too: the lower column comes first, and what is -inf is found in no block."""
    best, bounds = Best(len(scores), k), sorted({0, *cuts, scores.shape[1]})
    for start, end in pairwise(bound for bound in bounds if bound <= scores.shape[1]):
        best.add(np.arange(start, end, dtype=np.int32), scores[:, start:end])
    expected = padded(*top_k(scores, k), k)
    found = best.rankings(k)
    assert np.array_equal(found.chunk, expected.chunk)
    assert np.array_equal(found.score, expected.score)


def test_scores_that_rise_from_block_to_block() -> None:
    """The order in which a threshold helps least: every block holds the whole answer so far."""
    scores = np.arange(60, dtype=np.float32)[None, :].repeat(3, axis=0)
    best = Best(3, 4)
    for start in range(0, 60, 10):
        best.add(np.arange(start, start + 10, dtype=np.int32), scores[:, start : start + 10])
    assert best.rankings(5).chunk.tolist() == [[59, 58, 57, 56, -1]] * 3


def test_what_is_no_number_is_no_hit() -> None:
    nan, inf = np.nan, -np.inf
    rows = np.asarray([[nan, 1, nan, 3, 2], [nan] * 5, [inf, nan, 1, nan, inf]], dtype=np.float32)
    found = padded(*top_k(rows, 3), 3)
    assert found.chunk.tolist() == [[3, 4, 1], [-1] * 3, [2, -1, -1]]


def test_what_is_no_hit_becomes_padding() -> None:
    columns, values = top_k(np.asarray([[1, -np.inf, 3], [-np.inf] * 3], dtype=np.float32), 3)
    found = padded(columns, values, 4)
    assert found.chunk.tolist() == [[2, 0, -1, -1], [-1, -1, -1, -1]]
    assert found.score.tolist() == [[3, 1, 0, 0], [0, 0, 0, 0]]


# Fusion -------------------------------------------------------------------------------------------------------------


def test_reciprocal_ranks() -> None:
    dense, bm25 = ranking((7, 0.9), (3, 0.8), (5, 0.7)), ranking((3, 12.0), (9, 4.0), depth=3)
    fused = HybridRetriever(depth=10).fuse({"dense": dense, "bm25": bm25})
    assert fused.chunk.tolist() == [[3, 7, 9]]
    assert np.allclose(fused.score, [[1 / 62 + 1 / 61, 1 / 61, 1 / 62]])  # 3: second and first


def test_reciprocal_ranks_to_their_end() -> None:
    dense, bm25 = ranking((7, 0.9), (3, 0.8), depth=4), ranking((3, 12.0), (9, 4.0), depth=4)
    fused = HybridRetriever(depth=10, rrf_k=1).fuse({"dense": dense, "bm25": bm25})
    assert fused.chunk.tolist() == [[3, 7, 9, -1]]
    assert np.allclose(fused.score, [[1 / 3 + 1 / 2, 1 / 2, 1 / 3, 0]])


def test_weighted_scores() -> None:
    dense, bm25 = ranking((7, 0.9), (3, 0.8), (5, 0.5)), ranking((3, 12.0), (9, 4.0), (5, 2.0))
    fused = HybridRetriever(fusion="weighted", alpha=0.25).fuse({"dense": dense, "bm25": bm25})
    # min-max: 7 -> 1, 3 -> (0.8 - 0.5) / 0.4 = 0.75, 5 -> 0;  3 -> 1, 9 -> (4 - 2) / 10 = 0.2, 5 -> 0
    assert fused.chunk.tolist() == [[3, 7, 9]]
    assert np.allclose(fused.score, 2 * np.asarray([[0.25 * 0.75 + 0.75 * 1, 0.25 * 1, 0.75 * 0.2]]), atol=1e-6)


@pytest.mark.parametrize("fusion", ["rrf", "weighted"])
@pytest.mark.parametrize(("alpha", "first"), [(1.0, [7, 3, 5]), (0.0, [3, 9, 4])])
def test_all_the_weight_on_one_list_is_that_list(fusion: str, alpha: float, first: list[int]) -> None:
    dense, bm25 = ranking((7, 0.9), (3, 0.8), (5, 0.7)), ranking((3, 12.0), (9, 4.0), (4, 2.0))
    fused = HybridRetriever(fusion=fusion, alpha=alpha).fuse({"dense": dense, "bm25": bm25})
    n = 2 if fusion == "weighted" else 3  # the last of a list has min-max 0, as what is not in it
    assert fused.chunk[0, :n].tolist() == first[:n]


def test_equal_sums_are_in_order_of_the_chunks() -> None:
    one, other = ranking((8, 1.0), (2, 0.5)), ranking((5, 1.0), (9, 0.5))
    parts = [(r.chunk, np.asarray([[0.5, 0.25]])) for r in (one, other)]
    assert fuse(parts, 4).chunk.tolist() == [[5, 8, 2, 9]]


def test_normalisation() -> None:
    row = ranking((1, 4.0), (2, 2.0), (3, 0.0), depth=4)
    assert normalised(row, "min-max").tolist() == [[1, 0.5, 0, 0]]
    assert normalised(row, "max").tolist() == [[1, 0.5, 0, 0]]
    assert normalised(row, "none").tolist() == [[4, 2, 0, 0]]
    spread = sqrt((4 + 0 + 4) / 3)  # mean 2
    assert np.allclose(normalised(row, "z-score"), [[2 / spread, 0, -2 / spread, 0]])
    assert np.allclose(normalised(row, "distribution"), [[0.5 + 2 / (6 * spread), 0.5, 0.5 - 2 / (6 * spread), 0]])
    assert np.allclose(normalised(row, "sum"), [[4 / 6, 2 / 6, 0, 0]])
    assert np.allclose(normalised(row, "l2"), [[4 / sqrt(20), 2 / sqrt(20), 0, 0]])
    assert np.allclose(normalised(row, "rank"), [[1, 2 / 3, 1 / 3, 0]])


def test_a_theoretical_least_leaves_the_last_of_a_list_what_it_has() -> None:
    cosines = ranking((1, 0.8), (2, 0.5), (3, 0.2))
    assert np.allclose(normalised(cosines, "theoretical-min-max", -1.0), [[1, 1.5 / 1.8, 1.2 / 1.8]])
    assert np.allclose(normalised(ranking((1, 6.0), (2, 3.0)), "theoretical-min-max", 0.0), [[1, 0.5]])
    distances = ranking((1, -0.5), (2, -3.0))  # Less than the least of a cosine: the list's own least.
    assert np.allclose(normalised(distances, "theoretical-min-max", -1.0), [[1, 0]])


def test_an_outlier_does_not_press_the_others_together() -> None:
    row = ranking((0, 100.0), *((i, 1.0 - i / 100) for i in range(1, 40)))
    assert normalised(row, "distribution")[0, 0] == 1.0, "more than three deviations above the mean"
    assert normalised(row, "distribution")[0, 1:].min() > 0.4


@pytest.mark.parametrize("how", get_args(Normalisation))
def test_normalisation_of_equal_single_and_no_scores(how: str) -> None:
    for row in (ranking((1, 2.0), (2, 2.0)), ranking((1, 2.0)), ranking((1, 0.0)), Rankings.empty(2, 3)):
        assert np.all(np.isfinite(normalised(row, how)))  # type: ignore[arg-type]
    assert normalised(ranking((1, 2.0)), "min-max").tolist() == [[1.0]]


# Variety ------------------------------------------------------------------------------------------------------------

# A question along the first axis; chunk 0 near it, chunk 1 the same as 0, chunk 2 less near but different.
VECTORS = np.asarray([[0.8, 0.6, 0], [0.8, 0.6, 0], [0.6, 0, 0.8], [0, 1, 0]], dtype=np.float32)
QUESTION = np.asarray([[1, 0, 0]], dtype=np.float32)


def reranked(**knobs: float) -> Rankings:
    given = ranking((0, 0.8), (1, 0.8), (2, 0.6), (3, 0.0))
    return MMRReranker(**knobs).rerank(Retrieved(given, ["?"], [""] * 4, VECTORS, QUESTION))


def test_mmr_prefers_what_is_new() -> None:
    found = reranked(lambda_mult=0.5)
    # 2: 0.5 * 0.6 - 0.5 * 0.48 = 0.06; 1: 0.5 * 0.8 - 0.5 * 1 = -0.1; 3: 0 - 0.5 * 0.6 = -0.3
    assert found.chunk.tolist() == [[0, 2, 1, 3]]
    assert np.allclose(found.score, [[0.4, 0.06, -0.1, -0.3]], atol=1e-6)


def test_mmr_with_relevance_alone_keeps_the_order() -> None:
    found = reranked(lambda_mult=1.0)
    assert found.chunk.tolist() == [[0, 1, 2, 3]]
    assert np.allclose(found.score, [[0.8, 0.8, 0.6, 0.0]], atol=1e-6)


def test_mmr_with_variety_alone() -> None:
    # All start at 0, so the first of them; then 2 repeats 0.48 of it, 3 repeats 0.6, 1 all of it.
    assert reranked(lambda_mult=0.0).chunk.tolist() == [[0, 2, 3, 1]]


def test_mmr_does_not_depend_on_the_lengths_of_vectors() -> None:
    given = ranking((0, 0.8), (1, 0.8), (2, 0.6), (3, 0.0))
    # Powers of two, so that what was equal stays equal to the bit.
    longer = VECTORS * np.asarray([[4], [0.25], [8], [1]], dtype=np.float32)
    found = MMRReranker(lambda_mult=0.5).rerank(Retrieved(given, ["?"], [""] * 4, longer, 4 * QUESTION))
    assert found.chunk.tolist() == [[0, 2, 1, 3]]


def test_mmr_drops_what_lies_below_its_depth() -> None:
    assert reranked(lambda_mult=0.5, depth=2).chunk.tolist() == [[0, 1]]


# Words --------------------------------------------------------------------------------------------------------------


def bm25(texts: list[str], question: str, **knobs: object) -> Rankings:
    searcher = BM25Retriever(**{"depth": 10, **knobs}).open(Corpus(texts))
    return searcher.search(Lookup([question], Candidates.everything(1, len(texts))))


def test_bm25_by_hand() -> None:
    texts = ["heron heron lake", "lake shore", "stone wall tower gate"]
    found = bm25(texts, "heron lake", k1=1.2, b=0.5, stemmer="none", stop_words="none")
    # Lucene's idf: log(1 + (N - n + 0.5) / (n + 0.5)); tf / (tf + k1 * (1 - b + b * length / mean length)), mean 3
    idf_heron, idf_lake = np.log(1 + 2.5 / 1.5), np.log(1 + 1.5 / 2.5)
    norm = {n: 1.2 * (0.5 + 0.5 * n / 3) for n in (2, 3)}
    first = idf_heron * 2 / (2 + norm[3]) + idf_lake * 1 / (1 + norm[3])
    second = idf_lake * 1 / (1 + norm[2])
    assert found.chunk.tolist() == [[0, 1, -1]]
    assert isclose(found.score[0, 0] / found.score[0, 1], first / second, rel_tol=1e-5)


def test_bm25_meets_other_endings_and_ignores_frequent_words() -> None:
    texts = ["Banks lend.", "The of and to.", "A stone."]
    assert bm25(texts, "the bank lending").chunk.tolist() == [[0, -1, -1]]
    assert bm25(texts, "the bank lending", stemmer="none").chunk.tolist() == [[-1, -1, -1]]
    assert bm25(texts, "the", stop_words="none", stemmer="none").chunk.tolist() == [[1, -1, -1]]


def test_bm25_finds_short_words_numbers_and_other_scripts() -> None:
    texts = ["Article 7 b", "Straße ÄÖÜ", "котировки", "Q3 2024"]
    for question, chunk in (("7", 0), ("ÄÖÜ", 1), ("КОТИРОВКИ", 2), ("q3", 3), ("2024", 3)):
        assert bm25(texts, question, stemmer="none", stop_words="none").chunk[0, 0] == chunk, question


def test_a_repeated_word_of_the_question_is_no_error() -> None:
    assert bm25(["a stone", "a wall"], "stone stone stone").chunk.tolist() == [[0, -1]]
