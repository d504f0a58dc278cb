"""Sentences joined up to a size, by llama-index's SentenceSplitter."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property, partial
from typing import TYPE_CHECKING

from pydantic import Field

from pipelines.models.named_tokenizers import CL100K, TokenizerName
from pipelines.models.tokens import tokens
from pipelines.stages.chunk import Span, TextChunker

if TYPE_CHECKING:
    from llama_index.core.node_parser import SentenceSplitter


class SentenceChunker(TextChunker, name="sentence", version=2):
    """Join whole sentences up to `size` tokens. Choose it where a cut sentence would lose its meaning.

    It costs next to nothing. Sentences are found by llama-index's SentenceSplitter; lists and tables, which have
    none, are better cut by `recursive` or `table`.
    """

    size: int = Field(256, ge=16, le=8192, description="Greatest chunk length", json_schema_extra={"unit": "tokens"})
    overlap: float = Field(
        0.1, ge=0.0, le=0.5, description="Greatest share of a chunk repeated from the one before, in whole sentences"
    )
    tokenizer: TokenizerName = CL100K

    @cached_property
    def _splitter(self) -> SentenceSplitter:
        from llama_index.core.node_parser import SentenceSplitter

        return SentenceSplitter(
            chunk_size=self.size,
            chunk_overlap=round(self.size * self.overlap),
            tokenizer=partial(tokens, tokenizer=self.tokenizer),
            include_metadata=False,
        )

    def spans(self, text: str) -> Iterator[Span]:
        """Return the splitter's chunks, each with the white space that the splitter drops behind it."""
        found = list(_located(text, self._splitter.split_text(text))) if text.strip() else []
        if not found:
            yield from [(0, len(text))] if text else []
            return
        starts = [0] + [start for start, _ in found[1:]]
        for i, (_, end) in enumerate(found):
            following = starts[i + 1] if i + 1 < len(found) else len(text)
            yield starts[i], max(end, following)


def _located(text: str, pieces: list[str]) -> Iterator[Span]:
    """Find each piece where it must lie: not before the one before, reaching further, leaving no gap.

    The splitter returns contiguous, stripped pieces in order. Where the text repeats itself, so that a piece fits at
    several places, the last of these is meant: without overlap it is the only right one, with overlap it repeats least.
    """
    start, end = 0, 0
    for piece in pieces:
        latest = _first_visible(text, end)
        begin = text.rfind(piece, max(start, end + 1 - len(piece)), latest + len(piece))
        if begin < 0:
            continue
        start, end = begin, begin + len(piece)
        yield start, end


def _first_visible(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at
