"""Questions that a language model writes: on which passages, which answers are questions, which of them are kept."""

from __future__ import annotations

import numpy as np
import pytest

from pipelines.component import build
from pipelines.errors import ConfigurationError, EndpointError
from pipelines.records import Document, Documents, Evidence, Gold, Question
from pipelines.records.pairs import Written
from pipelines.stages.embed.finetuned import FinetunedEmbedder
from pipelines.training import pairs as making
from pipelines.training.evidence import HeldOut
from pipelines.training.material import Searched
from pipelines.training.strikes import Strike
from pipelines.training.synthetic import passages_to_ask_on, round_trip, sound_questions
from pipelines.training.writing import question_in, writing_prompt

from .materials import cut, knobs, material, rankings_of, spans

ASKING = {"synthetic": 3, "synthetic_endpoint": "http://127.0.0.1:9/v1", "synthetic_model": "fake"}


@pytest.mark.parametrize(
    ("answer", "question"),
    [
        ("When was the harbour opened?", "When was the harbour opened?"),
        ('\n  "When was the harbour opened?"  \n', "When was the harbour opened?"),
        ("Question: When was the harbour opened?", "When was the harbour opened?"),
        ('The question is: "When was the harbour opened?"', "When was the harbour opened?"),
        ("1. When was the harbour opened?", "When was the harbour opened?"),
        ("港はいつ開かれたのですか、誰によって？", "港はいつ開かれたのですか、誰によって？"),
        ("NONE", ""),
        ("The harbour was opened in 1810.", ""),
        ("When was the harbour opened?\nWho opened it?", ""),
        ("Here is a question:\nWhen was the harbour opened?", ""),
        ("What does the passage say of harbours?", ""),
        ("Why?", ""),
        ("When " + "and when " * 100 + "was it?", ""),
        ("", ""),
    ],
)
def test_an_answer_is_one_line_that_asks_or_nothing(answer: str, question: str) -> None:
    assert question_in(answer) == question


def test_the_prompt_holds_passage_and_title_whatever_is_in_them() -> None:
    told = writing_prompt("A {passage} with {braces}", "Title {0}").messages[0].content
    assert "A {passage} with {braces}" in told
    assert "Title {0}" in told


def words(name: str, n: int) -> str:
    return " ".join(f"{name}{i:04d}" for i in range(n)) + " "


def corpus(held_out: Evidence) -> tuple[Documents, Gold, HeldOut]:
    """Three documents of 46 words: train evidence in two, held-out evidence in one place."""
    documents = Documents.of([Document(name, words(name, 46)) for name in ("a", "b", "c")])
    taught = [spans("q", ("a", 0, 10)), spans("r", ("b", 0, 10))]
    other = Question("t", "?", split="test", evidence=(held_out,))
    gold = Gold.of([other], documents)
    return documents, Gold.of(taught, documents), HeldOut(gold, documents, cut(documents, 120))


def asked_on(held_out: Evidence, most: int = 100) -> list[tuple[str, int]]:
    documents, gold, kept_from = corpus(held_out)
    chunks = cut(documents, 120)
    rows = passages_to_ask_on(documents, chunks, chunks.texts(documents), gold, kept_from, most)
    return [(documents.ids[int(chunks.document[row])], int(chunks.start[row])) for row in rows]


def test_questions_are_asked_on_taught_documents_and_never_on_what_test_questions_are_answered_by() -> None:
    assert set(asked_on(Evidence("a", 119, 121))) == {("b", 0), ("b", 120)}
    # The last chunk of each has less than forty characters.
    assert set(asked_on(Evidence("c", 0, 9))) == {("a", 0), ("a", 120), ("b", 0), ("b", 120)}


def test_fewer_passages_are_the_first_of_more() -> None:
    every = asked_on(Evidence("c", 0, 9))
    assert asked_on(Evidence("c", 0, 9), 2) == every[:2]
    assert asked_on(Evidence("c", 0, 9), 0) == []


GOLDEN = [Question("g", "When was the harbour of Arden opened?", split="train")]
HELD_OUT = [Question("t", "Who tuned the organ of Belmont?", split="test", filter={"year": 2024})]


def test_what_a_golden_question_asks_is_dropped_and_counted() -> None:
    answers = [
        "Who tuned the organ of Belmont?",
        "when was the harbour of Arden opened?",
        "How long is the railway of Corvale?",
        "How long is the railway of Corvale?",
        "NONE",
        "How high is the cathedral of Dunmore?",
    ]
    found = sound_questions([Written(text, i) for i, text in enumerate(answers)], GOLDEN, HELD_OUT)
    assert [one.chunk for one in found.kept] == [2, 5]
    told = found.told()
    assert told.startswith("Of 6 questions that a language model was asked to write, 2 are kept")
    assert "1 are no question" in told
    assert "1 ask what a dev or test question asks" in told
    assert "2 ask what another one asks" in told


