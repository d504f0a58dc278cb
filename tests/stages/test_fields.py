"""BM25 over several fields: by hand, as plain BM25 where the body alone counts, and what is told of a missing field."""

from __future__ import annotations

from math import log

import numpy as np
import pytest

from pipelines.errors import ConfigurationError
from pipelines.planning.places import columns_of_place, first_line
from pipelines.records import Candidates, Chunks, Column, Documents, Marks, Rankings
from pipelines.stages.retrieve import FIRST_LINE, Corpus, Lookup
from pipelines.stages.retrieve.bm25 import BM25Retriever
from pipelines.stages.retrieve.fields import FieldWords, field_index
from tests.contracts.searching import texts

BODIES = ["fees fees cards", "cards", "loans and fees", "rates"]
TITLES = Column.of(["cards", "cards", None, "fees of loans"])
PLAIN = {"stemmer": "none", "stop_words": "none"}


def found(retriever: BM25Retriever, query: str, corpus: Corpus) -> Rankings:
    n = len(corpus.texts)
    return retriever.open(corpus).search(Lookup([query], Candidates.everything(1, n)))


def test_a_score_by_hand() -> None:
    corpus = Corpus(BODIES, columns={"title": TITLES})
    retriever = BM25Retriever(depth=4, k1=1.2, b=0.75, title_weight=3.0, field_b=0.5, **PLAIN)
    ranking = found(retriever, "fees", corpus)
    # Bodies have 3, 1, 3 and 1 words: 2 in the mean. Titles have 1, 1 and 3 words: 5/3 in the mean of those that are.
    # 'fees' is in chunks 0 and 2 (body) and 3 (title): idf = ln(1 + (4 - 3 + 0.5) / (3 + 0.5))
    idf = log(1 + 1.5 / 3.5)
    body = 0.25 + 0.75 * 3 / 2
    tf = {0: 2 / body, 2: 1 / body, 3: 3 * 1 / (0.5 + 0.5 * 3 / (5 / 3))}
    expected = {chunk: idf * value / (1.2 + value) for chunk, value in tf.items()}
    order = sorted(expected, key=lambda chunk: -expected[chunk])
    assert ranking.chunk[0].tolist() == [*order, -1]
    assert np.allclose(ranking.score[0, :3], [expected[chunk] for chunk in order], rtol=1e-6)


def test_fields_are_added_before_they_saturate() -> None:
    """A word in both fields earns less than the two fields' scores together: that is what tells BM25F from a sum."""
    codes = np.zeros(1, dtype=np.int32)
    body, title = FieldWords([["fees"]], codes, 1.0, 0.0), FieldWords([["fees"]], codes, 1.0, 0.0)
    both = field_index([body, title], 1.0).scores(["fees"])[0]
    one = field_index([body], 1.0).scores(["fees"])[0]
    assert both / one == pytest.approx((2 / 3) / (1 / 2))


def test_the_body_alone_is_bm25() -> None:
    rows = texts(60)
    every = np.arange(60, dtype=np.int32)
    plain = BM25Retriever(depth=60, k1=0.9, b=0.4)
    alone = field_index([FieldWords(plain.tokens(rows), every, 1.0, 0.4)], 0.9)
    for query in ("bank rate bank", "loan", "unknownword", ""):
        ours = alone.scores(plain.tokens([query])[0])
        theirs = plain.read(Corpus(rows)).scores(plain.tokens([query])[0])
        assert np.allclose(ours, theirs, atol=1e-6)


def test_the_first_line_stands_in_for_a_title() -> None:
    documents = Documents(("a", "b"), ("\n## Fees of cards\n\nNothing else.", "Loans\n\nNothing else."))
    chunks = Chunks.of([0, 1], [18, 7], [32, 20])
    columns = columns_of_place(documents, chunks)
    assert [columns[FIRST_LINE][i] for i in range(2)] == ["Fees of cards", "Loans"]
    corpus = Corpus(chunks.texts(documents), columns=columns)
    assert found(BM25Retriever(title_weight=1, title_field=FIRST_LINE), "loans", corpus).chunk[0, 0] == 1
    assert first_line(" \n\n") is None


def test_sections_come_from_the_documents_marks() -> None:
    marks = {"section": Marks.of([(0, 0, 10, "Fees > Cards"), (0, 10, 20, "Loans")])}
    documents = Documents(("a",), ("x" * 20,), {}, marks)
    chunks = Chunks.of([0, 0], [0, 10], [10, 20])
    corpus = Corpus(["one text", "another text"], columns=columns_of_place(documents, chunks))
    assert found(BM25Retriever(section_weight=2.0), "loan", corpus).chunk[0].tolist() == [1, -1]


def test_a_field_that_no_chunk_has_is_told() -> None:
    corpus = Corpus(BODIES, columns={"titel": TITLES, FIRST_LINE: TITLES})
    with pytest.raises(ConfigurationError) as refused:
        BM25Retriever(title_weight=1.0).open(corpus)
    told = str(refused.value)
    assert "the field 'title', but no chunk has it; there are titel: name one of these, 'first line'" in told
    assert "Did you mean 'titel'?" in told
    BM25Retriever(title_field="nowhere").open(corpus)


def test_nothing_to_index() -> None:
    empty = Corpus([], columns={"title": Column.of([])})
    with pytest.raises(ConfigurationError, match="no chunk has it; there are title"):
        BM25Retriever(title_weight=1.0).open(empty)
    corpus = Corpus(["", "?"], columns={"title": Column.of(["!", None])})
    assert found(BM25Retriever(title_weight=1.0), "fees", corpus).chunk.tolist() == [[-1, -1]]
