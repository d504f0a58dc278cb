"""Rerank: the retrieved chunks in a better order."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from pipelines.component import Component
from pipelines.progress import Progress, silent
from pipelines.records import FloatArray, Rankings


@dataclass(frozen=True)
class Retrieved:
    """What may be looked at; row q of `rankings` and `question_vectors` belongs to question q.

    `texts` are the chunks'. Vectors are unit length, and None unless `needs_vectors`.
    """

    rankings: Rankings
    questions: Sequence[str]
    texts: Sequence[str]
    vectors: FloatArray | None = None
    question_vectors: FloatArray | None = None


class Reranker(Component, stage="rerank"):
    """Reorders rankings. It may drop chunks and never adds any."""

    needs_vectors: ClassVar[bool] = False
    needs_texts: ClassVar[bool] = False

    @abstractmethod
    def rerank(self, retrieved: Retrieved, progress: Progress = silent) -> Rankings:
        """Return the new rankings, with falling scores."""
