"""A filter does the same in a run, in a live question, in what-if and in a sweep's shared searches."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipelines.cache import Cache
from pipelines.execution import Execution
from pipelines.filter_report import ReadQuestion, filter_reported
from pipelines.golden.dataset import Dataset
from pipelines.latency import Stopwatch
from pipelines.live import Live
from pipelines.pipeline import Pipeline
from pipelines.planning.plan import Plan, plan, plans
from pipelines.settings import REPOSITORY
from pipelines.whatif import WhatIf
from pipelines.whatif.answer import Origin

FILTERS: list[dict[str, Any]] = [
    {"use": "known"},
    {"use": "inferred"},
    {"use": "boost"},
    {"use": "boost", "source": "known", "weight": 1.0},
    {"use": "where", "where": {"year": {"$gte": 2024}}},
]


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return Dataset.open(Path(REPOSITORY) / "datasets" / "meridian")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Cache:
    return Cache(tmp_path_factory.mktemp("cache"))


def planned(dataset: Dataset, chosen: dict[str, Any], **retrieve: Any) -> Plan:
    pipeline = Pipeline.parse({"filter": chosen, "retrieve": {"use": "bm25", **retrieve}})
    return plan(pipeline, dataset, dataset.select("test"))


@pytest.mark.parametrize("chosen", FILTERS, ids=str)
@pytest.mark.parametrize("rules", [{}, {"per_document": 2}], ids=str)
def test_a_live_question_is_answered_as_in_a_run(
    dataset: Dataset, cache: Cache, chosen: dict[str, Any], rules: dict[str, Any]
) -> None:
    work, run = planned(dataset, chosen, **rules), Execution(cache)
    rankings, live = run.get(work.rankings), Live.open(work, run)
    for q, question in enumerate(work.questions[:12]):
        answered = live.answer(question.text, question.filter)
        assert np.array_equal(answered.chunk[0], rankings.chunk[q])
        assert np.allclose(answered.score[0], rankings.score[q], atol=1e-5)


@pytest.mark.parametrize("chosen", FILTERS, ids=str)
def test_smaller_depths_are_cut_of_greater_ones(dataset: Dataset, cache: Cache, chosen: dict[str, Any]) -> None:
    pipelines = [planned(dataset, chosen, depth=depth).pipeline for depth in (7, 60)]
    together = plans(pipelines, dataset, dataset.select("test"))
    run = Execution(cache)
    short, long = (run.get(one.rankings) for one in together)
    alone = Execution(Cache(cache.root / "alone")).get(planned(dataset, chosen, depth=7).rankings)
    assert np.array_equal(short.chunk, long.chunk[:, :7])
    assert np.array_equal(short.chunk, alone.chunk)


def test_what_if_gives_the_bits_of_a_run(dataset: Dataset, cache: Cache) -> None:
    none, run = planned(dataset, {"use": "none"}), Execution(cache)
    run.get(none.scores)
    session = WhatIf.open(Origin(none.pipeline, dataset, "test"), cache)
    for chosen in FILTERS:
        work = planned(dataset, chosen)
        answer = session.evaluate(work.pipeline, ["recall@5"], resamples=100)
        assert np.array_equal(answer.now.scores.values, run.get(work.scores).values, equal_nan=True)


@pytest.mark.parametrize("chosen", FILTERS, ids=str)
def test_its_latency_is_measured(dataset: Dataset, cache: Cache, chosen: dict[str, Any]) -> None:
    watch = Stopwatch(planned(dataset, chosen), (0, 1, 2))
    assert [part.stage for part in watch.parts] == ["latency", "latency"]
    assert all(ms > 0 for ms in watch.milliseconds(Execution(cache)))


def test_with_and_without_are_paired(dataset: Dataset, cache: Cache) -> None:
    work = planned(dataset, {"use": "inferred"})
    report = filter_reported(work.pipeline, dataset, Execution(cache), split="test", metric="recall@5", seed=0)
    gain = report.gain
    assert gain.with_filter is not None and gain.without is not None and gain.difference is not None
    assert gain.difference == pytest.approx(gain.with_filter - gain.without)
    assert gain.low is not None and gain.high is not None and gain.low <= gain.difference <= gain.high
    assert gain.n == sum(question.answerable for question in work.questions)
    assert {one.field for one in report.fields} == {"company", "document_type", "edition", "quarter", "year"}
    for one in report.fields:
        assert one.right <= one.labelled
    assert all(q.gold_survival is not None and q.gold_survival < 1 for q in report.lost)
    none = filter_reported(
        planned(dataset, {"use": "none"}).pipeline, dataset, Execution(cache), split="test", metric="recall@5", seed=0
    )
    lost_before = ReadQuestion("q", "?", (), {}, gold_survival=0.5, gold_in_chunks=0.5, with_filter=0, without=0)
    lost_here = replace(lost_before, gold_survival=0.25)
    assert replace(report, questions=(lost_before, lost_here)).lost == (lost_here,)
    assert none.lost == ()
    assert none.gain.difference == 0
    assert none.precision.mean is None
    assert none.precision.reason == "the filter reads nothing out of questions"


def test_its_numbers_are_kept_with_its_notes(dataset: Dataset, tmp_path: Path) -> None:
    work, cache = planned(dataset, {"use": "inferred"}), Cache(tmp_path)
    first, again = Execution(cache), Execution(cache)
    one, other = first.get(work.scores), again.get(work.scores)
    assert np.array_equal(one.values, other.values, equal_nan=True)
    again.account_for(work.scores)
    assert any("reads conditions out of" in note for note in again.notes)
    assert np.isfinite(one.column("filter_precision")).any()
