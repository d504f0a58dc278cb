"""Every chunker, with every knob at its extremes, on any text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zlib import crc32

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pipelines.component import components
from pipelines.models.tokens import boundaries, count, count_contexts
from pipelines.records import PAGE, SECTION, TABLE, Chunks, Document, Documents
from pipelines.stages.chunk import Chunker

from .registry import build, corners, knobs, registered

PIECES = (
    "word",
    "Sentence one. ",
    "Is it? ",
    "No! ",
    " ",
    "\n",
    "\r\n",
    "\n\n",
    "\n \n",
    "\t",
    "\u00a0",
    "\u2028",
    "。",
    "日本語",
    "👩‍👩‍👧‍👦",
    "🏳️‍🌈",
    "e\u0301",
    "\u0308",
    "\u202e",
    "\u200b",
    "ﬁ",
    "½",
    "<b>",
    "1,234.5",
    "...",
    "—",
    "\x00",
    "\x1c",
    "\ufeff",
    "Donaudampfschifffahrtsgesellschaft",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "# Heading\n",
    "- item\n",
    "| a | b |\n",
)
NO_SURROGATES = st.characters(exclude_categories=("Cs",))
TEXTS = st.one_of(
    st.text(NO_SURROGATES, max_size=60),
    st.lists(st.sampled_from(PIECES), max_size=120).map("".join),
    st.lists(st.sampled_from(PIECES), max_size=25).map(lambda parts: "".join(parts) * 6),
    st.text(st.sampled_from(" \n\r\t\u00a0\u2003\x0b\x1c\x85"), max_size=40),
)
HARD = (
    "",
    " ",
    "\n\n\n",
    "x",
    "".join(["word", "\u2028", "1,234.5", "| a | b |\n", "Sentence one. "]) * 6,
    "ࠂ0\x810𐀀𐀀𞀀",
    "👩‍👩‍👧‍👦",
    "e\u0301" * 90,
    "\r\n".join(["line"] * 90),
    "word" * 900,
    "👩‍👩‍👧‍👦" * 90,
    "日本語。" * 90,
    "a " * 400,
    " " * 900 + "x" + " " * 900,
    "A. " * 200,
    "." * 500,
    "\n" * 300,
    "one two\n\n" * 80,
    "repeat. repeat. " * 60,
)


def drawn(texts: Sequence[str]) -> Any:
    """Vectors of length 1 that the words of a text decide: as good as a model's for what holds of every chunker."""
    vectors = np.ones((len(texts), 16), dtype=np.float32)
    for i, text in enumerate(texts):
        for word in text.split():
            vectors[i, crc32(word.encode()) % 16] += 1
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def marked(i: int, text: str) -> Document:
    """A document; every second one has marks of all kinds, with gaps between them."""
    third = len(text) // 3
    spans = ((0, third), (third, 2 * third), (2 * third + 1, len(text)))
    marks = {kind: [(s, e, n + 1) for n, (s, e) in enumerate(spans) if s < e] for kind in (PAGE, SECTION, TABLE)}
    return Document(str(i), text, {}, marks if i % 2 else {})


def check(chunker: Chunker, texts: list[str]) -> Chunks:
    """Chunk, and check all that holds of every chunker."""
    documents = Documents.of([marked(i, text) for i, text in enumerate(texts)])
    chunks = chunker.chunk(documents, drawn)
    again = chunker.chunk(documents, drawn)
    for name in ("document", "start", "end", "context_start", "context_end"):
        assert getattr(chunks, name).dtype == np.int32
        assert np.array_equal(getattr(chunks, name), getattr(again, name)), "not deterministic"
    order = list(zip(chunks.document.tolist(), chunks.start.tolist(), strict=True))
    assert order == sorted(order)
    spans = list(zip(chunks.document, chunks.start, chunks.end, strict=True))
    assert len(set(spans)) == len(spans), "the same chunk twice"
    assert np.all(chunks.context_start <= chunks.start) and np.all(chunks.end <= chunks.context_end)
    for d, text in enumerate(texts):
        own = np.flatnonzero(chunks.document == d)
        uncovered = np.ones(len(text), dtype=bool)
        for i in own:
            start, end = int(chunks.start[i]), int(chunks.end[i])
            assert 0 <= start < end <= len(text), "an empty chunk, or one outside its document"
            assert 0 <= chunks.context_start[i] and chunks.context_end[i] <= len(text)
            assert chunks.text(documents, i) == text[start:end]
            uncovered[start:end] = False
        assert not uncovered.any(), f"characters {np.flatnonzero(uncovered)[:5]} are in no chunk"
    assert chunks.texts(documents) == [chunks.text(documents, i) for i in range(len(chunks))]
    return chunks


