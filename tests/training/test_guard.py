"""The leak guard: a test question that was copied into train is found and named, however it was touched up."""

from __future__ import annotations

import pytest

from pipelines.near_duplicates import alike_pairs
from pipelines.records import Evidence, Question
from pipelines.training.guard import guarded

ANSWER = (Evidence("harbours", 100, 160, quote="The harbour of Arden was opened in 1810 by the mayor."),)
ASKED = "When was the harbour of Arden opened?"


def planted(text: str, evidence: tuple[Evidence, ...] = (Evidence("copies", 5, 50),), **more) -> list[Question]:
    """A test question, a train question that is none of its kind, and one that is planted."""
    return [
        Question("original", ASKED, split="test", evidence=ANSWER),
        Question("honest", "Who tuned the organ of Belmont?", split="train", evidence=(Evidence("organs", 0, 30),)),
        Question("planted", text, split="train", evidence=evidence, **more),
    ]


@pytest.mark.parametrize(
    "text",
    [
        ASKED,
        "when was the harbour of arden opened",
        "  When was the HARBOUR of Arden opened ?!",
        "When was the harbor of Arden opened?",
        "When, then, was the harbour of Arden opened?",
        "Opened when was the harbour of Arden?",
    ],
)
def test_a_copied_question_is_left_out_and_named_with_its_twin(text: str) -> None:
    kept, left_out = guarded(planted(text))
    assert [question.id for question in kept] == ["honest"]
    assert [(one.question_id, one.twin, one.twin_split) for one in left_out] == [("planted", "original", "test")]
    assert "'original' of test" in left_out[0].why


@pytest.mark.parametrize("text", ["In which year was Arden's harbour opened?", "When did the harbour of Arden open?"])
def test_a_reworded_question_is_found_by_the_very_same_evidence(text: str) -> None:
    assert guarded(planted(text))[1] == ()
    by_span = guarded(planted(text, (Evidence("harbours", 100, 160),)))
    by_quote = guarded(
        planted(text, (Evidence("harbours", quote="the harbour of Arden was opened in 1810 by the mayor"),))
    )
    assert [one.question_id for one in by_span[1]] == ["planted"]
    assert [one.question_id for one in by_quote[1]] == ["planted"]


@pytest.mark.parametrize(
    ("text", "evidence"),
    [
        ("When was the harbour of Corvale opened?", (Evidence("copies", 5, 50),)),
        ("When was the harbour of Arden opened, in 1810 or 1811?", (Evidence("copies", 5, 50),)),
        ("Which mayor presided over the works at the quay?", ANSWER),
    ],
)
def test_another_question_is_trained_on(text: str, evidence: tuple[Evidence, ...]) -> None:
    kept, left_out = guarded(planted(text, evidence))
    assert [question.id for question in kept] == ["honest", "planted"]
    assert left_out == ()


def test_a_question_with_another_filter_is_another_question() -> None:
    assert guarded(planted(ASKED, filter={"year": 2024}))[1] == ()


def test_a_twin_in_test_is_named_before_one_in_dev() -> None:
    others = [Question("early", ASKED, split="dev", evidence=(Evidence("x", 0, 9),)), *planted(ASKED)]
    assert [one.twin for one in guarded(others)[1]] == ["original"]


def test_only_train_questions_with_evidence_are_trained_on() -> None:
    asked = [
        Question("a", "One?", split="train", evidence=(Evidence("x", 0, 9),)),
        Question("b", "Nothing answers this?", split="train"),
        Question("c", "Judged irrelevant?", split="train", evidence=(Evidence("x", 0, 9, grade=0.0),)),
        Question("d", "No split?", evidence=(Evidence("x", 0, 9),)),
        Question("e", "Held out?", split="dev", evidence=(Evidence("x", 0, 9),)),
    ]
    assert [question.id for question in guarded(asked)[0]] == ["a"]


def test_many_questions_are_compared_as_if_each_were_with_each() -> None:
    texts = [f"What does clause number {i} of agreement {i % 7} say of {'word ' * (i % 11)}?" for i in range(600)]
    copies = [*texts, texts[3].upper(), texts[500].replace("What", "what")]
    asked = [Question(str(i), text) for i, text in enumerate(copies)]
    found = list(alike_pairs(asked))
    assert found == sorted(found)
    assert {(3, 600), (500, 601)} <= set(found)
    assert all(i < j for i, j in found)
