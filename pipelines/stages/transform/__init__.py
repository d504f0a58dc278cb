"""Transform: questions into the queries that are searched for."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

from pipelines.component import Component
from pipelines.records import Queries


class Transformer(Component, stage="transform"):
    """Rewrites or expands questions; several queries of one question are fused by reciprocal rank."""

    @abstractmethod
    def transform(self, questions: Sequence[str]) -> Queries:
        """Return the queries of all questions, at least one each, in order of question."""
