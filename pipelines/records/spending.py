"""What was asked of language models, question by question: calls, tokens, seconds, and what clients say it cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from pipelines.records.values import DoubleArray, LongArray

T = TypeVar("T")


@dataclass(frozen=True)
class Spent:
    """What each question took, [n_questions] throughout, as it was when the answers were given.

    `calls`, `prompt_tokens` and `answer_tokens` are int64; `seconds` float64, summed as if one call followed another;
    `usd` float64 is what the clients themselves said, NaN where one of them said nothing.
    """

    calls: LongArray
    prompt_tokens: LongArray
    answer_tokens: LongArray
    seconds: DoubleArray
    usd: DoubleArray

    @classmethod
    def nothing(cls, n_questions: int) -> Spent:
        """Return what no call at all takes."""
        counts, amounts = np.zeros((3, n_questions), dtype=np.int64), np.zeros((2, n_questions))
        return cls(*counts, *amounts)

    def told(self, model: str) -> str:
        """Say what was asked of a model."""
        calls, asked, answered = (int(one.sum()) for one in (self.calls, self.prompt_tokens, self.answer_tokens))
        return f"{model} gave {calls:,} answers, to {asked:,} tokens of prompts with {answered:,} of its own."

    def priced(self, prompt: float | None, answer: float | None) -> DoubleArray:
        """Return USD a question at so many USD a million tokens; without both prices, what the clients said."""
        if prompt is None or answer is None:
            return self.usd
        usd: DoubleArray = (self.prompt_tokens * prompt + self.answer_tokens * answer) / 1e6
        return usd


@dataclass(frozen=True)
class Paid(Generic[T]):
    """A stage's output with what its language model took for it."""

    value: T
    spent: Spent
