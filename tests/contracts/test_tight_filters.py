"""A filtered search never returns fewer than asked for while enough chunks match: every index, every retriever."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from pipelines.component import components
from pipelines.planning.searching import Search
from pipelines.records import PADDING, Candidates, Queries
from pipelines.stages.index import Index, Searchable
from pipelines.stages.retrieve import Corpus, Retriever

from .registry import build, registered
from .searching import assert_allowed, assert_ranking, texts, vectors

N_CHUNKS, N_QUESTIONS = 1_000, 6
CHUNKS = texts(N_CHUNKS, seed=8)
# Of a thousand: none, one, a hundredth, about a tenth, just above it, half, all but one.
MATCHING = (0, 1, 10, 99, 101, 500, 999)


def candidates(n_matching: int) -> Candidates:
    """Another mask for every question, each leaving so many chunks; the last question has none."""
    rng = np.random.default_rng(n_matching)
    allowed = np.zeros((N_QUESTIONS - 1, N_CHUNKS), dtype=np.bool_)
    for row in allowed:
        row[rng.permutation(N_CHUNKS)[:n_matching]] = True
    return Candidates(np.r_[np.arange(N_QUESTIONS - 1), PADDING].astype(np.int32), allowed)


@pytest.fixture(scope="module", params=list(components("index")))
def opened(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Searchable]:
    index: Index = build(components("index")[request.param])
    folder = tmp_path_factory.mktemp(request.param) / "index"
    rows = vectors(CHUNKS)
    if index.persistent:
        index.build(rows, folder)
    yield index.open(rows, folder if index.persistent else None)


def searched(
    retriever: Retriever, index: Searchable, filtered: Candidates, per_question: int, depth: int
) -> np.ndarray:
    """Ask so many queries a question, fused by rank."""
    asked = texts(N_QUESTIONS * per_question + 5, seed=9)[5:]  # without the empty ones
    question = np.repeat(np.arange(N_QUESTIONS, dtype=np.int32), per_question)
    own = vectors(asked) if retriever.needs_vectors else None
    searcher = retriever.open(Corpus(CHUNKS, index if retriever.needs_vectors else None))
    rankings = Search(Queries(question, tuple(asked), N_QUESTIONS), filtered, own).by(searcher, depth)
    assert_ranking(rankings, N_QUESTIONS, N_CHUNKS)
    assert_allowed(rankings, filtered)
    return np.count_nonzero(rankings.chunk != PADDING, axis=1)


@pytest.mark.parametrize("per_question", [1, 3])
@pytest.mark.parametrize("n_matching", MATCHING)
def test_no_fewer_than_match(opened: Searchable, n_matching: int, per_question: int) -> None:
    retriever = build(components("retrieve")["dense"])
    for depth in sorted({1, 10, max(1, n_matching - 1), max(1, n_matching), n_matching + 1, 100}):
        found = searched(retriever, opened, candidates(n_matching), per_question, depth)
        assert (found[:-1] == min(depth, n_matching)).all()
        assert found[-1] == min(depth, N_CHUNKS)


@pytest.mark.parametrize("component", registered("retrieve"))
@pytest.mark.parametrize("n_matching", [1, 10, 101])
def test_every_retriever_finds_all_that_match(component: type[Retriever], n_matching: int) -> None:
    """By words only chunks with a word of the query are hits at all; of those none is lost to the filter."""
    from pipelines.stages.index.exact import ExactIndex

    retriever, index = build(component, depth=N_CHUNKS, pool=N_CHUNKS), ExactIndex().open(vectors(CHUNKS), None)
    everything = Candidates.everything(N_QUESTIONS, N_CHUNKS)
    filtered = candidates(n_matching)
    asked = tuple(texts(N_QUESTIONS + 5, seed=9)[5:])
    own = vectors(list(asked)) if retriever.needs_vectors else None
    searcher = retriever.open(Corpus(CHUNKS, index if retriever.needs_vectors else None))
    queries = Queries.of(asked)
    whole = Search(queries, everything, own).by(searcher).chunk
    found = Search(queries, filtered, own).by(searcher).chunk
    for row, mask in enumerate(filtered.mask[:-1]):
        expected = whole[row][(whole[row] != PADDING) & filtered.allowed[mask][whole[row]]]
        assert sorted(expected.tolist()) == sorted(found[row][found[row] != PADDING].tolist())


def test_also_a_graph_with_hardly_an_edge(tmp_path: Path) -> None:
    """Where Chroma's own search finds next to nothing, the promise stands."""
    index: Index = build(components("index")["chroma"], ef_search=10, M=2, ef_construction=10)
    rows = vectors(CHUNKS)
    index.build(rows, tmp_path / "index")
    search = index.open(rows, tmp_path / "index")
    allowed = candidates(101).allowed[0]
    assert (search.search(rows[:50], 101, allowed).chunk != PADDING).all()
