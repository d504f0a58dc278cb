"""Chunkers by hand: exact windows of tokens, separators in their order, whole sentences."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from pipelines.models.tokens import boundaries, count
from pipelines.stages.chunk.fixed import FixedChunker
from pipelines.stages.chunk.recursive import RecursiveChunker
from pipelines.stages.chunk.sentence import SentenceChunker

MERIDIAN = Path(__file__).parents[2] / "datasets" / "meridian" / "documents.jsonl"
LINES = MERIDIAN.read_text(encoding="utf-8").splitlines()
PROSE = [json.loads(line)["text"] for line in LINES[:12]]
ODD = "naïve café — 日本語。 👩‍👩‍👧‍👦 e\u0301 … " * 30


def tokens_begun(text: str, start: int, end: int) -> int:
    """How many tokens of the whole text begin in [start, end)."""
    at = boundaries(text)[:-1]
    return int(np.count_nonzero((at >= start) & (at < end)))


@pytest.mark.parametrize("size", [16, 100, 256])
def test_fixed_windows_hold_exactly_their_tokens(size: int) -> None:
    for text in PROSE:
        spans = list(FixedChunker(size=size).spans(text))
        assert [tokens_begun(text, *span) for span in spans[:-1]] == [size] * (len(spans) - 1)
        assert 1 <= tokens_begun(text, *spans[-1]) <= size
        assert "".join(text[s:e] for s, e in spans) == text  # without overlap: one after the other


@pytest.mark.parametrize(("size", "overlap", "step"), [(100, 0.25, 75), (16, 0.9, 2), (20, 0.5, 10), (33, 0.1, 30)])
def test_fixed_windows_step_by_what_they_do_not_repeat(size: int, overlap: float, step: int) -> None:
    text = PROSE[0]
    at = boundaries(text)
    spans = list(FixedChunker(size=size, overlap=overlap).spans(text))
    n = len(at) - 1
    expected = [(int(at[i]), int(at[min(i + size, n)])) for i in range(0, n, step)]
    assert spans == expected[: len(spans)]
    assert spans[-1][1] == len(text)
    assert expected[len(spans) - 2][1] < len(text), "a window behind the one that ends with the text says nothing new"


def test_a_window_never_begins_within_a_character() -> None:
    for start, end in FixedChunker(size=16, overlap=0.5).spans(ODD):
        ODD[start:end].encode()
    joined = "".join(ODD[s:e] for s, e in FixedChunker(size=16).spans(ODD))
    assert joined == ODD


@pytest.mark.parametrize("overlap", [0.0, 0.2, 0.5])
@pytest.mark.parametrize("size", [16, 64, 256])
def test_recursive_chunks_are_never_longer_than_their_size(size: int, overlap: float) -> None:
    for text in [*PROSE, ODD, "x" * 5000, "word " * 800]:
        spans = list(RecursiveChunker(size=size, overlap=overlap).spans(text))
        assert max(tokens_begun(text, *span) for span in spans) <= size
        for (start, end), (following, _) in pairwise(spans):
            assert start < following <= end
            assert tokens_begun(text, following, end) <= round(size * overlap), "more is repeated than was asked for"


def test_recursive_chunks_end_at_the_greatest_separator_that_suffices() -> None:
    first, second = "One two three. " * 4 + "End.", "Another paragraph. It goes on."
    text = f"{first}\n\n{second}"
    assert count(first) > 16 > count(second)
    pieces = [text[s:e] for s, e in RecursiveChunker(size=16).spans(text)]
    assert pieces[-1] == second  # a paragraph that fits is left whole
    assert all(piece.endswith((". ", ".\n\n")) for piece in pieces[:-1])  # the other is cut at sentences
    whole = RecursiveChunker(size=64).spans(text)
    assert list(whole) == [(0, len(text))]  # all of it fits


def test_recursive_overlap_begins_at_a_sentence_or_word() -> None:
    text = "Alpha beta gamma. Delta epsilon zeta. Eta theta iota. Kappa lambda mu. Nu xi omicron. Pi rho sigma."
    spans = list(RecursiveChunker(size=20, overlap=0.5).spans(text))
    assert len(spans) > 2
    for (_, end), (start, _) in pairwise(spans):
        assert start < end, "nothing is repeated"
        assert text[start - 1] == " "
        assert text[start] != " "


@pytest.mark.parametrize("overlap", [0.0, 0.1, 0.5])
def test_sentence_chunks_are_those_of_the_library_in_their_places(overlap: float) -> None:
    for text in PROSE:
        chunker = SentenceChunker(size=100, overlap=overlap)
        pieces, spans = chunker._splitter.split_text(text), list(chunker.spans(text))
        assert [text[s:e].strip() for s, e in spans] == pieces
        assert max(count(text[s:e].strip()) for s, e in spans) <= 110


def test_sentences_stay_whole() -> None:
    text = "The first stands alone. The second follows it closely. The third one is the last of them all."
    spans = list(SentenceChunker(size=16, overlap=0.0).spans(text))
    assert [text[s:e] for s, e in spans] == [
        "The first stands alone. The second follows it closely. ",
        "The third one is the last of them all.",
    ]


@pytest.mark.parametrize("overlap", [0.0, 0.1, 0.5])
def test_sentences_that_repeat_are_each_in_their_own_place(overlap: float) -> None:
    """Found by their first occurrence, all would lie at the beginning, and the last chunk would be the whole rest."""
    text = "The cat sat on the mat. " * 200
    spans = list(SentenceChunker(size=64, overlap=overlap).spans(text))
    assert max(count(text[s:e].strip()) for s, e in spans) <= 70
    assert len(spans) >= count(text) // 64
    if overlap == 0:
        assert "".join(text[s:e] for s, e in spans) == text
