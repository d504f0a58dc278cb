"""The finetuned reranker in a plan: what its training depends on, and that it is done once and scores kept under it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipelines import api
from pipelines.cache import Cache
from pipelines.execution import Execution
from pipelines.golden.dataset import Dataset
from pipelines.live import Live
from pipelines.pipeline import Pipeline
from pipelines.planning.plan import Plan, plan
from pipelines.settings import cache_folder
from pipelines.stages.rerank import finetuned
from tests.conftest import MakeSet, town_documents
from tests.contracts.tiny import cross_encoder_folder

SPLITS = ("train", "train", "dev", "test")


def questions() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for document in town_documents():
        for sentence in document["text"].split(". "):
            quote = sentence.rstrip(".")
            subject, city = quote.split("The ")[1].split(" was")[0].split(" of ")
            split, evidence = SPLITS[len(rows) % 4], [{"document_id": document["id"], "quote": quote}]
            text = f"When did the {subject} of {city} open its doors?"
            rows.append({"id": f"q{len(rows)}", "text": text, "evidence": evidence, "split": split})
    return rows


def planned(dataset: Dataset, split: str = "test", **knobs: Any) -> Plan:
    own = {"use": "finetuned", "model": str(cross_encoder_folder()), "device": "cpu", "precision": "float32"}
    rerank = {**own, "max_tokens": 64, "epochs": 1, "negatives": "bm25", "negatives_each": 2, "depth": 4, **knobs}
    embed = {"use": "minilm", "precision": "float32", "device": "cpu"}
    settings = {"chunk": {"use": "fixed", "size": 16}, "embed": embed, "retrieve": {"use": "bm25", "depth": 8}}
    return plan(Pipeline.parse({**settings, "rerank": rerank}), dataset, dataset.select(split))


def key(work: Plan) -> str:
    assert work.trained_reranker is not None
    return work.trained_reranker.key


@pytest.fixture
def learning(write_set: MakeSet) -> Dataset:
    return api.open_dataset(write_set(town_documents(), questions()))


def test_it_is_trained_once_and_reorders_what_was_retrieved(learning: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    work, run = planned(learning), Execution(Cache(cache_folder()))
    assert work.trained_reranker is not None
    before, after = run.get(work.before_rerank), run.get(work.rankings)
    run.account_for(work.rankings)
    assert any("dev questions" in note for note in run.notes)
    for had, has in zip(before.cut(4).chunk, after.chunk, strict=True):
        assert set(had.tolist()) == set(has.tolist())
    folder = run.get(work.trained_reranker)
    assert {"model.safetensors", "training.json", "README.md"} <= {path.name for path in folder.iterdir()}
    monkeypatch.setattr(finetuned, "train_pair_encoder", None)
    again = Execution(Cache(cache_folder())).get(planned(learning, depth=3, weight=0.2).rankings)
    assert again.chunk.shape == (len(work.questions), 3)


def test_the_folder_serves_as_a_cross_encoder_too(learning: Dataset) -> None:
    work, run = planned(learning, weight=1.0, header="none"), Execution(Cache(cache_folder()))
    ours = run.get(work.rankings)
    assert work.trained_reranker is not None
    plain = {"use": "cross-encoder", "model": str(run.get(work.trained_reranker)), "device": "cpu", "depth": 4}
    components = {name: one.settings() for name, one in work.pipeline.components.items()}
    theirs = run.get(plan(Pipeline.parse({**components, "rerank": plain}), learning, work.questions).rankings)
    assert np.array_equal(ours.chunk, theirs.chunk)
    assert np.allclose(ours.score, theirs.score, atol=1e-5)


def test_a_single_question_is_answered_alike_and_a_text_is_read_with_its_header(learning: Dataset) -> None:
    work, run = planned(learning, header="title"), Execution(Cache(cache_folder()))
    whole, live = run.get(work.rankings), Live.open(work, run)
    for row in (0, 3):
        alone = live.answer(work.questions[row].text, {})
        assert alone.chunk[0].tolist() == whole.chunk[row].tolist()
    assert all(text.count("\n\n") for text in run.get(work.reranked_texts))
    assert not any(text.count("\n\n") for text in run.get(work.texts))


def test_test_questions_are_not_looked_at(write_set: MakeSet, learning: Dataset) -> None:
    rows = questions()
    for row in rows:
        if row["split"] == "test":
            row["text"], row["evidence"] = f"Planted, and about something else: {row['id']}", []
    assert key(planned(api.open_dataset(write_set(town_documents(), rows)), "dev")) == key(planned(learning, "dev"))


def test_train_and_dev_questions_decide(write_set: MakeSet, learning: Dataset) -> None:
    def changed(split: str) -> Dataset:
        rows = questions()
        next(row for row in rows if row["split"] == split)["text"] += " Tell me."
        return api.open_dataset(write_set(town_documents(), rows))

    assert key(planned(changed("train"))) != key(planned(learning))
    assert key(planned(changed("dev"))) != key(planned(learning))
    assert key(planned(changed("dev"), patience=0)) == key(planned(learning, patience=0))


@pytest.mark.parametrize("knobs", [{"depth": 7}, {"weight": 0.9}, {"batch_size": 2}])
def test_knobs_of_scoring_train_nothing_again(learning: Dataset, knobs: dict[str, Any]) -> None:
    assert key(planned(learning, **knobs)) == key(planned(learning))


@pytest.mark.parametrize("knobs", [{"header": "none"}, {"negatives_each": 1}, {"epochs": 2}, {"select_by": "mrr@10"}])
def test_knobs_of_training_make_another_model(learning: Dataset, knobs: dict[str, Any]) -> None:
    assert key(planned(learning, **knobs)) != key(planned(learning))


def test_neither_retrieval_nor_embedding_makes_another_model(learning: Dataset) -> None:
    work = planned(learning)
    settings = {name: one.settings() for name, one in work.pipeline.components.items()}
    other = {**settings, "retrieve": {"use": "dense"}, "filter": {"use": "known"}}
    assert key(plan(Pipeline.parse(other), learning, work.questions)) == key(work)


def test_the_train_split_is_said_to_flatter(learning: Dataset) -> None:
    work, run = planned(learning, "train"), Execution(Cache(cache_folder()))
    run.get(work.rankings)
    run.account_for(work.rankings)
    assert any(note.startswith("OPTIMISTIC") for note in run.notes)
