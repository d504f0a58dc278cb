"""Overlap of words: by hand, and mixed with what retrieval said."""

from __future__ import annotations

from math import log

import numpy as np
import pytest

from pipelines.records import PADDING, Rankings
from pipelines.stages.rerank import Retrieved
from pipelines.stages.rerank.lexical import LexicalReranker, from_0_to_1
from pipelines.stages.rerank.words import Lexicon, Lexicons

TEXTS = ["fees of cards", "cards", "the cards of the bank have fees", "rates"]
QUESTION = "fees of cards abroad"
# fees stand in 2 of 4 texts, of in 2, cards in 3, abroad in none: idf = ln(1 + (4 - n + 0.5) / (n + 0.5))
FEES, OF, CARDS, ABROAD = (log(1 + (4.5 - n) / (n + 0.5)) for n in (2, 2, 3, 0))
ALL = FEES + OF + CARDS + ABROAD


def overlap(measure: str) -> np.ndarray:
    asked = Lexicon.of(TEXTS, "none").asked([QUESTION])
    return getattr(asked, measure)(np.zeros(4, dtype=np.int64), np.arange(4))  # type: ignore[no-any-return]


def test_coverage_is_the_share_of_the_questions_words_by_their_rarity() -> None:
    assert np.allclose(overlap("coverage"), [(FEES + OF + CARDS) / ALL, CARDS / ALL, (FEES + OF + CARDS) / ALL, 0])


def test_f1_marks_down_what_else_a_chunk_says() -> None:
    alone = log(1 + 3.5 / 1.5)  # Words of one text: the, bank, have, rates.
    of_chunk = [FEES + OF + CARDS, CARDS, FEES + OF + CARDS + 3 * alone, alone]
    shared = [FEES + OF + CARDS, CARDS, FEES + OF + CARDS, 0]
    assert np.allclose(overlap("f1"), [2 * s / (ALL + c) for s, c in zip(shared, of_chunk, strict=True)])


def test_rouge_l_is_the_longest_run_in_order() -> None:
    # Four words are asked: "fees of cards" stands whole; "cards ... of ... fees" holds "cards" or "of" or "fees" only.
    assert np.allclose(overlap("rouge_l"), [3 / 4, 1 / 4, 1 / 4, 0])


def given(*scores: float) -> Retrieved:
    chunk = np.arange(len(scores), dtype=np.int32)[None]
    return Retrieved(Rankings(chunk, np.asarray([scores], dtype=np.float32)), [QUESTION], TEXTS)


def test_the_former_score_has_the_rest_of_the_weight() -> None:
    retrieved = given(9.0, 8.0, 7.0, 5.0)
    found = LexicalReranker(weight=0.5, stemmer="none").rerank(retrieved)
    share = (FEES + OF + CARDS) / ALL
    expected = {0: 0.5 + share / 2, 1: 0.375 + CARDS / ALL / 2, 2: 0.25 + share / 2, 3: 0.0}
    assert found.chunk[0].tolist() == sorted(expected, key=lambda c: -expected[c])
    assert np.allclose(found.score[0], sorted(expected.values(), reverse=True))
    assert LexicalReranker(weight=0.0).rerank(retrieved).chunk[0].tolist() == [0, 1, 2, 3]
    assert LexicalReranker(weight=1.0).rerank(given(0.1, 0.1, 0.2, 0.9)).chunk[0].tolist() == [0, 2, 1, 3]


def test_endings_are_cut_off_by_language() -> None:
    english = Lexicon.of(["the banking fees"], "english").asked(["bank fee"])
    assert english.coverage(np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.int64))[0] == pytest.approx(1.0)


def test_scores_from_0_to_1() -> None:
    rows = Rankings(
        np.asarray([[4, 2, 7], [1, PADDING, PADDING], [PADDING] * 3], dtype=np.int32),
        np.asarray([[3, 2, -1], [5, 0, 0], [0, 0, 0]], dtype=np.float32),
    )
    assert np.allclose(from_0_to_1(rows), [[1, 0.75, 0], [1, 0, 0], [0, 0, 0]])


def test_a_corpus_is_read_once_as_long_as_it_stays_the_same() -> None:
    held = Lexicons()
    first = held.of(TEXTS, "none")
    assert held.of(TEXTS, "none") is first
    assert held.of(list(TEXTS), "none") is not first
    assert held.of(TEXTS, "english") is not first
