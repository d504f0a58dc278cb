"""Fixed windows of tokens."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from pipelines.models.named_tokenizers import CL100K, TokenizerName
from pipelines.models.tokens import boundaries
from pipelines.stages.chunk import Span, TextChunker


class FixedChunker(TextChunker, name="fixed", version=2):
    """Cut every `size` tokens, whatever the text says. A baseline to beat, not a default.

    It costs a few seconds for millions of characters, as all chunkers that read no model do.
    """

    size: int = Field(256, ge=16, le=8192, description="Chunk length", json_schema_extra={"unit": "tokens"})
    overlap: float = Field(0.0, ge=0.0, le=0.9, description="Share of a chunk repeated in the next")
    tokenizer: TokenizerName = CL100K

    def spans(self, text: str) -> Iterator[Span]:
        """Return windows over the text's tokens; the last one ends with the text."""
        at = boundaries(text, self.tokenizer)
        n_tokens = len(at) - 1
        step = self.size - round(self.size * self.overlap)
        previous = (0, 0)
        for first in range(0, n_tokens, step):
            last = min(first + self.size, n_tokens)
            span = int(at[first]), int(at[last])
            # A character of several tokens may take up a whole step: then two windows are the same.
            if span[1] > span[0] and span != previous:
                yield span
                previous = span
            if last == n_tokens:
                return
