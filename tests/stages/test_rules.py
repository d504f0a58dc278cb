"""Recency and a document's few chunks: exact before the cut, by hand and against doing it to the whole corpus."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pipelines.component import build
from pipelines.errors import ConfigurationError
from pipelines.planning.searching import Search
from pipelines.records import PADDING, Candidates, Column, FloatArray, Queries, Rankings
from pipelines.stages.retrieve import Corpus, Lookup, Retriever, Searcher
from pipelines.stages.retrieve.bm25 import BM25Retriever
from pipelines.stages.retrieve.hybrid import HybridRetriever
from pipelines.stages.retrieve.recency import Recency, decay
from pipelines.stages.retrieve.rules import RuledSearcher, Rules
from pipelines.topk import padded, top_k


@dataclass
class Table:
    """A searcher over scores as they are, float32 [n_queries, n_chunks]; -inf is no hit."""

    scores: FloatArray
    asked: list[int]

    def search(self, lookup: Lookup) -> Rankings:
        rows = np.asarray([int(text) for text in lookup.texts], dtype=np.int64)
        own = self.scores[rows]
        for row, mask in enumerate(lookup.candidates.mask):
            if mask != PADDING:
                own[row, ~lookup.candidates.allowed[mask]] = -np.inf
        depth = min(lookup.depth or 1, self.scores.shape[1])
        self.asked.append(depth)
        return padded(*top_k(own, depth), depth)


def lookup(n: int, n_chunks: int, depth: int | None = None, allowed: np.ndarray | None = None) -> Lookup:
    candidates = Candidates.everything(n, n_chunks)
    if allowed is not None:
        candidates = Candidates(np.zeros(n, dtype=np.int32), allowed[None, :])
    return Lookup([str(i) for i in range(n)], candidates, None, depth)


# Decay, by hand -----------------------------------------------------------------------------------------------------


def test_each_curve_is_one_today_and_a_half_at_the_age_that_is_named() -> None:
    ages = np.asarray([0.0, 5.0, 10.0, 20.0, 40.0])
    # half at 10 days: 2^-(age / 10); 2^-((age / 10)^2); 1 - age / 20, never below 0
    assert np.allclose(decay(ages, "exponential", 10), [1, 2**-0.5, 0.5, 0.25, 0.0625])
    assert np.allclose(decay(ages, "gauss", 10), [1, 2**-0.25, 0.5, 2**-4, 2**-16])
    assert np.allclose(decay(ages, "linear", 10), [1, 0.75, 0.5, 0, 0])


DATES = Column.of(["2024-03-31", "2024-03-21", None, "2024-03-11T08:30:00Z", "2024-03-31"])


def test_ages_count_from_the_newest_and_what_has_no_date_keeps_its_score() -> None:
    kept = Recency("day", "exponential", 10, 1.0, None).kept({"day": DATES})
    assert np.allclose(kept, [1, 0.5, 1, 0.25, 1])
    assert np.allclose(Recency("day", "linear", 10, 0.4, None).kept({"day": DATES}), [1, 0.8, 1, 0.6, 1])


def test_ages_count_from_the_day_that_is_given_and_the_future_is_no_age() -> None:
    kept = Recency("day", "exponential", 10, 1.0, "2024-03-21").kept({"day": DATES})
    assert np.allclose(kept, [1, 1, 1, 0.5, 1])


@pytest.mark.parametrize(
    ("field", "column", "told"),
    [
        ("publishd", Column.of(["2024-01-01"]), "has the metadata field 'publishd'; fields of dates are published"),
        ("published", Column.of([2024, 2025]), "needs dates such as 2024-03-31, but the metadata field 'published'"),
        ("published", Column.of(["2024-01-01", "soon"]), "holds 'soon'"),
        ("published", Column.of(["2024-02-31"]), "holds '2024-02-31'"),
        ("published", Column.of([None]), "no chunk has the metadata field 'published'; no field holds dates"),
    ],
)  # fmt: skip
def test_what_is_no_date_is_told(field: str, column: Column, told: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        Recency(field, "exponential", 10, 1.0, None).kept({"published": column})
    assert told in str(refused.value)
    assert str(refused.value).count("\n") == 0


def test_a_day_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"recency_from must be a day of the calendar such as 2024-12-31"):
        build("retrieve", {"use": "dense", "recency_from": "2024-02-31"}, "dense", "p.yaml")


# Before the cut -----------------------------------------------------------------------------------------------------


def test_a_negative_score_falls_with_age_too() -> None:
    table = Table(np.asarray([[-1.0, -1.1, 2.0, 1.5]], dtype=np.float32), [])
    rules = Rules(np.asarray([0.5, 1.0, 0.5, 0.8]))
    found = RuledSearcher(table, rules, 4, 4).search(lookup(1, 4))
    # 2 x 0.5 = 1; 1.5 x 0.8 = 1.2; -1.1 stays; -1 - 1 x 0.5 = -1.5
    assert found.chunk.tolist() == [[3, 2, 1, 0]]
    assert np.allclose(found.score, [[1.2, 1.0, -1.1, -1.5]])


def test_what_is_fresh_comes_up_from_far_below_the_depth() -> None:
    scores = np.linspace(1, 0.9, 50, dtype=np.float32)[None]
    kept = np.full(50, 0.1)
    kept[49] = 1.0
    table = Table(scores, [])
    assert RuledSearcher(table, Rules(kept), 1, 50).search(lookup(1, 50)).chunk.tolist() == [[49]]
    assert table.asked[-1] == 50


def test_no_more_is_asked_for_than_can_change_anything() -> None:
    table = Table(np.linspace(1, 0, 50, dtype=np.float32)[None], [])
    RuledSearcher(table, Rules(np.full(50, 0.999)), 3, 50).search(lookup(1, 50))
    assert table.asked == [6]


SCORES = hnp.arrays(
    np.float32,
    st.tuples(st.integers(1, 4), st.integers(1, 25)),
    elements=st.sampled_from([0.0, 1.0, 2.0, -1.0, 0.5, 0.75, 3.0, -np.inf]),
)


@given(SCORES, st.integers(1, 30), st.one_of(st.none(), st.integers(1, 3)), st.booleans(), st.booleans(), st.data())
@settings(max_examples=400, deadline=None)
def test_it_is_what_the_rules_make_of_the_whole_corpus(
    scores: FloatArray, depth: int, most: int | None, fades: bool, filters: bool, data: st.DataObject
) -> None:
    """Never fewer than possible, in the order of faded scores, the lower chunk first among equals."""
    n, n_chunks = scores.shape
    document = np.asarray(data.draw(st.lists(st.integers(0, 4), min_size=n_chunks, max_size=n_chunks)), dtype=np.int32)
    shares = st.sampled_from([0.0, 0.25, 0.5, 1.0])
    kept = np.asarray(data.draw(st.lists(shares, min_size=n_chunks, max_size=n_chunks)), dtype=np.float64)
    allowed = np.asarray(data.draw(st.lists(st.booleans(), min_size=n_chunks, max_size=n_chunks)), dtype=np.bool_)
    rules = Rules(kept if fades else None, document, most)
    found = RuledSearcher(Table(scores.copy(), []), rules, depth, n_chunks).search(
        lookup(n, n_chunks, None, allowed if filters else None)
    )
    for q in range(n):
        expected = naive(scores[q], kept if fades else np.ones(n_chunks), document, most, allowed | (not filters))
        width = min(depth, n_chunks)
        assert found.chunk[q].tolist() == (expected + [PADDING] * width)[:width]


def naive(
    scores: FloatArray, kept: np.ndarray, document: np.ndarray, most: int | None, allowed: np.ndarray
) -> list[int]:
    """Fade every score, sort all chunks, take them one by one."""
    value = [np.float32(s - abs(s) * (1 - w)) if np.isfinite(s) else -np.inf for s, w in zip(scores, kept, strict=True)]
    taken: list[int] = []
    for chunk in sorted(range(len(value)), key=lambda c: (-value[c], c)):
        own = sum(document[other] == document[chunk] for other in taken)
        if allowed[chunk] and np.isfinite(value[chunk]) and (most is None or own < most):
            taken.append(chunk)
    return taken


@given(SCORES, st.one_of(st.none(), st.integers(1, 3)), st.booleans(), st.data())
@settings(max_examples=200, deadline=None)
def test_a_smaller_depth_is_a_prefix(scores: FloatArray, most: int | None, fades: bool, data: st.DataObject) -> None:
    n, n_chunks = scores.shape
    document = np.arange(n_chunks, dtype=np.int32) // 3
    kept = np.asarray(data.draw(st.lists(st.floats(0, 1), min_size=n_chunks, max_size=n_chunks)), dtype=np.float64)
    searcher = RuledSearcher(Table(scores.copy(), []), Rules(kept if fades else None, document, most), 5, n_chunks)
    rows = [searcher.search(lookup(n, n_chunks, depth)) for depth in (1, 2, 5, 30)]
    for short, long in pairwise(rows):
        assert np.array_equal(short.chunk, long.chunk[:, : short.depth])
        assert np.array_equal(short.score, long.score[:, : short.depth])


# Through the components ---------------------------------------------------------------------------------------------

TEXTS = [f"harbour {'tariff ' * (i % 3)}number{i}" for i in range(30)]
CORPUS = Corpus(
    TEXTS,
    document=np.arange(30, dtype=np.int32) // 6,
    columns={"published": Column.of(f"2024-01-{1 + i // 6:02d}" for i in range(30))},
)


def searched(retriever: Retriever, n_queries: int = 1, corpus: Corpus = CORPUS) -> Rankings:
    return retriever.open(corpus).search(Lookup(["harbour tariff"] * n_queries, Candidates.everything(n_queries, 30)))


def test_a_document_gives_no_more_than_it_may() -> None:
    found = searched(BM25Retriever(depth=10, per_document=2)).chunk[0]
    assert np.bincount(CORPUS.document[found]).tolist() == [2] * 5
    assert np.bincount(CORPUS.document[searched(BM25Retriever(depth=5)).chunk[0]]).max() == 2
    assert np.bincount(CORPUS.document[searched(BM25Retriever(depth=5, per_document=1)).chunk[0]]).tolist() == [1] * 5
    assert (searched(BM25Retriever(depth=11, per_document=2)).chunk[0] != PADDING).sum() == 10, "no more are possible"


def test_the_newest_come_first_among_equals() -> None:
    found = searched(BM25Retriever(depth=6, recency_field="published", recency_days=1.0)).chunk[0]
    assert (CORPUS.document[found[:2]] == 4).all()


class Nearest:
    def search(self, queries: FloatArray, depth: int, allowed: np.ndarray | None) -> Rankings:
        chunk = np.broadcast_to(np.arange(min(depth, 30), dtype=np.int32), (len(queries), min(depth, 30)))
        return Rankings(chunk.copy(), np.broadcast_to(1 - chunk[0] / 50, chunk.shape).astype(np.float32))


@pytest.mark.parametrize("fusion", ["rrf", "weighted"])
def test_a_fusion_never_has_fewer_than_possible(fusion: str) -> None:
    """Both lists' best ten lie in two documents: without a cap in the lists, the pool would hold too few others."""
    hybrid = HybridRetriever(depth=10, pool=10, per_document=2, fusion=fusion)
    corpus = Corpus(TEXTS, Nearest(), CORPUS.document, CORPUS.columns)
    found = hybrid.open(corpus).search(
        Lookup(["harbour tariff"], Candidates.everything(1, 30), np.ones((1, 3), dtype=np.float32))
    )
    assert np.bincount(CORPUS.document[found.chunk[0]]).tolist() == [2] * 5


def test_several_queries_of_a_question_together_keep_to_it() -> None:
    searcher: Searcher = BM25Retriever(depth=10, per_document=2).open(CORPUS)
    queries = Queries(np.zeros(2, dtype=np.int32), ("number0 number1", "number2 number3 harbour"), 1)
    found = Search(queries, Candidates.everything(1, 30)).by(searcher).chunk[0]
    assert np.bincount(CORPUS.document[found[found != PADDING]]).max() == 2
    assert (found != PADDING).sum() == 10


def test_knobs_without_effect_decide_nothing() -> None:
    one, other = BM25Retriever(recency_days=3.0, title_field="name"), BM25Retriever(depth=3, min_score=1.0)
    assert one.searches() == other.searches()
    assert BM25Retriever(per_document=2).searches() != one.searches()
