"""No generation."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.stages.generate import Generator


class NoGenerator(Generator, name="none", version=1, identity=True):
    """Evaluate retrieval alone.

    There is no other choice yet: what is measured is retrieval. Costs nothing.
    """

    def generate(self, questions: Sequence[str], contexts: Sequence[Sequence[str]]) -> list[str | None]:
        """Return no answer to any question."""
        return [None] * len(questions)
