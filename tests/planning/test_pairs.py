"""Training pairs as a node of the plan: what they depend on, and questions that a language model is paid for once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipelines.cache import Cache
from pipelines.errors import DatasetError
from pipelines.execution import Execution, Node
from pipelines.golden.dataset import Dataset
from pipelines.pipeline import Pipeline
from pipelines.planning.plan import plan
from pipelines.records.pairs import TrainingPairs
from pipelines.training.strikes import Strike, write_strikes
from tests.chat_server import FakeChat
from tests.conftest import CITIES, SUBJECTS, MakeSet, town_documents

Rows = list[dict[str, Any]]


WRITTEN: dict[str, Any] = {"synthetic": 2, "synthetic_endpoint": "http://127.0.0.1:1/v1", "synthetic_model": "none"}


def rows(leak: bool = False) -> Rows:
    """Questions on three sentences of each town: of four for training, of two for testing; and a train copy of one."""
    found = []
    for i, city in enumerate(CITIES):
        for j, subject in enumerate(SUBJECTS[:3]):
            quote = f"The {subject} of {city} was opened in {1800 + 10 * i + j}."
            row = {"id": f"{city.lower()}-{j}", "text": f"When was the {subject} of {city} opened?"}
            evidence = [{"document_id": city.lower(), "quote": quote}]
            found.append({**row, "split": "train" if i < 4 else "test", "evidence": evidence})
    copied = {**found[-1], "id": "planted", "text": found[-1]["text"].lower(), "split": "train"}
    return [*found, copied] if leak else found


@pytest.fixture
def taught(write_set: MakeSet) -> Dataset:
    """Six towns with twelve train and six test questions."""
    return Dataset.open(write_set(town_documents(), rows()))


def node(dataset: Dataset, **given: Any) -> Node[TrainingPairs]:
    """The pairs of a pipeline that cuts sentences."""
    settings = {"chunk": {"use": "fixed", "size": 16}, "embed": {"use": "finetuned", **given}}
    made = plan(Pipeline.parse(settings), dataset, dataset.questions)
    return made.pairs(made.pipeline.embed, made.pipeline.embed.base())


def execution(tmp_path: Path) -> Execution:
    return Execution(Cache(tmp_path / "cache"))


def test_pairs_are_of_train_questions_with_negatives_and_kept(taught: Dataset, tmp_path: Path) -> None:
    one = node(taught, negatives_each=2)
    found = execution(tmp_path).get(one)
    assert {pair.question_id.split("-")[0] for pair in found.pairs} == {"arden", "belmont", "corvale", "dunmore"}
    assert found.documents == {"arden", "belmont", "corvale", "dunmore"}
    assert any(pair.negatives for pair in found.pairs)
    assert all(passage.score is not None for pair in found.pairs for passage in pair.negatives)
    again = execution(tmp_path)
    assert again.get(node(taught, negatives_each=2)) == found
    assert again.report("embed").found == "hit"


def test_a_planted_leak_is_found_and_named(write_set: MakeSet, tmp_path: Path) -> None:
    dataset = Dataset.open(write_set(town_documents(), rows(leak=True)))
    run, one = execution(tmp_path), node(dataset, negatives="none")
    found = run.get(one)
    run.account_for(one)
    assert any("fear of a leak: 1 train question" in note and "'planted' as 'fairholt-2'" in note for note in run.notes)
    assert [(one.question_id, one.twin, one.twin_split) for one in found.left_out] == [
        ("planted", "fairholt-2", "test")
    ]
    assert "fairholt" not in found.documents


def test_the_key_holds_what_decides_and_nothing_else(taught: Dataset, write_set: MakeSet, tmp_path: Path) -> None:
    key = node(taught).key
    strikes = tmp_path / "strikes.jsonl"
    write_strikes(strikes, [Strike("arden-0", "arden", 0, 40, "positive")])
    assert node(taught, method="full", epochs=7).key == key
    assert node(taught, negatives_each=2).key != key
    assert node(taught, share=0.5).key != key
    struck = node(taught, strikes=str(strikes)).key
    assert struck != key
    write_strikes(strikes, [])
    assert node(taught, strikes=str(strikes)).key != struck
    other = [row | {"evidence": []} if row["split"] == "test" else row for row in rows()]
    changed = Dataset.open(write_set(town_documents(), other, "other"))
    assert node(changed).key == key
    assert node(changed, augment="titles").key != node(taught, augment="titles").key
    reworded = [row | {"text": "Elsewise?"} if row["id"] == "fairholt-0" else row for row in rows()]
    asking = Dataset.open(write_set(town_documents(), reworded, "asking"))
    assert node(asking, augment="titles").key == node(taught, augment="titles").key
    assert node(asking, **WRITTEN).key != node(taught, **WRITTEN).key


def test_nothing_is_embedded_where_nothing_needs_it(write_set: MakeSet, tmp_path: Path) -> None:
    plain = Dataset.open(write_set(town_documents(), rows(), "plain"))
    run = execution(tmp_path)
    run.get(node(plain, negatives="none"))
    assert not list((tmp_path / "cache").glob("rows/*"))
    whole = [row | {"evidence": [{"document_id": row["evidence"][0]["document_id"]}]} for row in rows()]
    found = run.get(node(Dataset.open(write_set(town_documents(), whole, "whole")), negatives="none"))
    assert list((tmp_path / "cache").glob("rows/*"))
    assert {sum(pair.question_id == one for pair in found.pairs) for one in {p.question_id for p in found.pairs}} == {3}


def test_a_set_of_train_questions_alone_can_be_augmented(write_set: MakeSet, tmp_path: Path) -> None:
    alone = Dataset.open(write_set(town_documents(), [row | {"split": "train"} for row in rows()]))
    found = execution(tmp_path).get(node(alone, negatives="none", augment="both"))
    assert {pair.source for pair in found.pairs} >= {"evidence", "crop"}


def test_no_train_question_is_one_sentence(towns: Path, tmp_path: Path, sentence) -> None:
    with pytest.raises(DatasetError) as error:
        execution(tmp_path).get(node(Dataset.open(towns)))
    sentence(error.value)


def asked_by(prompt: str) -> str:
    """Ask for the year of the first sentence of a passage that speaks of a thing not asked for already."""
    passage = prompt.split(":\n", 1)[1]
    subject = next((one for one in SUBJECTS[3:] if one in passage), "")
    city = next((one for one in CITIES if one in passage), "")
    return f"In which year did the {subject} of {city} begin its work?" if subject else "NONE"


def test_written_questions_are_paid_for_once_and_never_of_test_documents(
    taught: Dataset, tmp_path: Path, chat: FakeChat
) -> None:
    chat.reply = asked_by
    knobs = {"synthetic": 8, "synthetic_endpoint": chat.url, "synthetic_model": "fake", "negatives_each": 2}
    run = execution(tmp_path)
    one = node(taught, **knobs)
    found = run.get(one)
    run.account_for(one)
    written = [pair for pair in found.pairs if pair.source == "synthetic"]
    assert written, run.notes
    assert {pair.positive.document_id for pair in written} <= {"arden", "belmont", "corvale", "dunmore"}
    assert not any("Eastmere" in prompt or "Fairholt" in prompt for prompt in chat.prompts)
    run.account_for(one)
    assert any("a language model was asked to write" in note for note in run.notes)
    assert any("fake gave" in note for note in run.notes)
    n = len(chat.requests)
    assert n == 8
    again = execution(tmp_path)
    more = again.get(node(taught, **{**knobs, "negatives_each": 1, "seed": 5}))
    assert [pair.question for pair in more.pairs if pair.source == "synthetic"] == [pair.question for pair in written]
    assert len(chat.requests) == n
