"""Chunk: documents into pieces, as spans over the same text."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias

import numpy as np

from pipelines.component import Component
from pipelines.models.named_tokenizers import CL100K, tokenizer_identity
from pipelines.records import Chunks, Document, Documents, FloatArray

Span: TypeAlias = tuple[int, int]
Cut: TypeAlias = tuple[int, int, int, int]
"""Start and end of a chunk, start and end of the context that is handed on when it is hit."""
Encode: TypeAlias = Callable[[Sequence[str]], FloatArray]
"""Texts into vectors of length 1, float32 [n_texts, dimensions]."""

_USUAL_TOKENS = 256.0


class Chunker(Component, stage="chunk"):
    """Cuts documents into chunks that lie in order and leave out no character of a non-empty document.

    What a chunk's text is, `document.text[start:end]`, is fixed; a context span may reach further on both sides.
    """

    @abstractmethod
    def cuts(self, document: Document) -> Iterable[Cut]:
        """Return the chunks of one document with their contexts, in order of start; all offsets are characters."""

    def chunk(self, documents: Documents, encode: Encode | None = None) -> Chunks:
        """Return the chunks of all documents, in order of document and start.

        `encode` is for a chunker that reads by an `encoder`; without it, such a chunker loads the encoder itself.
        """
        return chunks_of((d, cut) for d in range(len(documents)) for cut in self.cuts(documents[d]))

    def encoder(self) -> Component | None:
        """Return the embed component whose vectors decide where this chunker cuts; None for most."""
        return None

    def texts_read(self, documents: Documents) -> list[str]:
        """Return the texts that the encoder is asked for: none for most."""
        return []

    def encoded_share(self) -> float:
        """Return how many characters the encoder reads for each character of the documents: for an estimate."""
        return 0.0

    def usual_tokens(self) -> float:
        """Return about how many tokens lie between two chunks' beginnings: for an estimate of how many there will be.

        It is a guess from the knobs alone, in tokens of prose.
        """
        return float(getattr(self, "size", _USUAL_TOKENS)) * (1.0 - float(getattr(self, "overlap", 0.0)))

    def extra_identity(self) -> Mapping[str, str]:
        """Return the digests of the tokenizer's file and of the encoder, where there are any."""
        encoder, tokenizer = self.encoder(), str(getattr(self, "tokenizer", CL100K))
        found = {} if tokenizer == CL100K else {"tokenizer file": tokenizer_identity(tokenizer)}
        return found if encoder is None else {**found, "encoder": encoder.fingerprint()}


class TextChunker(Chunker):
    """A chunker that looks at nothing but the text, and hands on what it cuts."""

    @abstractmethod
    def spans(self, text: str) -> Iterable[Span]:
        """Return the chunks of one text as half-open character spans, in order of start."""

    def cuts(self, document: Document) -> Iterable[Cut]:
        """Return the spans of the text, each its own context."""
        return alone(self.spans(document.text))


def alone(spans: Iterable[Span]) -> Iterable[Cut]:
    """Return chunks whose context is the chunk itself."""
    return ((start, end, start, end) for start, end in spans)


def chunks_of(rows: Iterable[tuple[int, Cut]]) -> Chunks:
    """Build chunks of (document, cut), in order; tokens are 0 until counted."""
    flat = np.asarray([(document, *cut) for document, cut in rows], dtype=np.int32).reshape(-1, 5)
    document, start, end, context_start, context_end = (np.ascontiguousarray(column) for column in flat.T)
    return Chunks(document, start, end, context_start, context_end, np.zeros(len(flat), dtype=np.int32))
