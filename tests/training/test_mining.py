"""Hard negatives: near misses, never what may be an answer."""

from __future__ import annotations

import string

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.records import Evidence, Question
from pipelines.records.pairs import TrainingPair
from pipelines.training import pairs as making
from pipelines.training.material import Material
from pipelines.training.mining import interleaved
from pipelines.training.strikes import Strike

from .materials import knobs, material, spans

LETTERS = string.ascii_letters
WORDS = [c * 9 + " " for c in LETTERS[:20]]  # twenty chunks of ten characters, none like another
TEXT = {"a": "".join(WORDS[:10]), "b": "".join(WORDS[10:])}


@pytest.fixture(autouse=True)
def _few_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "FEWEST_PAIRS", 0)


def mined(one: Material, **given) -> list[list[int]]:
    """The negatives of every pair, by number of their chunk."""
    return [[chunk_of(one, passage) for passage in pair.negatives] for pair in made(one, **given)]


def made(one: Material, **given) -> tuple[TrainingPair, ...]:
    return making.training_pairs(one, knobs(**{"negatives_each": 3, **given})).pairs


def chunk_of(one: Material, passage) -> int:
    document = one.documents.position[passage.document_id]
    return int(np.flatnonzero((one.chunks.document == document) & (one.chunks.start == passage.start))[0])


def test_searches_take_turns_by_rank() -> None:
    assert interleaved([[1, 2, 3], [2, 9, 8]]) == [1, 2, 9, 3, 8]
    found = {"model": [[5, 6, 7, 8]], "bm25": [[15, 5, 16, 17]]}
    assert sorted(mined(material(TEXT, [spans("q", ("a", 0, 9))], found=found))[0]) == [5, 6, 15]


def test_the_window_of_ranks_is_kept() -> None:
    one = material(TEXT, [spans("q", ("a", 0, 9))], found={"model": [[5, 6, 7, 8, 9]]})
    assert mined(one, negatives_from=2, negatives_to=3) == [[6, 7]]


def test_the_most_similar_comes_first_with_its_similarity() -> None:
    likeness = [[0.9, *[0.1] * 4, 0.3, 0.5, 0.4, *[0.1] * 12]]
    one = material(TEXT, [spans("q", ("a", 0, 9))], found={"model": [[5, 6, 7]]}, likeness=likeness)
    assert mined(one) == [[6, 7, 5]]
    assert [round(passage.score, 2) for passage in made(one)[0].negatives] == [0.5, 0.4, 0.3]


def test_what_is_as_similar_as_the_positive_is_not_taken_for_wrong() -> None:
    likeness = [[0.5, *[0.1] * 4, 0.49, 0.46, 0.44, *[0.1] * 12]]
    one = material(TEXT, [spans("q", ("a", 0, 9))], found={"model": [[5, 6, 7]]}, likeness=likeness)
    assert mined(one, negatives_margin=0.05) == [[6, 7]]  # 0.475 is the most that a negative may have
    assert mined(one, negatives_margin=0.1) == [[7]]
    assert mined(one, negatives_margin=0.0) == [[5, 6, 7]]


def test_a_chunk_that_shares_one_character_with_evidence_is_no_negative() -> None:
    one = material(TEXT, [spans("q", ("a", 2, 11), ("b", 50, 59))], found={"bm25": [[1, 15, 2, 3]]})
    assert all(set(own) == {2, 3} for own in mined(one))


def test_what_says_the_same_as_a_positive_is_no_negative() -> None:
    answer = "The harbour of Arden was opened in 1810 by the mayor. "
    nearly = "the harbour of Arden was opened in 1810, by the Mayor! "
    other = "Nobody knows who tuned the organ of the old cathedral. "
    text = {"a": answer + other, "b": nearly + other, "c": "x" * 55}
    one = material(text, [spans("q", ("a", 0, 53))], size=55, found={"model": [[2, 1, 3, 4]]})
    found = made(one)[0].negatives
    assert [passage.document_id for passage in found] == ["a", "c"]  # and the same text is a negative once


def test_a_chunk_that_holds_the_words_of_evidence_elsewhere_is_no_negative() -> None:
    fact = "the harbour of Arden was opened in 1810"
    text = {"a": f"{fact}. {'A' * 60}", "b": f"{'B' * 40} {fact.upper()} {'C' * 19}", "c": "D" * 100}
    one = material(text, [spans("q", ("a", 0, len(fact)))], size=101, found={"model": [[1, 2]]})
    assert [passage.document_id for passage in made(one)[0].negatives] == ["c"]


def test_vectors_that_are_one_say_the_same() -> None:
    one = material(TEXT, [spans("q", ("a", 0, 9))], found={"model": [[5, 6]]})
    vectors = one.vectors.copy()
    vectors[5] = vectors[0]
    twin = Material(**{**one.__dict__, "vectors": vectors})
    assert mined(twin) == [[6]]


