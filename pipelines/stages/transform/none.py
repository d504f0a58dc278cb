"""No transformation."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.records import Queries
from pipelines.stages.transform import Transformer


class NoTransformer(Transformer, name="none", version=1, identity=True):
    """Search for the question as it is asked.

    Choose it as the baseline of every comparison. Costs nothing.
    """

    def transform(self, questions: Sequence[str]) -> Queries:
        """Return each question as its only query."""
        return Queries.of(questions)
