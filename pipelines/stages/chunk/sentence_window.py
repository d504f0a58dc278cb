"""Single sentences to find, their neighbours to read."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from pipelines.models.named_tokenizers import CL100K, TokenizerName
from pipelines.models.sentences import sentences
from pipelines.records import Document
from pipelines.stages.chunk import Chunker, Cut
from pipelines.stages.chunk.ruler import Ruler

_USUAL_SENTENCE_TOKENS = 25.0


class SentenceWindowChunker(Chunker, name="sentence-window", version=1):
    """Index single sentences, and hand on `window` more on either side. Choose it for facts that one sentence states.

    A short text has one meaning, so that its vector is sharp; what is handed on is wide enough to be understood. The
    price: some ten times as many chunks and vectors as with pieces of 256 tokens. The windows of neighbouring hits
    overlap, and a budget of context tokens pays for what they share twice.
    """

    sentences: int = Field(1, ge=1, le=20, description="Sentences in a chunk", json_schema_extra={"unit": "sentences"})
    window: int = Field(
        2,
        ge=0,
        le=20,
        description="Sentences handed on before the chunk, and as many behind it",
        json_schema_extra={"unit": "sentences"},
    )
    size: int = Field(
        256,
        ge=16,
        le=8192,
        description="Greatest chunk length: longer sentences, such as rows of numbers, are cut",
        json_schema_extra={"unit": "tokens"},
    )
    tokenizer: TokenizerName = CL100K

    def cuts(self, document: Document) -> Iterator[Cut]:
        """Return groups of sentences, each within the sentences around it."""
        ruler = Ruler.of(document.text, self.tokenizer)
        single = list(ruler.bounded(sentences(document.text), self.size))
        for at in range(0, len(single), self.sentences):
            last = min(at + self.sentences, len(single))
            context = single[max(at - self.window, 0)][0], single[min(last + self.window, len(single)) - 1][1]
            for start, end in ruler.joined(single[at:last], self.size):
                yield start, end, *context

    def usual_tokens(self) -> float:
        """Return the length of so many sentences of prose."""
        return min(float(self.size), self.sentences * _USUAL_SENTENCE_TOKENS)