def test_what_answers_a_question_that_asks_the_same_is_no_negative() -> None:
    asked = [
        spans("q", ("a", 0, 9), text="When was the harbour opened?"),
        spans("r", ("a", 50, 59), text="when was the harbour opened"),
        spans("s", ("a", 60, 69), text="Who tuned the organ?"),
    ]
    one = material(TEXT, asked, found={"model": [[5, 6], [0, 6], [0, 5]]})
    assert mined(one) == [[6], [6], [0, 5]]


def test_a_struck_negative_is_replaced_by_the_next_and_a_struck_positive_is_gone() -> None:
    strikes = [Strike("q", "a", 50, 60, "negative"), Strike("q", "b", 0, 10, "positive")]
    asked = [spans("q", ("a", 0, 9), ("b", 0, 9)), spans("r", ("b", 0, 9))]
    one = material(TEXT, asked, found={"model": [[5, 10, 6, 7], [5, 6]]}, strikes=strikes)
    found = made(one, negatives_each=1)
    assert [(pair.question_id, pair.positive.document_id) for pair in found] == [("q", "a"), ("r", "b")]
    assert mined(one, negatives_each=1) == [[6], [5]]  # and what was struck out of the positives is no negative


def test_a_question_whose_passages_are_all_struck_out_is_left_out_and_idle_strikes_are_told() -> None:
    strikes = [
        Strike("q", "a", 0, 10, "positive"),
        Strike("q", "gone", 0, 10, "positive"),
        Strike("q", "b", 0, 10, "positive"),
        Strike("nobody", "b", 0, 10, "negative"),
    ]
    one = material(TEXT, [spans("q", ("a", 0, 9))], strikes=strikes)
    told: list[str] = []
    found = making.training_pairs(one, knobs(), told.append)
    assert [(left.question_id, left.why) for left in found.left_out] == [("q", "all its passages were struck out")]
    assert any(line.startswith("3 of 4 strikes hold for nothing here") for line in told)


def test_a_strike_holds_for_what_is_mostly_the_same_text_under_another_chunking() -> None:
    strikes = [Strike("q", "a", 3, 13, "positive")]
    assert made(material(TEXT, [spans("q", ("a", 0, 9))], strikes=strikes)) == ()
    assert len(made(material(TEXT, [spans("q", ("a", 0, 19))], strikes=strikes))) == 1


def test_what_somebody_judged_irrelevant_comes_first_wherever_it_ranks_and_however_similar_it_is() -> None:
    likeness = [[0.5, *[0.1] * 4, 0.3, 0.9, 0.2, *[0.1] * 12]]
    spots = (Evidence("a", 0, 9), Evidence("a", 60, 69, grade=0.0), Evidence("a", 79, 81, grade=0.0))
    question = Question("q", "What?", split="train", evidence=spots)
    one = material(TEXT, [question], found={"model": [[5, 7]]}, likeness=likeness)
    assert mined(one, negatives_each=2, negatives_margin=0.05) == [[6, 5]]
    relevant = Question("q", "What?", split="train", evidence=(*spots, Evidence("a", 68, 69)))
    assert 6 not in mined(material(TEXT, [relevant], found={"model": [[5, 7]]}, likeness=likeness))[0]


def test_without_searches_and_without_negatives_there_are_none() -> None:
    one = material(TEXT, [spans("q", ("a", 0, 9))], found={"model": [[5]]})
    assert mined(one, negatives="none") == [[]]
    assert mined(material(TEXT, [spans("q", ("a", 0, 9))])) == [[]]
    assert mined(material(TEXT, [spans("q", ("a", 0, 9))], found={"model": [[0]]})) == [[]]


places = st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 98), st.integers(1, 40)), min_size=1, max_size=3)


@settings(max_examples=100, deadline=None)
@given(
    evidence=places,
    found=st.permutations(range(40)),
    words=st.permutations(range(40)),
    n=st.integers(1, 6),
    size=st.integers(4, 12),
    step=st.integers(4, 8),
)
def test_no_negative_ever_overlaps_evidence(evidence, found, words, n: int, size: int, step: int) -> None:
    spots = tuple(Evidence(d, start, min(start + length, 100)) for d, start, length in evidence)
    question = Question("q", "What?", split="train", evidence=spots)
    bare = material(TEXT, [question], size=size, step=step)
    within = [[c for c in own if c < len(bare.chunks)] for own in (found, words)]
    one = material(TEXT, [question], size=size, step=step, found={"model": [within[0]], "bm25": [within[1]]})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(making, "FEWEST_PAIRS", 0)
        pairs = making.training_pairs(one, knobs(negatives_each=n)).pairs
    for pair in pairs:
        assert len(pair.negatives) <= n
        assert len({(p.document_id, p.start) for p in pair.negatives}) == len(pair.negatives)
        for passage in pair.negatives:
            assert not any(
                passage.document_id == spot.document_id and passage.start < spot.end and passage.end > spot.start
                for spot in spots
            )
