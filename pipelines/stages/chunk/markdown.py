"""Sections below headings, never mixed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pydantic import Field

from pipelines.models.named_tokenizers import CL100K, TokenizerName
from pipelines.models.outline import sections
from pipelines.records import Document
from pipelines.stages.chunk import Chunker, Cut, Span, alone
from pipelines.stages.chunk.ruler import Ruler


class MarkdownChunker(Chunker, name="markdown", version=2):
    """Keep to sections: a chunk never holds parts of two, unless they are tiny. Choose it for text with good headings.

    Sections are those that loading marked in the file (HTML, DOCX and the like), else the markdown headings in the
    text; a document without either is cut as `recursive` does. A section longer than `size` is cut at paragraphs,
    lines, sentences, words. It costs what `recursive` costs.
    """

    size: int = Field(256, ge=16, le=8192, description="Greatest chunk length", json_schema_extra={"unit": "tokens"})
    tiny: int = Field(
        32,
        ge=0,
        le=1024,
        description="A section shorter than this is joined to the next one, where they fit together; 0 joins none",
        json_schema_extra={"unit": "tokens"},
    )
    tokenizer: TokenizerName = CL100K

    def cuts(self, document: Document) -> Iterable[Cut]:
        """Return the sections, tiny ones joined, long ones cut."""
        ruler = Ruler.of(document.text, self.tokenizer)
        whole = [(start, end) for start, end, _ in sections(document)]
        return alone(ruler.bounded(self._joined(ruler, whole), self.size))

    def _joined(self, ruler: Ruler, whole: list[Span]) -> Iterator[Span]:
        """Join what is tiny to what follows it, as a lone heading belongs to its text; the last to what precedes it."""
        held: list[Span] = []
        for start, end in whole:
            if held and self._joins(ruler, held[-1], end):
                held[-1] = held[-1][0], end
            else:
                held.append((start, end))
        if (
            len(held) > 1
            and ruler.tokens(*held[-1]) < self.tiny
            and ruler.tokens(held[-2][0], held[-1][1]) <= self.size
        ):
            held[-2:] = [(held[-2][0], held[-1][1])]
        yield from held

    def _joins(self, ruler: Ruler, before: Span, end: int) -> bool:
        return ruler.tokens(*before) < self.tiny and ruler.tokens(before[0], end) <= self.size
