"""A language model grades each chunk by itself."""

from __future__ import annotations

import re

import numpy as np
from pydantic import Field, field_validator

from pipelines.errors import shorten
from pipelines.models.chat import Prompt
from pipelines.models.chat_answers import Asker
from pipelines.records import PADDING, DoubleArray, IntArray, Rankings
from pipelines.stages.rerank import Retrieved, pairs_of
from pipelines.stages.rerank.judged import ChatReranker

_PLACES = ("{question}", "{passage}")
_NUMBER = re.compile(r"(?<![\d.])(\d+(?:\.\d+)?)(?:\s*/\s*(\d+))?")
_BEST = 10.0


class PointwiseReranker(ChatReranker, name="llm-pointwise", version=1):
    """Have a language model grade each chunk from 0 to 10, each by itself. Simple and robust, and a call a chunk.

    Grades are coarse: chunks of equal grade keep their former order. Choose `llm-listwise` for fewer calls and finer
    comparisons, if the model can follow a list. A chunk whose answer holds no grade keeps its former rank.
    """

    prompt: str = Field(
        "How well does the passage answer the question? Answer with one whole number from 0 (says nothing about it) to "
        "10 (answers it fully) and nothing else.\n\nQuestion: {question}\n\nPassage: {passage}\n\nGrade:",
        min_length=1,
        max_length=8_000,
        description="What the model is told; {question} and {passage} stand for the two texts",
        json_schema_extra={"format": "long"},
    )

    @field_validator("prompt")
    @classmethod
    def _with_places(cls, prompt: str) -> str:
        for place in _PLACES:
            if place not in prompt:
                raise ValueError(f"must hold {place} where that text stands, but got '{shorten(prompt)}'.")
        return prompt

    def calls(self, depth: int) -> int:
        """Return how many calls a question with `depth` chunks takes at most: one a chunk."""
        return min(depth, self.depth)

    def chunks_shown(self, depth: int) -> int:
        """Return how many chunks stand in the prompts of a question: each once."""
        return self.calls(depth)

    def asking(self, retrieved: Retrieved, ask: Asker) -> Rankings:
        """Return the first `depth` chunks of each question by falling grade."""
        given = retrieved.rankings.cut(self.depth)
        rows, ranks = np.nonzero(given.chunk != PADDING)
        answers = ask([self._asked(*pair) for pair in pairs_of(retrieved, self.depth)], rows.tolist())
        grades = np.asarray([grade_in(answer) for answer in answers], dtype=np.float64)
        useless = np.flatnonzero(np.isnan(grades))
        self.tell_of_useless(len(useless), len(answers), answers[useless[0]] if len(useless) else "", ask)
        table = np.full(given.chunk.shape, np.nan)
        table[rows, ranks] = grades
        return graded(given.chunk, table)

    def _asked(self, question: str, text: str) -> Prompt:
        parts = {"{question}": question, "{passage}": self.shown(text)}
        # One pass, so that a text which holds a place's name is left as it is.
        return Prompt.of(re.sub(r"\{question\}|\{passage\}", lambda found: parts[found.group()], self.prompt))


def grade_in(answer: str) -> float:
    """Return the first number of an answer that can be a grade, from 0 to 10; NaN where there is none."""
    for number, whole in _NUMBER.findall(answer):
        value = float(number)
        if value <= _BEST and whole in ("", "10"):
            return value
    return float("nan")


def graded(chunk: IntArray, grades: DoubleArray) -> Rankings:
    """Return chunks [n, depth] by falling grade, equal ones by former rank; what has no grade (NaN) keeps its rank.

    Where a chunk has none, it takes the score of the one before it, so that scores fall.
    """
    result = Rankings(chunk.copy(), np.zeros(chunk.shape, dtype=np.float32))
    for row in range(len(chunk)):
        places = np.flatnonzero((chunk[row] != PADDING) & ~np.isnan(grades[row]))
        order = places[np.argsort(-grades[row, places], kind="stable")]
        result.chunk[row, places] = chunk[row, order]
        n = int((chunk[row] != PADDING).sum())
        if len(places):
            nearest = np.maximum(np.searchsorted(places, np.arange(n), side="right") - 1, 0)
            result.score[row, :n] = grades[row, order][nearest]
    return result
