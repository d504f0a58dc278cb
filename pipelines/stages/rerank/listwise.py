"""A language model orders many chunks at a time, in a window that slides from the last ranks to the first."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np
from pydantic import Field

from pipelines.models.chat import Prompt
from pipelines.models.chat_answers import Asker
from pipelines.records import PADDING, Rankings
from pipelines.stages.rerank import Retrieved
from pipelines.stages.rerank.judged import ChatReranker

_SYSTEM = "You order passages by how well they answer a question."


class ListwiseReranker(ChatReranker, name="llm-listwise", version=1):
    """Have a language model order the chunks, some at a time (Sun et al., 2023). Fewer calls than grades.

    A window slides from the last ranks to the first, so that a good chunk is carried up; it takes a model that can
    follow a list. What an answer leaves out comes behind in its former order; an answer without any number changes
    nothing. Scores are 1 / rank.
    """

    window: int = Field(
        10, ge=2, le=100, description="Chunks that are ordered in one call", json_schema_extra={"unit": "chunks"}
    )
    step: int = Field(
        5,
        ge=1,
        le=100,
        description="How far the window moves on; never beyond its width",
        json_schema_extra={"unit": "chunks"},
    )

    def calls(self, depth: int) -> int:
        """Return how many calls a question with `depth` chunks takes at most: one a window."""
        return len(windows(min(depth, self.depth), self.window, min(self.step, self.window)))

    def chunks_shown(self, depth: int) -> int:
        """Return how many chunks stand in the prompts of a question: those of every window."""
        bounds = windows(min(depth, self.depth), self.window, min(self.step, self.window))
        return sum(end - start for start, end in bounds)

    def asking(self, retrieved: Retrieved, ask: Asker) -> Rankings:
        """Return the first `depth` chunks of each question in the order that the windows come to."""
        given = retrieved.rankings.cut(self.depth)
        orders = [[int(c) for c in row if c != PADDING] for row in given.chunk]
        useless, n_answers, example = 0, 0, ""
        for start, end in windows(given.depth, self.window, min(self.step, self.window)):
            rows = [row for row, order in enumerate(orders) if len(order[start:end]) > 1]
            texts = [[self.shown(retrieved.texts[c]) for c in orders[row][start:end]] for row in rows]
            asked = [_asked(retrieved.questions[row], own) for row, own in zip(rows, texts, strict=True)]
            for row, answer in zip(rows, ask(asked, rows), strict=True):
                part = orders[row][start:end]
                order = order_in(answer, len(part))
                n_answers += 1
                if order is None:
                    useless, example = useless + 1, example or answer
                else:
                    orders[row][start:end] = [part[i] for i in order]
        self.tell_of_useless(useless, n_answers, example, ask)
        return _ranked(orders, given.depth)


def windows(depth: int, window: int, step: int) -> list[tuple[int, int]]:
    """Return where each window begins and ends, from the last to the first, which begins at 0."""
    starts = [*range(max(depth - window, 0), 0, -step), 0]
    return [(start, min(start + window, depth)) for start in starts]


def order_in(answer: str, n: int) -> list[int] | None:
    """Return the places 0 to n - 1 in the order of an answer such as "[2] > [1]"; None where it names none of them.

    Numbers in brackets are read where there are any, else all numbers. What is left out comes behind, as it was.
    """
    bracketed = re.findall(r"\[\s*(\d+)\s*\]", answer)
    named = [int(number) - 1 for number in bracketed or re.findall(r"\d+", answer)]
    found = list(dict.fromkeys(place for place in named if 0 <= place < n))
    return [*found, *(place for place in range(n) if place not in found)] if found else None


def _asked(question: str, texts: Sequence[str]) -> Prompt:
    return Prompt.of("\n\n".join(_lines(question, texts)), _SYSTEM)


def _lines(question: str, texts: Sequence[str]) -> Iterator[str]:
    yield f"Question: {question}"
    yield from (f"[{i}] {' '.join(text.split())}" for i, text in enumerate(texts, 1))
    yield (
        f"Order these {len(texts)} passages by how well they answer the question, the best first. Answer with their "
        "numbers alone, such as [2] > [1] > [3]."
    )


def _ranked(orders: Sequence[Sequence[int]], depth: int) -> Rankings:
    found = Rankings.empty(len(orders), depth)
    for row, order in enumerate(orders):
        found.chunk[row, : len(order)] = order
        found.score[row, : len(order)] = 1 / np.arange(1, len(order) + 1)
    return found
