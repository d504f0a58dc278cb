"""Tables kept whole, the text between them cut as prose."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise

from pydantic import Field

from pipelines.models.named_tokenizers import CL100K, TokenizerName
from pipelines.models.outline import tables
from pipelines.records import Document
from pipelines.stages.chunk import Chunker, Cut, Span, alone
from pipelines.stages.chunk.ruler import Ruler

_ROW = re.compile(r"\n\s*")


class TableChunker(Chunker, name="table", version=2):
    """Keep tables whole up to `table_size`; cut the text between them as `recursive` does. For reports full of tables.

    Tables are those that loading marked, else markdown and pipe tables in the text. A longer table is cut between its
    rows. A chunk's text is always the document's own, so a header row is not repeated in it: let the embedder read it
    before each part of a table, with `embed: {header: title-section-table}`.
    """

    size: int = Field(
        256, ge=16, le=8192, description="Greatest length of a chunk of prose", json_schema_extra={"unit": "tokens"}
    )
    table_size: int = Field(
        1024, ge=16, le=8192, description="Greatest length of a table kept whole", json_schema_extra={"unit": "tokens"}
    )
    tokenizer: TokenizerName = CL100K

    def cuts(self, document: Document) -> Iterable[Cut]:
        """Return tables, or groups of their rows, and the pieces of text between them."""
        ruler = Ruler.of(document.text, self.tokenizer)
        return alone(
            cut
            for start, end, kind in tables(document)
            for cut in (self._table(ruler, start, end) if kind else ruler.split(start, end, self.size))
        )

    def _table(self, ruler: Ruler, start: int, end: int) -> Iterable[Span]:
        if ruler.tokens(start, end) <= self.table_size:
            return [(start, end)]
        breaks = [start, *(match.end() for match in _ROW.finditer(ruler.text, start, end) if match.end() < end), end]
        return ruler.bounded(ruler.joined(pairwise(breaks), self.table_size), self.table_size)
