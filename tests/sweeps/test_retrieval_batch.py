"""Rules, fields and rerankers in a sweep, on the what-if page and alone: the same numbers to the bit."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from benchmarks.witness import details_bits
from pipelines import api
from pipelines.cache import Cache
from pipelines.execution import Execution
from pipelines.pipeline import Pipeline
from pipelines.runs.database import Database
from pipelines.runs.evaluate import evaluate
from pipelines.runs.store import RunStore
from pipelines.settings import cache_folder, database_url, runs_folder
from pipelines.sweeps.batch import Asked, Batch, Kept, On
from pipelines.sweeps.engine import Engine
from pipelines.whatif import CostlyChange
from tests.conftest import MakeSet, town_documents
from tests.runs.helpers import words
from tests.runs.test_learned import LEARNED, questions
from tests.sweeps.test_engine import EMBED, compared

AGEING = {"recency_field": "opened", "recency_days": 900.0, "recency_weight": 0.6}
TITLED = {"title_weight": 2.0, "title_field": "first line"}
RETRIEVALS: list[dict[str, Any]] = [
    {"use": "bm25", "depth": 3, "per_document": 1},
    {"use": "bm25", "depth": 9, "per_document": 1},
    {"use": "bm25", "depth": 7, **AGEING},
    {"use": "bm25", "depth": 2, **AGEING},
    {"use": "bm25", "depth": 4, **TITLED},
    {"use": "dense", "depth": 3, "per_document": 2, **AGEING},
    {"use": "dense", "depth": 12, "per_document": 2, **AGEING},
    {"use": "hybrid", "depth": 4, "pool": 6, "per_document": 1, **AGEING, **TITLED},
    {"use": "hybrid", "depth": 8, "pool": 20, "fusion": "weighted", "normalisation": "distribution"},
]
GRID = [
    {"chunk": {"use": "sentence", "size": 16}, "embed": EMBED, "retrieve": retrieve, "rerank": rerank}
    for i, retrieve in enumerate(RETRIEVALS)
    for rerank in ([{"use": "none"}, LEARNED, {"use": "lexical", "depth": 4}][i % 3], {"use": "none"})
]


@pytest.fixture
def dated(write_set: MakeSet) -> Path:
    documents = town_documents()
    for i, document in enumerate(documents):
        document["metadata"]["opened"] = f"20{10 + i}-06-30"
    return write_set(documents, questions())


def test_the_rows_of_a_batch_are_those_of_runs_one_by_one_to_the_bit(dated: Path, tmp_path: Path) -> None:
    dataset, store = api.open_dataset(dated), RunStore(Database(database_url()), runs_folder())
    pipelines = list({p.fingerprint(): p for p in map(Pipeline.parse, GRID)}.values())
    asked = [Asked(i, pipeline, f"#{i}") for i, pipeline in enumerate(pipelines)]
    found: dict[int, str] = {}
    failures: dict[int, str] = {}
    run = Execution(Cache(cache_folder()))
    batch = Batch(asked, On(dataset, "dev"), run, Kept(store, found.update, failures.__setitem__), time.time())
    batch.carry_out(Engine(run))
    assert not failures
    for one in asked[::2]:
        alone = evaluate(one.pipeline, dataset, Cache(tmp_path / "alone"), name=one.name, split="dev")
        kept = store.get(found[one.number])
        assert compared(kept) == compared(alone.run), one.pipeline.label()
        assert details_bits(store.details(kept.id)) == details_bits(alone.details), one.pipeline.label()


def test_what_if_has_the_bits_of_the_run_that_is_logged_afterwards(dated: Path) -> None:
    dataset = api.open_dataset(dated)
    base = words(retrieve={"use": "bm25", "depth": 6})
    session = api.what_if(api.evaluate(base, dataset, split="dev").run.id)
    changes = [
        words(retrieve={"use": "bm25", "depth": 6, "per_document": 1}),
        words(retrieve={"use": "bm25", "depth": 9, **AGEING}),
        words(retrieve={"use": "bm25", "depth": 6, **TITLED}),
        words(retrieve={"use": "bm25", "depth": 6}, rerank=LEARNED),
        words(retrieve={"use": "bm25", "depth": 6}, rerank={"use": "lexical", "measure": "rouge-l"}),
    ]
    tried = [session.evaluate(change).now.scores for change in changes]
    for change, scores in zip(changes, tried, strict=True):
        run = api.evaluate(change, dataset, split="dev")
        at = [run.details.scores.metrics.index(metric) for metric in scores.metrics]
        assert scores.values.tobytes() == run.details.scores.values[:, at].tobytes(), change.label()


def test_pairs_that_no_model_has_read_are_not_read_on_the_spot(dated: Path) -> None:
    dataset = api.open_dataset(dated)
    session = api.what_if(api.evaluate(words(retrieve={"use": "bm25", "depth": 6}), dataset, split="dev").run.id)
    with pytest.raises(CostlyChange, match="rerank would have to run"):
        session.evaluate(words(retrieve={"use": "bm25", "depth": 6}, rerank={"use": "late-interaction"}))
    chat = {"use": "llm-pointwise", "endpoint": "http://127.0.0.1:9/v1", "model": "none", "retries": 0}
    with pytest.raises(CostlyChange, match="rerank would have to run"):
        session.evaluate(words(retrieve={"use": "bm25", "depth": 6}, rerank=chat))


def test_chunks_without_a_date_are_told_of(write_set: MakeSet) -> None:
    documents = town_documents()
    documents[0]["metadata"]["opened"] = "2010-06-30"
    dataset = api.open_dataset(write_set(documents, questions()))
    run = api.evaluate(words(retrieve={"use": "bm25", "depth": 6, **AGEING}), dataset, split="dev").run
    assert any("chunks have no date in 'opened': they keep their scores" in note for note in run.notes)
