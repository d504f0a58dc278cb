"""Feedback for both: words to retrievers by words, vectors to retrievers by vectors."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from pipelines.stages.transform.rm3 import RM3Knobs
from pipelines.stages.transform.rocchio import RocchioKnobs


class BothFeedback(RM3Knobs, RocchioKnobs, name="feedback", version=1):
    """Feed each retriever by what it found first: RM3 for words, Rocchio for vectors. For hybrid, or to sweep over all.

    Each half of a hybrid gets its own feedback from its own first search, before the two are fused. Choose it, and its
    costs, as `rm3` and `rocchio` say.
    """

    documents: int = Field(
        5,
        ge=1,
        le=200,
        description="Chunks of the first search that are taken for relevant",
        json_schema_extra={"unit": "chunks"},
    )

    def feeding(self, *, words: bool) -> Mapping[str, object]:
        """Return all that decides what is fed back, to retrievers by words or by vectors."""
        return RM3Knobs.feeding(self, words=words) if words else RocchioKnobs.feeding(self, words=words)

    def looks_at(self, *, words: bool) -> int:
        """Return how many chunks of the first search are needed, by words or by vectors."""
        return RM3Knobs.looks_at(self, words=words) if words else RocchioKnobs.looks_at(self, words=words)
