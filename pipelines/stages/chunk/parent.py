"""Small pieces to find, the large piece around them to read."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from pipelines.models.named_tokenizers import CL100K, TokenizerName
from pipelines.records import Document
from pipelines.stages.chunk import Chunker, Cut
from pipelines.stages.chunk.ruler import Ruler


class ParentChunker(Chunker, name="parent", version=1):
    """Index small pieces of `size`, and hand on the piece of `parent_size` around each that is hit.

    Choose it where a few words are enough to find the place, and more is needed to answer. Both are cut as `recursive`
    does, the small ones within the large. Every hit hands on its parent, each parent once. It costs about twice the
    vectors of pieces of 256 tokens. Compare it at a budget (recall@2000tok), never at k alone.
    """

    size: int = Field(
        128, ge=16, le=8192, description="Greatest length of what is indexed", json_schema_extra={"unit": "tokens"}
    )
    parent_size: int = Field(
        512,
        ge=16,
        le=8192,
        description="Greatest length of what is handed on; never less than what is indexed",
        json_schema_extra={"unit": "tokens"},
    )
    tokenizer: TokenizerName = CL100K

    def cuts(self, document: Document) -> Iterator[Cut]:
        """Return the small pieces of each large one, the large one as their context."""
        ruler = Ruler.of(document.text, self.tokenizer)
        for parent in ruler.split(0, len(document.text), max(self.size, self.parent_size)):
            for start, end in ruler.split(*parent, self.size):
                yield start, end, *parent
