"""Gains before and after: said as they are, also where they are losses, or cannot be told."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace

import numpy as np
import pytest

from pipelines.compare.run_scores import RunScores
from pipelines.finetune.gains import METRICS, among, gains, optimism
from pipelines.finetune.report import Gained, Outcome
from pipelines.finetune.spec import FinetuneSpec
from pipelines.records import Evidence, Metric, Question, Rankings, Scores

_DECLARED = tuple(Metric(name, name.partition("@")[0], True) for name in METRICS)


def run(values: Sequence[float], name: str = "r", split: str = "test") -> RunScores:
    table = np.repeat(np.asarray(values, dtype=np.float64)[:, None], len(METRICS), axis=1)
    reason = np.isnan(table).astype(np.int16)
    ids = tuple(f"q{i:03}" for i in range(len(values)))
    return RunScores(name, name, "set", "1", split, ids, Scores(_DECLARED, table, reason, ("", "no evidence")))


def noise(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0.2, 0.6, n)


def test_a_gain_has_its_interval_p_and_n() -> None:
    old = noise(40)
    found = gains("all", run(old), {"tuned": run(old + noise(40, 1) / 4)}, METRICS, 0)["tuned"]
    first = found[0]
    assert [gain.metric for gain in found] == list(METRICS)
    assert (first.verdict, first.n, first.wins) == ("better", 40, 40)
    assert first.low is not None
    assert first.high is not None
    assert first.difference is not None
    assert 0 < first.low < first.difference < first.high
    assert first.sentence.startswith("Better on all questions")


def test_what_got_worse_is_said_to_have_got_worse() -> None:
    old = noise(40)
    found = gains("outside", run(old), {"tuned": run(old - noise(40, 1) / 4)}, METRICS, 0)["tuned"]
    assert found[0].verdict == "worse"
    assert found[0].sentence.startswith("GOT WORSE outside")


def test_no_difference_is_no_proof_of_any() -> None:
    old = noise(12)
    found = gains("all", run(old), {"tuned": run(old[::-1])}, METRICS, 0)["tuned"]
    assert found[0].verdict == "no difference shown"


def test_the_first_metric_is_corrected_over_the_runs_alone() -> None:
    old, new = noise(30), noise(30) + np.where(np.arange(30) % 3 == 0, 0.1, -0.02)
    alone = gains("all", run(old), {"a": run(new)}, METRICS, 0)["a"]
    assert alone[0].p_holm == alone[0].p
    assert alone[1].p_holm is not None
    assert alone[1].p is not None
    assert alone[1].p_holm > alone[1].p
    both = gains("all", run(old), {"a": run(new), "b": run(new, "other")}, METRICS, 0)["a"]
    assert both[0].p_holm is not None
    assert both[0].p is not None
    assert both[0].p_holm > both[0].p


@pytest.mark.parametrize(("n", "told"), [(0, "every question has evidence"), (1, "single question"), (5, "6 are the")])
def test_too_few_questions_have_a_reason(n: int, told: str) -> None:
    old = noise(10)
    few = [f"q{i:03}" for i in range(n)]
    found = gains("unseen", among(run(old), few), {"t": among(run(old + 0.1 * noise(10, 2)), few)}, METRICS, 0)["t"]
    assert found[0].n == n
    assert told in (found[0].reason or "")
    assert (found[0].difference is None) == (n == 0)


def test_questions_without_evidence_are_left_out_first() -> None:
    old = noise(20)
    unscored = np.where(np.arange(20) < 8, np.nan, old)
    whole = gains("all", run(unscored), {"t": run(unscored + 0.01 * np.arange(20))}, METRICS, 0)["t"][0]
    ids = [f"q{i:03}" for i in range(8, 20)]
    part = gains("all", among(run(old), ids), {"t": among(run(old + 0.01 * np.arange(20)), ids)}, METRICS, 0)["t"][0]
    assert (whole.n, whole.low, whole.high, whole.p) == (part.n, part.low, part.high, part.p)


def test_models_on_the_same_unseen_documents_are_corrected_for_together() -> None:
    old = noise(30)
    held = {"before": run(old, "before")} | {f"after {i}": run(old + noise(30, i) / 9, f"after {i}") for i in range(3)}
    kept = SimpleNamespace(rankings=Rankings.empty(0, 1), question_ids=(), fates=None)
    bench = SimpleNamespace(scores=held.get, details=lambda name: kept)
    questions = [Question(f"q{i:03}", "?", evidence=(Evidence(f"d{i % 2}", 0, 9),)) for i in range(30)]
    settings = {"embed": {"use": "finetuned", "seed": [0, 1, 2]}, "retrieve": "dense"}
    learnt = [frozenset({"d0"}), frozenset({"d0"}), frozenset({"d1"})]
    outcomes = [
        Outcome(one, (), {"reported": ("before", f"after {i}")}, documents)
        for i, (one, documents) in enumerate(zip(FinetuneSpec.parse(settings).candidates, learnt, strict=True))
    ]
    found = Gained(bench, questions, "test").candidates(outcomes)  # type: ignore[arg-type]
    unseen = [one["gains"]["unseen"][0] for one in found]
    assert [one["n"] for one in unseen] == [15, 15, 15]
    assert [one["p_holm"] > one["p"] for one in unseen] == [True, True, False]


def test_optimism_is_the_gain_on_dev_beyond_that_on_test() -> None:
    old = noise(50)
    on_dev = (run(old, split="dev"), run(old + 0.3 + noise(50, 3) / 10, split="dev"))
    on_test = (run(old), run(old + noise(50, 4) / 10))
    found = optimism("ndcg@10", on_dev, on_test, 0)
    assert found is not None
    assert found.low > 0
    assert found.difference == pytest.approx(found.dev - found.reported)
    assert "dev flatters it" in found.sentence("test")
    assert optimism("ndcg@10", (run(old[:1]), run(old[:1])), on_test, 0) is None
