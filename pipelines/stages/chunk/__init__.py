"""Chunk: documents into pieces, as spans over the same text."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable

import numpy as np

from pipelines.component import Component
from pipelines.records import Chunks, Documents

Span = tuple[int, int]


class Chunker(Component, stage="chunk"):
    """Cuts documents into chunks that lie in order and leave out no character of a non-empty document."""

    @abstractmethod
    def spans(self, text: str) -> Iterable[Span]:
        """Return the chunks of one text as half-open character spans, in order of start."""

    def chunk(self, documents: Documents) -> Chunks:
        """Return the chunks of all documents, in order of document and start."""
        rows = [(d, start, end) for d, text in enumerate(documents.texts) for start, end in self.spans(text)]
        document, start, end = np.asarray(rows, dtype=np.int32).reshape(-1, 3).T
        return Chunks.of(document, start, end)
