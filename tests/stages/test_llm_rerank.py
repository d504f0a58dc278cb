"""Rerankers that ask a language model: prompts, answers of every kind, windows, and what is done about useless ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pipelines.errors import ConfigurationError, EndpointError
from pipelines.models.chat import FunctionClient, register_chat_client
from pipelines.models.chat_answers import Asker
from pipelines.records import PADDING, Rankings
from pipelines.stages.rerank import Retrieved
from pipelines.stages.rerank.judged import ChatReranker
from pipelines.stages.rerank.listwise import ListwiseReranker, order_in, windows
from pipelines.stages.rerank.pointwise import PointwiseReranker, grade_in, graded

TEXTS = [f"text number {i}" for i in range(30)]
KNOBS = {"endpoint": "client:test-rerank", "model": "made"}


def given(*rows: list[int]) -> Retrieved:
    width = max(map(len, rows))
    chunk = np.asarray([row + [PADDING] * (width - len(row)) for row in rows], dtype=np.int32)
    score = np.where(chunk == PADDING, 0, 1 / np.arange(1, width + 1)).astype(np.float32)
    return Retrieved(Rankings(chunk, score), [f"question {q}" for q in range(len(rows))], TEXTS)


def answering(function: Callable[[str], str]) -> list[str]:
    """Register a client that answers by a function; what it is asked is noted."""
    prompts: list[str] = []
    register_chat_client("test-rerank", FunctionClient(lambda text: prompts.append(text) or function(text), "made"))
    return prompts


# Grades -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "grade"),
    [("7", 7), ("Grade: 10", 10), ("8/10", 8), ("I'd say 6.5 of it", 6.5), ("2024 says 3", 3), ("none", None),
     ("", None), ("11", None), ("3/5", None)],
)  # fmt: skip
def test_a_grade_is_the_first_number_that_can_be_one(answer: str, grade: float | None) -> None:
    found = grade_in(answer)
    assert (np.isnan(found) and grade is None) or found == grade


def test_what_has_no_grade_keeps_its_rank() -> None:
    chunk = np.asarray([[5, 6, 7, 8, PADDING], [1, 2, PADDING, PADDING, PADDING]], dtype=np.int32)
    grades = np.asarray([[2, np.nan, 9, 2, np.nan], [np.nan] * 5])
    found = graded(chunk, grades)
    assert found.chunk.tolist() == [[7, 6, 5, 8, -1], [1, 2, -1, -1, -1]]
    assert found.score.tolist() == [[9, 9, 2, 2, 0], [0] * 5]


def test_pointwise_asks_about_each_chunk_and_sorts_by_grade() -> None:
    prompts = answering(lambda text: text.split("text number ")[1].split("\n")[0])
    found = PointwiseReranker(**KNOBS, depth=3).rerank(given([1, 5, 3, 9], [2], []))
    assert found.chunk.tolist() == [[5, 3, 1], [2, -1, -1], [-1, -1, -1]]
    assert found.score.tolist() == [[5, 3, 1], [2, 0, 0], [0, 0, 0]]
    assert len(prompts) == 4
    assert "question 0" in prompts[0] and "text number 1\n" in prompts[0]


def test_a_text_that_looks_like_a_place_is_left_as_it_is() -> None:
    prompts = answering(lambda text: "1")
    odd = Retrieved(given([0]).rankings, ["{passage}?"], ["{question} {n}"])
    PointwiseReranker(**KNOBS, prompt="Q {question} P {passage}").rerank(odd)
    assert prompts == ["Q {passage}? P {question} {n}"]


def test_a_prompt_without_a_place_is_refused() -> None:
    with pytest.raises(ValueError, match=r"must hold \{passage\} where that text stands"):
        PointwiseReranker(**KNOBS, prompt="{question}")


# Lists --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "order"),
    [("[2] > [1] > [3]", [1, 0, 2]), ("3, 1", [2, 0, 1]), ("The best is [3].", [2, 0, 1]),
     ("[9] > [2] > [2]", [1, 0, 2]), ("Of 3 passages: [1] > [2]", [0, 1, 2]),
     ("none of them", None), ("", None), ("[0] > [4]", None)],
)  # fmt: skip
def test_an_order_is_read_with_what_is_left_out_behind(answer: str, order: list[int] | None) -> None:
    assert order_in(answer, 3) == order


def test_windows_slide_from_the_last_to_the_first() -> None:
    assert windows(20, 10, 5) == [(10, 20), (5, 15), (0, 10)]
    assert windows(12, 10, 5) == [(2, 12), (0, 10)]
    assert windows(4, 10, 5) == [(0, 4)]
    for depth in range(1, 40):
        covered = [False] * depth
        for start, end in windows(depth, 6, 4):
            covered[start:end] = [True] * (end - start)
        assert all(covered) and windows(depth, 6, 4)[-1][0] == 0


def test_a_good_chunk_is_carried_from_the_last_window_to_the_first() -> None:
    def by_number(text: str) -> str:
        lines = [line for line in text.splitlines() if line.startswith("[")]
        numbers = [int(line.rsplit(" ", 1)[1]) for line in lines if "text number" in line]
        return " > ".join(f"[{i + 1}]" for i in np.argsort([-n for n in numbers], kind="stable"))

    prompts = answering(by_number)
    found = ListwiseReranker(**KNOBS, window=4, step=2).rerank(given(list(range(10)), [3]))
    assert found.chunk[0, 0] == 9
    assert found.chunk[1].tolist() == [3] + [PADDING] * 9
    assert np.allclose(found.score[0, :3], [1, 1 / 2, 1 / 3])
    assert len(prompts) == 4, "(6, 10), (4, 8), (2, 6), (0, 4); a single chunk needs no order"


# Useless answers ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [PointwiseReranker, ListwiseReranker])
def test_useless_answers_are_counted_and_leave_the_former_order(kind: type[ChatReranker]) -> None:
    answering(lambda text: "I cannot say" if "question 0" in text else "[2] > [1]")
    notes: list[str] = []
    reranker = kind(**KNOBS)
    found = reranker.asking(given([1, 5], [2, 4]), Asker(reranker, note=notes.append))
    assert found.chunk[0].tolist() == [1, 5]
    assert [note for note in notes if "could not be read: there the former order stands" in note]
    answering(lambda text: "I cannot say")
    with pytest.raises(EndpointError, match=r"Not one of the . answers of made could be read"):
        reranker.asking(given([1, 5], [2, 4]), Asker(reranker))


def test_an_answer_is_paid_for_once(tmp_path: Path) -> None:
    prompts = answering(lambda text: "5")
    reranker = PointwiseReranker(**KNOBS, depth=2)
    first = reranker.asking(given([1, 5, 3]), Asker(reranker, tmp_path))
    ask = Asker(reranker, tmp_path)
    again = reranker.asking(given([1, 5, 3]), ask)
    assert len(prompts) == 2
    assert again.chunk.tolist() == first.chunk.tolist()
    assert ask.spent(1).calls.tolist() == [2], "what a run takes is told, looked up or not"


def test_price_and_carriage_decide_nothing() -> None:
    answering(lambda text: "5")
    plain = PointwiseReranker(**KNOBS)
    assert plain.decides() == PointwiseReranker(**KNOBS, retries=9, usd_per_million_answer_tokens=1.0).decides()
    assert plain.decides() != PointwiseReranker(**KNOBS, chunk_chars=100).decides()


def test_an_unknown_client_is_told() -> None:
    with pytest.raises(ConfigurationError, match="No chat client 'nobody' is registered"):
        PointwiseReranker(endpoint="client:nobody", model="x").rerank(given([1]))


def test_what_it_will_take_is_told_before_anything_is_asked() -> None:
    one = PointwiseReranker(**KNOBS, depth=20, chunk_chars=400, max_tokens=5).expected(["why?", "when?"], 100, 9000)
    assert (one.calls, one.answer_tokens) == (40, 200)
    assert one.prompt_tokens > 40 * 100
    many = ListwiseReranker(**KNOBS, depth=20, chunk_chars=400).expected(["why?"], 100, 9000)
    assert many.calls == 3
    assert many.prompt_tokens > 30 * 95
    few = PointwiseReranker(**KNOBS, depth=20).expected(["why?"], 7, 200)
    assert few.calls == 7 and few.prompt_tokens < many.prompt_tokens
