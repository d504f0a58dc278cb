"""Every retriever, with each of its choices."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipelines.catalog import knobs
from pipelines.component import Component
from pipelines.records import PADDING, Candidates, Column, Rankings, Searchable
from pipelines.stages.index.exact import ExactIndex
from pipelines.stages.retrieve import Corpus, Lookup, Retriever

from .registry import build, registered
from .searching import assert_allowed, assert_ranking, masks, texts, vectors

QUESTIONS = texts(9, seed=5)
EVERY = registered("retrieve")


def variants(component: type[Component], depth: int) -> list[Retriever]:
    """Default knobs, and each choice of each knob."""
    found: list[Any] = [build(component, depth=depth)]
    for knob in knobs(component):
        found += [build(component, depth=depth, **{knob.name: choice}) for choice in knob.choices]
        if knob.name == "alpha":
            ends = [{"alpha": a, "fusion": f} for a in (0.0, 1.0) for f in ("rrf", "weighted")]
            found += [build(component, depth=depth, **end) for end in ends]
        if knob.name == "normalisation":
            found += [build(component, depth=depth, fusion="weighted", normalisation=n) for n in knob.choices]
    ageing = {"recency_field": "day", "recency_days": 100.0, "recency_weight": 0.1}
    found += [build(component, depth=depth, **ageing, recency_curve=curve) for curve in ("gauss", "linear")]
    return [*found, build(component, depth=depth, title_weight=2.0, title_field="name", **ageing)]


def search(retriever: Retriever, rows: list[str], asked: list[str], candidates: Candidates | None = None) -> Rankings:
    everything = Candidates.everything(len(asked), len(rows))
    index = ExactIndex().open(vectors(rows), None) if retriever.needs_vectors else None
    own = vectors(asked) if retriever.needs_vectors else None
    if own is not None and not asked:
        own = np.zeros((0, vectors(["a"]).shape[1]), dtype=np.float32)
    return retriever.open(corpus(rows, index)).search(Lookup(asked, candidates or everything, own))


def corpus(rows: list[str], index: Searchable | None) -> Corpus:
    """Five chunks a document, each with a name; every other one with a day."""
    document = np.arange(len(rows), dtype=np.int32) // 5
    days = Column.of([None if d % 2 else f"2024-01-{1 + d % 28:02d}" for d in document.tolist()])
    return Corpus(rows, index, document, {"day": days, "name": Column.of([f"name{d}" for d in document.tolist()])})


@pytest.mark.parametrize("component", EVERY)
def test_what_is_returned_is_a_ranking(component: type[Retriever]) -> None:
    rows = texts(80)
    for retriever in variants(component, 30):
        rankings = search(retriever, rows, QUESTIONS)
        assert_ranking(rankings, len(QUESTIONS), len(rows))
        assert rankings.depth == 30
        assert (rankings.chunk != PADDING).any(axis=1).sum() >= len(QUESTIONS) - 2, "hardly any question has a hit"


@pytest.mark.parametrize("component", EVERY)
def test_it_finds_the_text_itself(component: type[Retriever]) -> None:
    rows = texts(80)
    for retriever in variants(component, 10):
        found = search(retriever, rows, rows[20:30]).chunk[:, :2]
        assert sum(20 + i in row for i, row in enumerate(found)) >= 8, retriever


@pytest.mark.parametrize("component", EVERY)
def test_it_is_deterministic(component: type[Retriever]) -> None:
    rows = texts(80)
    for retriever in variants(component, 30):
        one, other = search(retriever, rows, QUESTIONS), search(retriever, rows, QUESTIONS)
        assert np.array_equal(one.chunk, other.chunk)
        assert np.array_equal(one.score, other.score)


@pytest.mark.parametrize("component", EVERY)
def test_a_smaller_depth_is_a_prefix_of_a_larger(component: type[Retriever]) -> None:
    rows = texts(90)
    candidates = masks(len(QUESTIONS), len(rows))
    for shallow, deep in zip(variants(component, 7), variants(component, 60), strict=True):
        for allowed in (None, candidates):
            short, long = search(shallow, rows, QUESTIONS, allowed), search(deep, rows, QUESTIONS, allowed)
            assert short.depth == 7
            assert np.array_equal(short.chunk, long.chunk[:, :7]), shallow
            assert np.array_equal(short.score, long.score[:, :7]), shallow


@pytest.mark.parametrize("component", EVERY)
def test_a_document_gives_a_few_chunks_and_never_fewer_than_possible(component: type[Retriever]) -> None:
    rows = texts(90)
    candidates = masks(len(QUESTIONS), len(rows))
    document = np.arange(len(rows)) // 5
    for most, depth in ((1, 7), (2, 30), (3, 60)):
        # As deep as the corpus, so that what there is to be had is known; pools of a fusion are then as deep, too.
        for allowed in (None, candidates):
            every = search(build(component, depth=len(rows)), rows, QUESTIONS, allowed)
            found = search(build(component, depth=depth, per_document=most), rows, QUESTIONS, allowed)
            assert_ranking(found, len(QUESTIONS), len(rows))
            for row, whole in zip(found.chunk, every.chunk, strict=True):
                own, there = row[row != PADDING], whole[whole != PADDING]
                assert np.bincount(document[own], minlength=1).max() <= most
                assert len(own) == min(depth, int(np.minimum(np.bincount(document[there], minlength=1), most).sum()))


@pytest.mark.parametrize("component", EVERY)
def test_the_filter_is_respected(component: type[Retriever]) -> None:
    rows = texts(80)
    candidates = masks(len(QUESTIONS), len(rows))
    for retriever in variants(component, 20):
        rankings = search(retriever, rows, QUESTIONS, candidates)
        assert_ranking(rankings, len(QUESTIONS), len(rows))
        assert_allowed(rankings, candidates)
        only_two = rankings.chunk[candidates.mask == 2]
        assert np.all((only_two != PADDING).sum(axis=1) <= 2)


@pytest.mark.parametrize("component", EVERY)
def test_a_filter_that_leaves_all_changes_nothing(component: type[Retriever]) -> None:
    rows = texts(80)
    n = len(QUESTIONS)
    every = Candidates(np.zeros(n, dtype=np.int32), np.ones((1, len(rows)), dtype=np.bool_))
    for retriever in variants(component, 20):
        plain, filtered = search(retriever, rows, QUESTIONS), search(retriever, rows, QUESTIONS, every)
        assert np.array_equal(plain.chunk, filtered.chunk)


@pytest.mark.parametrize("component", EVERY)
def test_a_filter_that_leaves_nothing_finds_nothing(component: type[Retriever]) -> None:
    rows = texts(80)
    none = Candidates(np.zeros(len(QUESTIONS), dtype=np.int32), np.zeros((1, len(rows)), dtype=np.bool_))
    for retriever in variants(component, 20):
        rankings = search(retriever, rows, QUESTIONS, none)
        assert_ranking(rankings, len(QUESTIONS), len(rows))
        assert np.all(rankings.chunk == PADDING)


@pytest.mark.parametrize("component", EVERY)
def test_more_depth_than_chunks(component: type[Retriever]) -> None:
    rows = texts(6)
    for retriever in variants(component, 500):
        rankings = search(retriever, rows, QUESTIONS)
        assert_ranking(rankings, len(QUESTIONS), len(rows))
        assert rankings.depth == 6


@pytest.mark.parametrize("component", EVERY)
def test_no_questions_no_words_and_no_chunks(component: type[Retriever]) -> None:
    for retriever in variants(component, 5):
        assert search(retriever, texts(10), []).chunk.shape[0] == 0
        assert_ranking(search(retriever, texts(10), ["", "!?", "unknownword"]), 3, 10)
        assert_ranking(search(retriever, ["", " ", "?"], QUESTIONS), len(QUESTIONS), 3)


@pytest.mark.parametrize("component", EVERY)
def test_a_question_alone_is_answered_as_in_a_batch(component: type[Retriever]) -> None:
    rows = texts(80)
    for retriever in variants(component, 10):
        together = search(retriever, rows, QUESTIONS)
        for q, question in enumerate(QUESTIONS):
            alone = search(retriever, rows, [question])
            # Matrix products of other shapes may differ in the last bit, and with them the order of near-equal scores.
            assert np.allclose(alone.score[0], together.score[q], atol=1e-4), retriever