def test_a_model_that_writes_no_question_at_all_is_refused(sentence) -> None:
    with pytest.raises(EndpointError) as error:
        sound_questions([Written("I cannot do that.", 0)], GOLDEN, HELD_OUT)
    sentence(error.value)


def test_a_question_must_lead_back_to_its_passage() -> None:
    asked = [Written(f"Which one is it, number {i}?", i) for i in range(3)]
    deep = [*range(3, 13)]
    rankings = {"model": rankings_of([[5, 0], [*deep, 1], [*deep]]), "bm25": rankings_of([[7], [8], [*deep[:9], 2]])}
    vectors = np.eye(3, dtype=np.float32)
    texts = [f"text {i}" for i in range(20)]
    kept, found = round_trip(sound_questions(asked, [], []), Searched(rankings, vectors), texts)
    assert [one.chunk for one in kept.kept] == [0, 2]  # 1 comes at rank 11
    assert "1 do not lead back to their passage" in kept.told()
    assert found.vectors.tolist() == vectors[[0, 2]].tolist()
    assert found.rankings["bm25"].chunk[1, 9] == 2
    texts[3] = "text 1"
    assert len(round_trip(sound_questions(asked, [], []), Searched(rankings, vectors), texts)[0].kept) == 3


def test_written_questions_are_pairs_with_negatives_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "FEWEST_PAIRS", 0)
    text = {"a": "".join(chr(97 + i) * 9 + " " for i in range(10))}
    written = [Written("Which letter is the fourth?", 3), Written("Which letter is the sixth?", 5)]
    found = {"model": rankings_of([[3, 4, 7], [5, 8, 9]]), "bm25": rankings_of([[6, 7], [8]])}
    asked = [spans("q", ("a", 0, 9))]
    one = material(
        text, asked, found={"model": [[2]]}, written=written, held_out_gold=None,
        written_found=Searched(found, material(text, [asked[0], asked[0]]).question_vectors[:, :11]),
    )  # fmt: skip
    pairs = [pair for pair in making.training_pairs(one, knobs(**ASKING)).pairs if pair.source == "synthetic"]
    assert [(pair.question_id, pair.question, pair.positive.start) for pair in pairs] == [
        ("", "Which letter is the fourth?", 30),
        ("", "Which letter is the sixth?", 50),
    ]
    assert [[passage.start for passage in pair.negatives] for pair in pairs] == [[40], [80]]
    struck = material(text, asked, written=written, strikes=[Strike("", "a", 30, 40, "positive")])
    left = making.training_pairs(struck, knobs(**ASKING)).pairs
    assert [pair.positive.start for pair in left if pair.source == "synthetic"] == [50]


def test_who_writes_does_not_count_where_nothing_is_written() -> None:
    assert FinetunedEmbedder(synthetic_model="fake", synthetic_endpoint="nonsense") == FinetunedEmbedder()
    assert FinetunedEmbedder().writer() is None
    assert FinetunedEmbedder(**ASKING).writer().model == "fake"


@pytest.mark.parametrize(
    "given",
    [
        {**ASKING, "synthetic_endpoint": "user:hunter2@host"},
        {**ASKING, "synthetic_endpoint": "https://user:hunter2@host/v1"},
        {**ASKING, "synthetic_key_variable": "sk-hunter2"},
        {"synthetic": 3, "synthetic_key_variable": "sk-hunter2"},
        {"synthetic": 3, "synthetic_endpoint": "https://user:hunter2@host/v1"},
    ],
)
def test_bad_knobs_are_one_sentence_without_secrets(given: dict, sentence) -> None:
    with pytest.raises(ConfigurationError) as error:
        build("embed", {"use": "finetuned", **given}, "minilm", "p.yaml")
    assert "hunter2" not in sentence(error.value)


@pytest.mark.parametrize("given", [{"synthetic": 3}, {**ASKING, "synthetic_model": ""}, {"negatives_from": 51}])
def test_knobs_that_contradict_one_another_are_refused_before_any_work(given: dict, sentence) -> None:
    with pytest.raises(ConfigurationError) as error:
        FinetunedEmbedder(**given).pair_knobs()
    sentence(error.value)


def test_neither_address_nor_key_is_among_what_decides_pairs() -> None:
    decided = FinetunedEmbedder(**ASKING, synthetic_key_variable="KEY").pair_knobs()
    assert not [name for name in decided if name.startswith("synthetic_")]
