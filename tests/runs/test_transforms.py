"""Transformed questions in runs: the same bits in a sweep, alone and live; language models are paid once, and told."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.witness import details_bits
from pipelines import api
from pipelines.cache import Cache
from pipelines.errors import EndpointError
from pipelines.execution import Execution
from pipelines.live import Live
from pipelines.models.chat import Prompt
from pipelines.pipeline import Pipeline
from pipelines.planning.plan import Plan, plan
from pipelines.runs.database import Database
from pipelines.runs.evaluate import evaluate
from pipelines.runs.record import Run
from pipelines.runs.store import RunStore
from pipelines.settings import cache_folder, database_url, home, runs_folder
from pipelines.stages.retrieve import Lookup
from pipelines.sweeps.batch import Asked, Batch, Kept, On
from pipelines.sweeps.engine import Engine
from pipelines.sweeps.estimate import estimate
from pipelines.sweeps.reported import Scored
from pipelines.sweeps.reporting import _free_where_none_is_asked
from pipelines.whatif import OutputsGone, forget_all
from tests.chat_server import FakeChat

EMBED = {"use": "minilm", "precision": "float32", "backend": "torch", "device": "cpu"}
KEY = "sk-very-secret-0123456789"
TERMS = {"harbour": ["port", "docks"], "railway": "train"}
WAYS: dict[str, dict[str, Any]] = {
    "none": {"use": "none"},
    "rm3": {"use": "rm3", "documents": 2, "terms_added": 4},
    "rm3 of another depth": {"use": "rm3", "documents": 4, "terms_added": 4},
    "rocchio": {"use": "rocchio", "documents": 2},
    "rocchio with gamma": {"use": "rocchio", "gamma": 0.2, "reach": 12, "irrelevant": 3},
    "feedback": {"use": "feedback", "documents": 3},
    "appended": {"use": "synonyms", "terms": TERMS},
    "wordings": {"use": "synonyms", "terms": TERMS, "how": "queries"},
}
NORTH = {"use": "where", "where": {"number": {"$gte": 2}}}


def pipeline(retrieve: str = "bm25", depth: int = 5, **stages: Any) -> Pipeline:
    settings = {"chunk": {"use": "fixed", "size": 16}, "embed": EMBED, "score": {"use": "standard", "cutoffs": [1, 3]}}
    return Pipeline.parse({**settings, "retrieve": {"use": retrieve, "depth": depth}, **stages})


def many() -> list[Pipeline]:
    return [
        pipeline(kind, depth, transform=way, filter=one)
        for kind in ("bm25", "dense", "hybrid")
        for way in WAYS.values()
        for depth, one in ((3, {"use": "none"}), (7, NORTH))
    ]


def batch(folder: Path, pipelines: list[Pipeline]) -> tuple[dict[int, Run], dict[int, str]]:
    dataset, store = api.open_dataset(folder), RunStore(Database(database_url()), runs_folder())
    asked = [Asked(i, one, f"#{i}") for i, one in enumerate(pipelines)]
    found: dict[int, str] = {}
    failed: dict[int, str] = {}
    run = Execution(Cache(cache_folder()))
    Batch(asked, On(dataset, None), run, Kept(store, found.update, failed.__setitem__), time.time()).carry_out(
        Engine(run)
    )
    return {number: store.get(run_id) for number, run_id in found.items()}, failed


def opened(folder: Path, one: Pipeline) -> tuple[Plan, Execution]:
    dataset = api.open_dataset(folder)
    return plan(one, dataset, dataset.select(None)), Execution(Cache(cache_folder()))


# Feedback -----------------------------------------------------------------------------------------------------------


def test_rows_of_a_sweep_are_those_of_runs_to_the_bit(towns: Path, tmp_path: Path) -> None:
    """Whatever depth others ask for: the first search of a feedback is its own."""
    pipelines = many()
    found, failed = batch(towns, pipelines)
    assert not failed
    assert len(found) == len(pipelines)
    dataset = api.open_dataset(towns)
    for number in range(0, len(pipelines), 7):
        alone = evaluate(pipelines[number], dataset, Cache(tmp_path / f"alone-{number}"))
        kept = api.details(found[number].id)
        assert details_bits(kept) == details_bits(alone.details), pipelines[number].label()


@pytest.mark.parametrize("kind", ["bm25", "dense", "hybrid"])
@pytest.mark.parametrize("way", list(WAYS))
def test_one_question_finds_what_all_find(towns: Path, kind: str, way: str) -> None:
    work, run = opened(towns, pipeline(kind, transform=WAYS[way]))
    rankings, live = run.get(work.rankings), Live.open(work, run)
    for row in (0, 5, len(work.questions) - 1):
        question = work.questions[row]
        alone = live.answer(question.text, question.filter)
        assert alone.chunk[0].tolist() == rankings.chunk[row].tolist()
        assert alone.score[0] == pytest.approx(rankings.score[row], abs=1e-5)


@pytest.mark.parametrize("kind", ["bm25", "dense", "hybrid"])
def test_feedback_changes_what_it_feeds_and_nothing_else(towns: Path, kind: str) -> None:
    def scores(way: str) -> list[float]:
        work, run = opened(towns, pipeline(kind, transform=WAYS[way]))
        return [float(one) for one in run.get(work.rankings).score.ravel()]

    plain = scores("none")
    assert (scores("rm3") == plain) == (kind == "dense")
    assert (scores("rocchio") == plain) == (kind == "bm25")
    assert scores("feedback") != plain


def test_what_feeds_nothing_says_so(towns: Path) -> None:
    run = api.evaluate(pipeline("dense", transform={"use": "rm3"}), api.open_dataset(towns)).run
    assert "rm3 changes nothing here: it feeds retrievers by words, and this one has none." in run.notes


def test_the_first_search_is_shared_with_the_pipeline_without(towns: Path) -> None:
    work, run = opened(towns, pipeline("bm25", transform=WAYS["rm3"]))
    plain, _ = opened(towns, pipeline("bm25", 2))
    assert work.fed_by(work.pipeline.retrieve)[0].key == plain.retrieved(plain.pipeline.retrieve).key
    assert work.queries.key == plain.queries.key
    assert work.retrieved(work.pipeline.retrieve).key != plain.retrieved(work.pipeline.retrieve).key
    del run


def test_weighted_words_score_as_their_sum(towns: Path) -> None:
    work, run = opened(towns, pipeline("bm25"))
    searcher, n_chunks = run.get(work.searcher(work.pipeline.retrieve)), len(run.get(work.chunks))

    def scores(text: str, terms: dict[str, float] | None = None) -> np.ndarray[Any, Any]:
        candidates = run.get(work.candidates).rows(slice(0, 1))
        found = searcher.search(Lookup([text], candidates, depth=n_chunks, terms=None if terms is None else [terms]))
        table = np.zeros(n_chunks)
        table[found.chunk[found.chunk >= 0]] = found.score[found.chunk >= 0]
        return table

    mixed = scores("ignored", {"harbour": 0.75, "arden": 0.25, "nowher": 3.0})
    assert mixed == pytest.approx(0.75 * scores("harbour") + 0.25 * scores("arden"), abs=1e-6)
    assert mixed.any()
    assert not scores("ignored", {}).any()


def test_the_reranker_is_given_the_question_as_it_was_asked(towns: Path) -> None:
    terms = {"use": "synonyms", "terms": TERMS, "how": "queries"}
    work, run = opened(towns, pipeline("dense", transform=terms, rerank={"use": "mmr"}))
    plain, _ = opened(towns, pipeline("dense", rerank={"use": "mmr"}))
    assert np.array_equal(run.get(work.question_vectors), run.get(plain.question_vectors))
    assert len(run.get(work.query_vectors)) > len(work.questions)


# Language models ----------------------------------------------------------------------------------------------------


def asking(chat: FakeChat, name: str = "hyde", retrieve: str = "dense", **knobs: Any) -> Pipeline:
    return pipeline(retrieve, transform={"use": name, **chat.settings(**knobs)})


@pytest.mark.parametrize("name", ["hyde", "multi-query", "step-back", "decompose"])
def test_a_run_asks_once_a_question_and_never_again(towns: Path, chat: FakeChat, name: str) -> None:
    chat.reply = lambda prompt: "When was it opened?\nThe harbour was opened in 1800."
    dataset = api.open_dataset(towns)
    first = api.evaluate(asking(chat, name, "hybrid"), dataset)
    n = len(dataset.select(None))
    assert len(chat.requests) == n, "neither the stopwatch nor anything else asks again"
    again = api.evaluate(asking(chat, name, "hybrid"), dataset)
    assert len(chat.requests) == n
    assert details_bits(again.details) == details_bits(first.details)
    assert any(f"fake gave {n} answers" in note for note in again.run.notes)


def test_what_was_answered_outlives_the_stages_outputs(towns: Path, chat: FakeChat) -> None:
    dataset = api.open_dataset(towns)
    first = api.evaluate(asking(chat), dataset)
    n = len(chat.requests)
    (cache_folder() / "transform").rename(home() / "gone")
    again = api.evaluate(asking(chat, usd_per_million_prompt_tokens=1.0, usd_per_million_answer_tokens=2.0), dataset)
    assert len(chat.requests) == n
    assert np.array_equal(again.details.rankings.chunk, first.details.rankings.chunk)
    # The fake counts words, and says again what it was asked: 1 + 2 millionths of a dollar a word.
    words = [len(prompt.split()) for prompt in chat.prompts]
    usd = again.run.measured("usd")
    assert usd.mean == pytest.approx(3e-6 * sum(words) / len(words))
    assert (usd.n, usd.unscored) == (n, 0)


def test_a_model_without_a_price_costs_nobody_knows_what(towns: Path, chat: FakeChat) -> None:
    usd = api.evaluate(asking(chat), api.open_dataset(towns)).run.measured("usd")
    assert usd.mean is None
    assert usd.reason is not None
    assert "no price is known of fake" in usd.reason


def test_a_sweep_repeated_asks_nothing(towns: Path, chat: FakeChat) -> None:
    """HyDE with its question and without, at two depths, and multi-query: each prompt is sent once for all of them."""
    pipelines = [asking(chat, with_question=yes) for yes in (True, False)] + [asking(chat, "multi-query")]
    pipelines += [asking(chat, retrieve="bm25", question_repeats=n) for n in (0, 5)]
    found, failed = batch(towns, pipelines)
    assert not failed
    assert len(found) == len(pipelines)
    n = len(api.open_dataset(towns).select(None))
    assert len(chat.requests) == 2 * n
    assert len(set(chat.prompts)) == len(chat.prompts)
    batch(towns, [asking(chat, with_question=True, concurrency=7), asking(chat, "multi-query", retries=1)])
    assert len(chat.requests) == 2 * n


def test_latency_holds_the_seconds_of_the_answers(towns: Path, chat: FakeChat) -> None:
    dataset = api.open_dataset(towns)
    work = plan(asking(chat), dataset, dataset.select(None))
    run = Execution(Cache(cache_folder()))
    ((_, spent),) = work.spendings
    slowest = 1000 * float(run.get(spent).seconds.max())
    measured = api.evaluate(asking(chat), dataset).run.measured("latency_ms_p95")
    assert measured.mean is not None
    assert measured.mean > 0.5 * slowest > 0


def test_an_endpoint_that_fails_keeps_what_was_answered(
    towns: Path, chat: FakeChat, sentence: Callable[[object], str]
) -> None:
    n = len(api.open_dataset(towns).select(None))
    chat.failures = [200] * 4 + [400] * n
    with pytest.raises(EndpointError) as refused:
        api.evaluate(asking(chat, concurrency=1), api.open_dataset(towns))
    sentence(refused.value)
    chat.failures = []
    answered = len(chat.requests)
    api.evaluate(asking(chat, concurrency=1), api.open_dataset(towns))
    assert len(chat.requests) - answered == n - 4


_EVALUATE = """
import sys
from pipelines import api
from pipelines.pipeline import Pipeline
settings = {"chunk": {"use": "fixed", "size": 16}, "retrieve": "bm25"}
hyde = {"use": "hyde", "endpoint": sys.argv[2], "model": "fake", "concurrency": 2}
api.evaluate(Pipeline.parse({**settings, "transform": hyde}), api.open_dataset(sys.argv[1]))
"""


@pytest.mark.slow
def test_a_process_that_is_killed_has_paid_for_what_was_under_way(
    towns: Path, chat: FakeChat, wait_until: Callable[..., None]
) -> None:
    hold = threading.Event()

    def reply(prompt: str) -> str:
        if len(chat.requests) > 6:
            hold.wait(60)
        return "It was opened."

    chat.reply = reply
    command = [sys.executable, "-c", _EVALUATE, str(towns), chat.url]
    process = subprocess.Popen(command)
    wait_until(lambda: _n_kept() == 6, 60)
    process.kill()
    process.wait()
    hold.set()
    before = len(chat.requests)
    subprocess.run(command, check=True, timeout=120)
    n = len(api.open_dataset(towns).select(None))
    assert (before, len(chat.requests) - before) == (8, n - 6), "two were under way"


def _n_kept() -> int:
    for file in (cache_folder() / "answers").glob("*.db"):
        with closing(sqlite3.connect(file, timeout=30)) as connection, suppress(sqlite3.OperationalError):
            return int(connection.execute("SELECT count(*) FROM answer").fetchone()[0])
    return 0


def test_one_failing_endpoint_leaves_the_rest_of_a_sweep_alone(
    towns: Path, chat: FakeChat, sentence: Callable[[object], str]
) -> None:
    chat.failures = [400] * 100
    found, failed = batch(towns, [pipeline(), asking(chat), asking(chat, with_question=False), pipeline("hybrid")])
    assert sorted(found) == [0, 3]
    assert sorted(failed) == [1, 2]
    assert "status 400" in sentence(failed[1])


def test_the_key_is_in_no_file(towns: Path, chat: FakeChat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", KEY)
    one = asking(chat, key_variable="MY_KEY")
    done = api.evaluate(one, api.open_dataset(towns))
    assert set(chat.keys) == {f"Bearer {KEY}"}
    assert KEY not in one.to_yaml() + json.dumps(done.run.settings) + " ".join(done.run.notes)
    assert "MY_KEY" in one.to_yaml()
    for path in home().rglob("*"):
        if path.is_file():
            assert KEY.encode() not in path.read_bytes(), path


def test_a_sweep_is_told_what_it_will_take_at_most(towns: Path, chat: FakeChat) -> None:
    dataset, store = api.open_dataset(towns), RunStore(Database(database_url()), runs_folder())
    price = {"usd_per_million_prompt_tokens": 10.0, "usd_per_million_answer_tokens": 20.0, "max_tokens": 50}
    one, other = (asking(chat, prompt="{question}", with_question=yes, **price) for yes in (True, False))
    settings = [one.settings(), other.settings()]
    before = estimate(settings, On(dataset, None), Cache(cache_folder()), store, {})
    texts = [question.text for question in dataset.select(None)]
    asked = sum(Prompt.of(text).n_tokens() for text in texts)
    assert before.tokens == asked + 50 * len(texts), "two configurations, and each prompt is sent once"
    assert before.usd == pytest.approx((10 * asked + 20 * 50 * len(texts)) / 1e6)
    assert before.usd_reason is None
    unpriced = estimate([asking(chat).settings()], On(dataset, None), Cache(cache_folder()), store, {})
    assert unpriced.usd is None
    assert unpriced.usd_reason is not None
    assert "no price is known of fake" in unpriced.usd_reason
    assert chat.requests == []
    api.evaluate(one, dataset)
    after = estimate(settings, On(dataset, None), Cache(cache_folder()), store, {})
    assert (after.tokens, after.usd) == (0, 0.0)


def test_what_if_asks_nothing(towns: Path, chat: FakeChat) -> None:
    forget_all()
    run = api.evaluate(asking(chat, retrieve="hybrid"), api.open_dataset(towns)).run
    n = len(chat.requests)
    changed = asking(chat).settings() | {"retrieve": {"use": "hybrid", "depth": 3, "alpha": 0.2}}
    api.what_if(run.id).evaluate(Pipeline.parse(changed))
    assert len(chat.requests) == n
    forget_all()
    (cache_folder() / "transform").rename(home() / "gone")
    with pytest.raises(OutputsGone, match="transform would have to run"):
        api.what_if(run.id)
    assert len(chat.requests) == n


@pytest.mark.parametrize("name", ["llm-pointwise", "llm-listwise"])
def test_rerankers_are_reckoned_and_priced_as_well(towns: Path, chat: FakeChat, name: str) -> None:
    chat.reply = lambda prompt: "[2] > [1]"
    price = {"usd_per_million_prompt_tokens": 10.0, "usd_per_million_answer_tokens": 20.0, "max_tokens": 50}
    one = pipeline(rerank={"use": name, "depth": 4, **chat.settings(**price)}, transform=WAYS["wordings"])
    dataset, store = api.open_dataset(towns), RunStore(Database(database_url()), runs_folder())
    before = estimate([one.settings()], On(dataset, None), Cache(cache_folder()), store, {})
    run = api.evaluate(one, dataset).run
    n = len(dataset.select(None))
    assert before.tokens >= 50 * len(chat.requests)
    assert before.usd is not None
    paid = run.measured("usd")
    assert paid.mean is not None
    assert before.usd > n * paid.mean > 0
    assert any("fake gave" in note for note in run.notes)
    asked = len(chat.requests)
    again = api.evaluate(one, dataset).run
    assert len(chat.requests) == asked
    assert again.measured("usd").mean == paid.mean
    assert estimate([one.settings()], On(dataset, None), Cache(cache_folder()), store, {}).tokens == 0


def test_beside_one_that_is_paid_for_a_pipeline_without_a_model_is_free() -> None:
    nan = np.full(2, np.nan)
    free = Scored(0, "none", "a", {}, {"usd": nan}, {"usd": None})
    paid = Scored(1, "hyde", "b", {}, {"usd": np.array([0.1, 0.3])}, {"usd": 0.2})
    unpriced = Scored(2, "multi-query", "c", {}, {"usd": nan}, {"usd": None})
    found = _free_where_none_is_asked([free, paid, unpriced], {0}, 2)
    assert [one.means["usd"] for one in found] == [0.0, 0.2, None]
    assert found[0].values["usd"].tolist() == [0.0, 0.0]
    assert _free_where_none_is_asked([free, unpriced], {0}, 2) == [free, unpriced]
