"""Every transformer: queries in the order of the questions, one at least, each question's its own business."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipelines.models.chat import FunctionClient, register_chat_client
from pipelines.records import Queries
from pipelines.stages.transform import ChatTransformer, FeedbackTransformer, Transformer

from .registry import build, knobs, registered, values

EVERY = registered("transform")
QUESTIONS = ["When was the harbour of Arden opened?", "", "word", "  ?\n", "When was the harbour of Arden opened?"]


def _answer(prompt: str) -> str:
    return f"1. About {prompt[-9:]}\n2. And then?\n3. Why?"


def every_way(component: type[Transformer]) -> list[Any]:
    """The component with each knob changed in turn, asking a client that needs no network."""
    register_chat_client("contract", FunctionClient(_answer, "contract 1"))
    asked = {"endpoint": "client:contract", "model": "any"}
    changes = [{}, *({knob.name: value} for knob in knobs(component) for value in values(knob))]
    return [build(component, **{**asked, **change}) for change in changes]


@pytest.mark.parametrize("component", EVERY)
def test_every_question_has_its_queries_in_order(component: type[Transformer]) -> None:
    for one in every_way(component):
        queries = one.transform(QUESTIONS)
        assert queries.n_questions == len(QUESTIONS)
        assert queries.question.dtype == np.int32
        assert len(queries.question) == len(queries.texts)
        assert sorted(set(queries.question.tolist())) == list(range(len(QUESTIONS)))
        assert queries.question.tolist() == sorted(queries.question.tolist())
        if one.one_query:
            assert (len(queries.texts), queries.rrf_k) == (len(QUESTIONS), None)
        else:
            assert queries.rrf_k is not None, "a question's scores may not depend on how many queries others have"
        assert len(queries.meant) == len(queries.passages)
        assert len(queries.meant) in (0, len(queries.texts))


@pytest.mark.parametrize("component", EVERY)
def test_a_question_alone_has_the_same_queries(component: type[Transformer]) -> None:
    for one in every_way(component):
        together = one.transform(QUESTIONS)
        for row, question in enumerate(QUESTIONS):
            _assert_same(one.transform([question]), together.of_question(row)[0])


def _assert_same(one: Queries, other: Queries) -> None:
    fields = ("texts", "n_questions", "rrf_k", "meant", "passages")
    assert [getattr(one, name) for name in fields] == [getattr(other, name) for name in fields]
    assert one.question.tolist() == other.question.tolist()


@pytest.mark.parametrize("component", EVERY)
def test_no_question_has_no_query(component: type[Transformer]) -> None:
    for one in every_way(component):
        assert (one.transform([]).texts, one.transform([]).n_questions) == ((), 0)


@pytest.mark.parametrize("component", EVERY)
def test_what_decides_its_queries_is_part_of_what_it_is(component: type[Transformer]) -> None:
    """Equal fingerprints, equal queries; and knobs that decide nothing about them leave their key alone."""
    ways = every_way(component)
    for one in ways:
        for other in ways:
            if one.rewriting() == other.rewriting():
                assert one.transform(QUESTIONS).texts == other.transform(QUESTIONS).texts


@pytest.mark.parametrize("component", EVERY)
def test_feedback_says_what_it_feeds(component: type[Transformer]) -> None:
    one = build(component)
    if isinstance(one, FeedbackTransformer):
        assert one.feeds_words or one.feeds_vectors
        for words in (True, False):
            if one.feeds_words if words else one.feeds_vectors:
                assert one.looks_at(words=words) >= 1
                assert one.feeding(words=words)["version"] == component.version
    if isinstance(one, ChatTransformer):
        assert one.prompts("a question")
