"""Pairs made of titles and of parts of chunks, and never of what dev or test questions are answered by."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipelines.records import Document, Documents, Evidence, Gold, Question
from pipelines.records.pairs import TrainingPair
from pipelines.training import pairs as making
from pipelines.training.material import Material

from .materials import cut, knobs, material, spans

GIFTS = """# Gifts policy

Gifts above fifty crowns are declared to the compliance desk. Meals count as gifts as well.

## Limits

A colleague may take one gift a year from the same giver. Cash is never taken by anybody at all.

## Records

The register of gifts is kept for seven years. After that the records office destroys it for good."""
TRAVEL = (
    "# Travel policy\n\n"
    + "Trains are booked before flights are thought of. Taxis need a reason that is written down. " * 2
)


@pytest.fixture(autouse=True)
def _few_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "FEWEST_PAIRS", 0)


def policies(*held_out: tuple[str, int, int]) -> Material:
    """Two policies cut at sections; a train question on the limits of gifts, others held out."""
    limits = GIFTS.index("A colleague")
    asked = [spans("q", ("gifts", limits, limits + 40)), spans("r", ("gifts", 20, 80)), spans("s", ("gifts", 25, 90))]
    one = material({"gifts": GIFTS, "travel": TRAVEL}, asked, size=112)
    others = [Question(f"t{i}", "?", split="test", evidence=(Evidence(*place),)) for i, place in enumerate(held_out)]
    return replace(one, held_out_gold=Gold.of(others, one.documents))


def made(one: Material, **given) -> list[TrainingPair]:
    found = making.training_pairs(one, knobs(negatives="none", **given)).pairs
    return [pair for pair in found if pair.source != "evidence"]


def test_titles_lead_to_the_texts_below_them_of_taught_documents_alone() -> None:
    found = made(policies(), augment="titles")
    assert {pair.source for pair in found} == {"title"}
    assert {pair.positive.document_id for pair in found} == {"gifts"}
    asked = {pair.question: pair.positive.text for pair in found}
    assert "Gifts policy" in asked
    assert "above fifty crowns" in asked["Gifts policy"]
    assert set(asked) <= {"Gifts policy", "Gifts policy, Limits", "Gifts policy, Records"}
    assert all(pair.question_id == "" and not pair.negatives for pair in found)


def test_a_title_in_the_metadata_stands_first() -> None:
    documents = Documents.of([Document("gifts", GIFTS, {"title": "Handbook"})])
    one = replace(policies(), documents=documents, chunks=cut(documents, 112))
    found = [pair.question for pair in made(one, augment="titles")]
    assert found
    assert all(question.startswith("Handbook") for question in found)


def test_there_are_never_more_titles_than_marked_pairs() -> None:
    one = policies()
    marked = making.training_pairs(one, knobs(negatives="none")).pairs
    alone = replace(one, questions=one.questions[:1], gold=Gold.of(one.questions[:1], one.documents))
    assert len(made(alone, augment="titles")) == 1
    assert len(made(one, augment="titles")) <= len(marked)


def test_crops_are_a_sentence_or_two_of_a_positive_and_fewer_than_all() -> None:
    found = made(policies(), augment="crops")
    assert found
    for pair in found:
        whole = " ".join(pair.positive.text.split())
        assert pair.source == "crop"
        assert pair.question in whole
        assert len(pair.question) < len(whole)


def test_the_seed_decides_and_the_same_seed_gives_the_same() -> None:
    assert made(policies(), augment="both", seed=1) == made(policies(), augment="both", seed=1)
    assert len({tuple(pair.question for pair in made(policies(), augment="crops", seed=s)) for s in range(8)}) > 1


def test_nothing_is_made_of_a_chunk_that_holds_evidence_of_a_test_question() -> None:
    one = policies(("gifts", 60, 61))  # one character of the first chunk
    assert all(pair.positive.start > 0 for pair in made(one, augment="both"))
    assert any(pair.positive.start == 0 for pair in made(policies(), augment="both"))


def test_nothing_is_made_of_a_chunk_that_says_the_words_of_such_evidence() -> None:
    words = GIFTS[20:70]
    one = policies()
    documents = Documents.of([Document("gifts", GIFTS), Document("travel", TRAVEL), Document("memo", f"So: {words}.")])
    other = Question("t", "?", split="dev", evidence=(Evidence("memo", 4, 4 + len(words)),))
    copied = replace(one, documents=documents, held_out_gold=Gold.of([other], documents))
    assert all(pair.positive.start > 0 for pair in made(copied, augment="both"))


def test_nothing_is_made_unless_it_is_asked_for() -> None:
    assert made(policies()) == []
