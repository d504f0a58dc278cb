"""Which chunks answer a train question, and what becomes of questions that have none."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.errors import DatasetError
from pipelines.records import Chunks, Document, Documents, Evidence, Gold, Question
from pipelines.training.drawing import drawn_questions
from pipelines.training.overlaps import Overlaps
from pipelines.training.pairs import training_pairs
from pipelines.training.positives import MOST_OF_A_PIECE, positives

from .materials import knobs, material, spans

TEXT = {"a": "".join(chr(33 + i % 90) for i in range(100))}


def answers(question: Question, **more) -> dict[int, float]:
    return positives(material(TEXT, [question], **more)).of[0]


def test_a_chunk_that_holds_half_of_the_evidence_answers_and_one_that_touches_it_does_not() -> None:
    assert list(answers(spans("q", ("a", 12, 18)))) == [1]
    assert list(answers(spans("q", ("a", 15, 25)))) == [1, 2]  # five of ten in each
    assert list(answers(spans("q", ("a", 12, 21)))) == [1]  # one character in chunk 2
    assert list(answers(spans("q", ("a", 13, 24)))) == [1]  # in chunk 2, four of eleven, and four of its ten


def test_a_chunk_that_lies_half_within_evidence_answers() -> None:
    assert list(answers(spans("q", ("a", 15, 44)))) == [1, 2, 3]  # of chunk 4, four of ten
    assert list(answers(spans("q", ("a", 16, 44)))) == [2, 3]  # of chunk 1 too


def test_where_none_holds_half_the_fullest_chunk_answers_if_it_holds_a_tenth() -> None:
    sparse = Chunks.of([0, 0], [0, 90], [24, 100])  # nothing covers 24 to 90
    found = positives(material(TEXT, [spans("q", ("a", 20, 60)), spans("r", ("a", 21, 60))], chunks=sparse))
    assert [list(own) for own in found.of] == [[0], []]  # 4 of 40, and 3 of 39
    assert found.why[1] == "no chunk holds a tenth of any piece of its evidence"


def test_a_long_passage_gives_its_best_chunks_alone() -> None:
    whole = Question("q", "What is it?", split="train", evidence=(Evidence("a"),))
    likeness = [[0.1, 0.9, 0.2, 0.3, 0.8, 0.1, 0.7, 0.2, 0.1, 0.0]]
    found = positives(material(TEXT, [whole], likeness=likeness)).of[0]
    assert list(found) == [1, 4, 6]
    assert len(found) == MOST_OF_A_PIECE


def test_alternatives_each_answer_and_grades_are_carried() -> None:
    either = (Evidence("a", 0, 10, grade=2.0, group="g"), Evidence("a", 50, 60, group="g"), Evidence("a", 2, 9))
    question = Question("q", "What is it?", split="train", evidence=either)
    assert positives(material(TEXT, [question])).of[0] == {0: 2.0, 5: 1.0}


def test_evidence_that_was_judged_irrelevant_is_no_answer() -> None:
    question = Question("q", "?", split="train", evidence=(Evidence("a", 0, 10, grade=0.0), Evidence("a", 33, 40)))
    assert list(answers(question)) == [3]


def many(n: int = 10, **more) -> tuple[dict[str, str], list[Question]]:
    """One document of unlike chunks, a question on each."""
    text = " ".join(f"Sentence number {i:03d} speaks of {chr(97 + i % 26) * 8}." for i in range(n))
    size = len(text) // n + 1
    return {"a": text}, [spans(f"q{i}", ("a", i * size, min((i + 1) * size, len(text))), **more) for i in range(n)]


def made(n: int = 10, left=(), **given):
    texts, questions = many(n)
    size = len(texts["a"]) // n + 1
    return training_pairs(material(texts, questions, size=size, left_out=left), knobs(negatives="none", **given))


def test_every_question_has_its_pair_in_order() -> None:
    found = made()
    assert [pair.question_id for pair in found.pairs] == [f"q{i}" for i in range(10)]
    assert found.documents == {"a"}
    assert {pair.source for pair in found.pairs} == {"evidence"}
    assert made() == found


def test_questions_without_a_chunk_are_left_out_with_the_reason() -> None:
    texts, questions = many()
    size = len(texts["a"]) // 10 + 1
    lost = Question("lost", "?", split="train", evidence=(Evidence("a", quote="not in the parsed text"),))
    found = training_pairs(material(texts, [*questions, lost], size=size), knobs(negatives="none"))
    assert [(one.question_id, one.why) for one in found.left_out] == [
        ("lost", "its evidence is not in the parsed text")
    ]


def test_fewer_than_eight_pairs_are_refused_in_a_sentence(sentence) -> None:
    with pytest.raises(DatasetError) as error:
        made(7)
    assert "Only 7 training pairs" in sentence(error.value)
    assert "split 'train'" in str(error.value)
    with pytest.raises(DatasetError) as nothing:
        training_pairs(material({"a": "text"}, []), knobs())
    sentence(nothing.value)


def test_all_evidence_in_one_document_is_noted() -> None:
    texts, questions = many()
    told: list[str] = []
    training_pairs(material(texts, questions, size=len(texts["a"]) // 10 + 1), knobs(negatives="none"), told.append)
    assert any("one document, 'a'" in line for line in told)


def test_a_share_is_of_the_greater_share_and_told() -> None:
    questions = [Question(f"q{i}", "?") for i in range(100)]
    small, large = (set(drawn_questions(questions, share, 3)) for share in (0.25, 0.5))
    assert len(small) == 25
    assert small < large
    assert set(drawn_questions(questions, 0.25, 4)) != small
    assert len(drawn_questions(questions, 0.001, 3)) == 1
    assert len(made(40, share=0.5).pairs) == 20


pieces = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 95), st.integers(1, 60)), min_size=1, max_size=6)


@settings(max_examples=150, deadline=None)
@given(pieces=pieces, size=st.integers(1, 40), overlap=st.integers(0, 39))
def test_overlaps_are_those_that_a_comparison_of_all_with_all_finds(pieces, size: int, overlap: int) -> None:
    documents = Documents.of([Document(str(d), "x" * 97) for d in range(3)])
    evidence = tuple(Evidence(str(d), start, min(start + length, 97)) for d, start, length in pieces)
    gold = Gold.of([Question("q", "?", evidence=evidence)], documents)
    step = max(1, size - overlap)
    rows = [(d, s, min(s + size, 97)) for d in range(3) for s in range(0, 97, step)]
    rows = sorted({*rows, (1, 0, 97), (1, 40, 41)}, key=lambda row: row[:2])  # some lie within others
    chunks = Chunks.of(*np.asarray(rows).T)
    found = Overlaps.of(gold, chunks)
    wanted = [
        (i, c, min(row[2], e.end) - max(row[1], e.start))
        for i, e in enumerate(evidence)
        for c, row in enumerate(rows)
        if str(row[0]) == e.document_id and row[1] < e.end and row[2] > e.start
    ]
    assert sorted(zip(found.piece.tolist(), found.chunk.tolist(), found.shared.tolist(), strict=True)) == sorted(wanted)


@settings(max_examples=100, deadline=None)
@given(pieces=pieces, size=st.integers(1, 40), step=st.integers(1, 40))
def test_no_positive_is_without_evidence(pieces, size: int, step: int) -> None:
    texts = {str(d): "".join(chr(33 + (7 * d + i * i) % 90) for i in range(97)) for d in range(3)}
    question = spans("q", *((str(d), start, min(start + length, 97)) for d, start, length in pieces))
    one = material(texts, [question], size=size, step=min(step, size))
    for chunk in positives(one).of[0]:
        passage = one.passage(chunk)
        shared = [
            min(passage.end, e.end) - max(passage.start, e.start)
            for e in question.evidence
            if e.document_id == passage.document_id
        ]
        assert max(shared) > 0
