"""What the language models of a pipeline cost: a question of a run, and a sweep before it is begun."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipelines.execution import Execution
from pipelines.models.chat_knobs import ChatKnobs, Expected
from pipelines.planning.plan import Plan
from pipelines.records import DoubleArray, Spent

FREE = "no endpoint with a price was called"


def usd_a_question(plan: Plan, run: Execution) -> tuple[DoubleArray, str]:
    """Return USD a question, float64 [n_questions], and why it is NaN wherever it is not known.

    Answers that were looked up count as when they were given: their tokens, at the pipeline's price.
    """
    spendings = [(knobs, run.get(spent)) for knobs, spent in plan.spendings]
    unknown = np.full(len(plan.questions), np.nan)
    if not spendings:
        return unknown, FREE
    prices = [_usd(knobs, spent) for knobs, spent in spendings]
    unpriced = [knobs.model for (knobs, _), usd in zip(spendings, prices, strict=True) if np.isnan(usd).any()]
    total: DoubleArray = np.sum(prices, axis=0)
    if not unpriced:
        return total, ""
    asked = np.sum([spent.calls for _, spent in spendings], axis=0) > 0
    # Questions for which nothing was asked cost nothing; alone they would make a price of 0 out of an unknown one.
    return total if np.isfinite(total[asked]).any() else unknown, _unpriced(unpriced)


def _usd(knobs: ChatKnobs, spent: Spent) -> DoubleArray:
    return spent.priced(knobs.usd_per_million_prompt_tokens, knobs.usd_per_million_answer_tokens)


def _unpriced(models: Sequence[str]) -> str:
    names = ", ".join(dict.fromkeys(models))
    return f"no price is known of {names}: set usd_per_million_prompt_tokens and usd_per_million_answer_tokens"


@dataclass(frozen=True)
class Bill:
    """What language models are expected to take: tokens at most, and USD, None with the reason where not known."""

    calls: int = 0
    tokens: int = 0
    usd: float | None = None
    usd_reason: str | None = "no endpoint with a price is called"


def billed(expected: Sequence[tuple[ChatKnobs, Expected]]) -> Bill:
    """Return the sum of what several components are expected to take."""
    if not expected:
        return Bill()
    calls = sum(one.calls for _, one in expected)
    tokens = sum(one.prompt_tokens + one.answer_tokens for _, one in expected)
    unpriced = [knobs.model for knobs, one in expected if one.calls and not knobs.priced]
    if unpriced:
        return Bill(calls, tokens, None, _unpriced(unpriced))
    return Bill(calls, tokens, sum(_price(*one) for one in expected), None)


def _price(knobs: ChatKnobs, expected: Expected) -> float:
    prompt, answer = knobs.usd_per_million_prompt_tokens or 0.0, knobs.usd_per_million_answer_tokens or 0.0
    return (expected.prompt_tokens * prompt + expected.answer_tokens * answer) / 1e6
