"""No reranking."""

from __future__ import annotations

from pipelines.progress import Progress, silent
from pipelines.records import Rankings
from pipelines.stages.rerank import Reranker, Retrieved


class NoReranker(Reranker, name="none", version=1, identity=True):
    """Keep the order of retrieval.

    Choose it as the baseline of every comparison. Costs nothing.
    """

    def rerank(self, retrieved: Retrieved, progress: Progress = silent) -> Rankings:
        """Return the rankings as they are."""
        return retrieved.rankings
