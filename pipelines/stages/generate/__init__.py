"""Generate: answers from questions and the contexts that retrieval hands on."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

from pipelines.component import Component


class Generator(Component, stage="generate"):
    """Writes an answer to each question."""

    @abstractmethod
    def generate(self, questions: Sequence[str], contexts: Sequence[Sequence[str]]) -> list[str | None]:
        """Return one answer a question, None where there is none; `contexts` holds its chunks' texts in order."""
