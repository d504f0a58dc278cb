"""Pages as they are."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import Field

from pipelines.models.named_tokenizers import CL100K, TokenizerName
from pipelines.models.outline import pages
from pipelines.records import Document
from pipelines.stages.chunk import Chunker, Cut, alone
from pipelines.stages.chunk.ruler import Ruler

_USUAL_PAGE_TOKENS = 500.0


class PageChunker(Chunker, name="page", version=1):
    """One chunk a page, or every few pages. Choose it where answers are cited by page, or pages stand for themselves.

    Pages are those that loading marked (PDF, PPTX), else what lies between form feeds; a document without either is
    one page. A page longer than `size` is cut at paragraphs, lines, sentences, words. Slides make good chunks, printed
    pages mostly large ones: an embedder that reads 256 tokens sees the first third of them.
    """

    size: int = Field(1024, ge=16, le=8192, description="Greatest chunk length", json_schema_extra={"unit": "tokens"})
    pages: int = Field(1, ge=1, le=20, description="Pages in a chunk", json_schema_extra={"unit": "pages"})
    tokenizer: TokenizerName = CL100K

    def cuts(self, document: Document) -> Iterable[Cut]:
        """Return the pages, joined by `pages`, long ones cut."""
        ruler = Ruler.of(document.text, self.tokenizer)
        single = pages(document)
        groups = [single[i : i + self.pages] for i in range(0, len(single), self.pages)]
        return alone(ruler.bounded(((group[0][0], group[-1][1]) for group in groups), self.size))

    def usual_tokens(self) -> float:
        """Return the length of printed pages, or the size that cuts them."""
        return min(float(self.size), self.pages * _USUAL_PAGE_TOKENS)
