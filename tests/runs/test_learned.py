"""The learned reranker: it learns from the train split alone, and says so where that cannot be, or flatters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pipelines import api
from pipelines.cache import Cache
from pipelines.errors import DatasetError
from pipelines.execution import Execution
from pipelines.golden.dataset import Dataset
from pipelines.planning.plan import Plan, plan
from pipelines.records.training import Training
from pipelines.settings import cache_folder
from pipelines.stages.rerank import FittedReranker
from tests.conftest import MakeSet, town_documents

from .helpers import words

SPLITS = ("train", "train", "dev", "test")
LEARNED = {"use": "learned", "depth": 5, "trees": 5, "leaf_pairs": 1}


def questions(n_train: int = 99) -> list[dict[str, Any]]:
    """A question on every sentence; of each four, two are for training, until there are `n_train`."""
    rows: list[dict[str, Any]] = []
    for document in town_documents():
        for sentence in document["text"].split(". "):
            quote = sentence.rstrip(".")
            subject, city = quote.split("The ")[1].split(" was")[0].split(" of ")
            split = SPLITS[len(rows) % 4]
            n = sum(row["split"] == "train" for row in rows)
            evidence = [{"document_id": document["id"], "quote": quote}]
            text = f"When did the {subject} of {city} open its doors?"
            row = {"id": f"q{len(rows)}", "text": text, "evidence": evidence}
            rows.append({**row, "split": "dev" if split == "train" and n >= n_train else split})
    return rows


def planned(dataset: Dataset, split: str | None = "dev", **stages: Any) -> Plan:
    return plan(words(rerank=LEARNED, retrieve={"use": "bm25", "depth": 8}, **stages), dataset, dataset.select(split))


def training(work: Plan) -> Training:
    assert isinstance(work.pipeline.rerank, FittedReranker)
    return Execution(Cache(cache_folder())).get(work.training(work.pipeline.rerank))


def key(work: Plan) -> str:
    assert isinstance(work.pipeline.rerank, FittedReranker)
    return work.training(work.pipeline.rerank).key


@pytest.fixture
def learning(write_set: MakeSet) -> Dataset:
    return api.open_dataset(write_set(town_documents(), questions()))


def test_the_table_holds_the_train_questions_alone(learning: Dataset) -> None:
    work = planned(learning)
    table, train = training(work), [q for q in learning.questions if q.split == "train"]
    assert {q.id for q in work.on_train.questions} == {q.id for q in train}
    assert set(table.question.tolist()) == set(range(len(train)))
    assert table.features.shape == (len(table.relevant), len(table.names))
    assert np.isfinite(table.features).all()
    assert 0 < table.relevant.sum() < len(table.relevant)


def test_planted_dev_and_test_questions_change_nothing_that_is_learnt(write_set: MakeSet) -> None:
    """Other wording, other evidence, other questions beside them: the table has the same key and the same bytes."""
    rows = questions()
    before = planned(api.open_dataset(write_set(town_documents(), rows)))
    first = training(before)
    for row in rows:
        if row["split"] != "train":
            row["text"] = f"Planted: {row['text']}"
            row["evidence"] = [{"document_id": "arden", "quote": "harbour"}]
    planted = [{**rows[3], "id": "planted-dev", "split": "dev"}, {**rows[3], "id": "planted", "split": "test"}]
    dataset = api.open_dataset(write_set(town_documents(), [*rows, *planted, {**rows[3], "id": "none", "split": None}]))
    after = planned(dataset)
    assert key(after) == key(before)
    for path in (cache_folder() / "rerank").iterdir():
        path.rename(path.with_name(f"gone-{path.name}"))
    again = training(after)
    assert again.features.tobytes() == first.features.tobytes()
    assert again.relevant.tobytes() == first.relevant.tobytes()
    assert not any(q.id.startswith("planted") for q in after.on_train.questions)


@pytest.mark.parametrize("change", ["text", "evidence", "new"])
def test_a_change_of_the_train_questions_is_another_table(write_set: MakeSet, change: str) -> None:
    rows = questions()
    before = key(planned(api.open_dataset(write_set(town_documents(), rows))))
    if change == "text":
        rows[0]["text"] += " Tell me."
    elif change == "evidence":
        rows[0]["evidence"] = [{"document_id": "arden", "quote": "The railway of Arden"}]
    else:
        rows.append({**rows[0], "id": "another"})
    assert key(planned(api.open_dataset(write_set(town_documents(), rows)))) != before


def test_how_it_learns_does_not_decide_the_table(learning: Dataset) -> None:
    work = planned(learning)
    other = words(rerank={**LEARNED, "seed": 3, "trees": 9}, retrieve={"use": "bm25", "depth": 8})
    again = plan(other, learning, work.questions)
    assert key(again) == key(work)
    assert again.rankings.key != work.rankings.key


def test_it_learns_the_same_twice_and_for_any_split(learning: Dataset) -> None:
    run = api.evaluate(planned(learning).pipeline, learning, split="dev")
    whole = api.evaluate(planned(learning).pipeline, learning)
    at = [whole.details.question_ids.index(one) for one in run.details.question_ids]
    assert np.array_equal(whole.details.rankings.chunk[at], run.details.rankings.chunk)
    assert whole.details.rankings.score[at].tobytes() == run.details.rankings.score.tobytes()


@pytest.mark.parametrize(("split", "flatters"), [("train", True), (None, True), ("dev", False), ("test", False)])
def test_figures_of_the_train_split_are_said_to_be_optimistic(
    learning: Dataset, split: str | None, flatters: bool
) -> None:
    notes = api.evaluate(planned(learning).pipeline, learning, split=split).run.notes
    assert any("OPTIMISTIC: 18 of the" in note for note in notes) == flatters


@pytest.mark.parametrize("n", [0, 1, 7])
def test_too_few_to_learn_from_are_told(write_set: MakeSet, n: int, sentence: Callable[[object], str]) -> None:
    dataset = api.open_dataset(write_set(town_documents(), questions(n)))
    with pytest.raises(DatasetError) as refused:
        api.evaluate(planned(dataset, "test").pipeline, dataset, split="test")
    has = {0: "no question", 1: "1 question", 7: "7 questions"}[n]
    assert f"has {has} of that kind where 8 are the least" in sentence(refused.value)
    assert not (cache_folder() / "retrieve").exists(), "it is said before anything is retrieved"
    many = api.open_dataset(write_set(town_documents(), questions(8)))
    api.evaluate(planned(many, "test").pipeline, many, split="test")


def test_one_question_asked_live_is_answered_as_in_the_run(learning: Dataset) -> None:
    from pipelines.live import Live

    work = planned(learning)
    run = api.evaluate(work.pipeline, learning, split="dev")
    live = Live.open(work, Execution(Cache(cache_folder())))
    for row, question in enumerate(work.questions[:3]):
        assert live.answer(question.text, {}).chunk[0].tolist() == run.details.rankings.chunk[row].tolist()
