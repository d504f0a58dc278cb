"""Recursive splitting: at paragraphs where that suffices, else at lines, sentences, words, tokens."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from pipelines.models.named_tokenizers import CL100K, TokenizerName
from pipelines.stages.chunk import Span, TextChunker
from pipelines.stages.chunk.ruler import Ruler


class RecursiveChunker(TextChunker, name="recursive", version=1):
    """Keep paragraphs whole where they fit `size`, else lines, sentences, words. A good first choice for prose.

    Pieces are joined up to `size` tokens; what is cut at a separator keeps it at its end, so no character is lost.

    It costs next to nothing, and reads no model.
    """

    size: int = Field(256, ge=16, le=8192, description="Greatest chunk length", json_schema_extra={"unit": "tokens"})
    overlap: float = Field(0.0, ge=0.0, le=0.5, description="Greatest share of a chunk repeated from the one before")
    tokenizer: TokenizerName = CL100K

    def spans(self, text: str) -> Iterator[Span]:
        """Return the joined pieces, each begun earlier by at most `overlap`, at a separator."""
        repeated = round(self.size * self.overlap)
        ruler = Ruler.of(text, self.tokenizer)
        previous = 0
        for start, end in ruler.split(0, len(text), self.size - repeated):
            begin = ruler.step_back(start, repeated, previous) if start and repeated else start
            yield begin, end
            previous = begin + 1