def sizes_fit(chunker: Any, chunks: Chunks, texts: list[str]) -> None:
    """A chunk is as long as its size says, or a little longer where joined tokens fall otherwise than in the whole."""
    if not any(knob.name == "size" and knob.unit == "tokens" for knob in knobs(type(chunker))):
        return
    size = max(chunker.size, getattr(chunker, "table_size", 0))
    for d, start, end in zip(chunks.document, chunks.start, chunks.end, strict=True):
        visible = texts[d][start:end].strip()
        assert count(visible) <= 1.25 * size + 8


@pytest.mark.parametrize("component", registered("chunk"))
@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data(), texts=st.lists(TEXTS, max_size=3))
def test_any_text(component: type[Chunker], data: st.DataObject, texts: list[str]) -> None:
    chunker: Any = data.draw(st.sampled_from(corners(component)))
    sizes_fit(chunker, check(chunker, texts), texts)


@pytest.mark.parametrize("component", registered("chunk"))
def test_hard_texts_at_every_extreme(component: type[Chunker]) -> None:
    for chunker in corners(component):
        sizes_fit(chunker, check(chunker, list(HARD)), list(HARD))


@pytest.mark.parametrize("component", registered("chunk"))
def test_no_documents_and_empty_ones(component: type[Chunker]) -> None:
    for chunker in corners(component):
        assert len(check(chunker, [])) == 0
        assert len(check(chunker, ["", "", ""])) == 0
        assert set(check(chunker, ["", "a", ""]).document.tolist()) == {1}


@pytest.mark.parametrize("component", registered("chunk"))
def test_a_document_is_cut_alike_whatever_lies_beside_it(component: type[Chunker]) -> None:
    text = "The first sentence stands here. The second one follows it, and is longer by far.\n\n" * 20
    chunker = component()
    alone, beside = check(chunker, [text]), check(chunker, ["Another.", "", text, "A third."])
    own = beside.document == 2
    assert np.array_equal(alone.start, beside.start[own])
    assert np.array_equal(alone.end, beside.end[own])


@pytest.mark.parametrize("component", registered("chunk"))
def test_sizes_are_counted_in_the_tokens_that_are_named(component: type[Chunker]) -> None:
    assert "tokenizer" in component.model_fields
    for text in [
        "The first sentence stands here; internationalisation follows it. " * 40,
        "日本語。 שלום עולם. 👩‍👩‍👧‍👦 " * 40,
    ]:
        for size in (16, 64):
            chunker: Any = build(component, size=size, table_size=size, tokenizer="minilm")
            chunks = check(chunker, [text])
            assert max(count(text[s:e], "minilm") for s, e in zip(chunks.start, chunks.end, strict=True)) <= 1.25 * size


@given(text=TEXTS)
@example(text="👩‍👩‍👧‍👦")
@settings(max_examples=200, deadline=None)
def test_token_boundaries(text: str) -> None:
    for tokenizer in ("cl100k_base", "minilm"):
        at = boundaries(text, tokenizer)
        assert at.dtype == np.int32
        assert at[0] == 0
        assert at[-1] == len(text)
        assert np.all(np.diff(at) >= 0)
        assert len(at) - 1 == max(count(text, tokenizer), bool(text))


def test_contexts_are_counted_in_tokens() -> None:
    documents = Documents.of([Document("a", "one two three four five six")])
    chunks = Chunks.of([0, 0], [0, 7], [7, 13])
    assert count_contexts(chunks, documents).tolist() == [2, 1]  # "one", " two"; " three"
    assert len(components("chunk")) >= 3
