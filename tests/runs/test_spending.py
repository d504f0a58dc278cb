"""What a question cost, where some models have no price."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from pipelines.records import Spent
from pipelines.spending import usd_a_question
from pipelines.stages.rerank.pointwise import PointwiseReranker


def test_without_a_price_a_question_for_which_nobody_was_asked_is_not_free() -> None:
    unpriced = PointwiseReranker(endpoint="http://127.0.0.1:9/v1", model="m")
    calls, asked, answered = (np.array([0, n], dtype=np.int64) for n in (1, 10, 5))
    spent = Spent(calls, asked, answered, seconds=np.array([0.0, 1.0]), usd=np.array([0.0, np.nan]))
    run: Any = SimpleNamespace(get=lambda _: spent)
    plan: Any = SimpleNamespace(spendings=[(unpriced, None)], questions=[1, 2])
    usd, why = usd_a_question(plan, run)
    assert np.isnan(usd).all() and "no price is known of m" in why
    priced = unpriced.model_copy(update={"usd_per_million_prompt_tokens": 1.0, "usd_per_million_answer_tokens": 2.0})
    plan.spendings = [(priced, None)]
    usd, why = usd_a_question(plan, run)
    assert usd.tolist() == [0.0, (10 * 1.0 + 5 * 2.0) / 1e6]
    assert not why
