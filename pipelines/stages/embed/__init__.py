"""Embed: texts into vectors."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.component import Component
from pipelines.progress import Progress, silent
from pipelines.records import FloatArray


@dataclass(frozen=True)
class Embedded:
    """Vectors, float32 [n_texts, dimensions], and how many texts were longer than the model reads."""

    vectors: FloatArray
    n_truncated: int = 0
    max_tokens: int | None = None


class Embedder(Component, stage="embed"):
    """Turns texts into vectors whose nearness is nearness of meaning."""

    @abstractmethod
    def embed_documents(self, texts: Sequence[str], progress: Progress = silent) -> Embedded:
        """Return one vector a text; equal texts get equal vectors, to the bit."""

    def embed_queries(self, texts: Sequence[str], progress: Progress = silent) -> Embedded:
        """Return one vector a query; like `embed_documents` unless a model treats queries apart."""
        return self.embed_documents(texts, progress)
