"""No filter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.records import Candidates
from pipelines.stages.filter import Asked, Filter, Filtered


class NoFilter(Filter, name="none", version=1, identity=True):
    """Search every chunk.

    Choose it to know what the others gain, and where metadata tell nothing. Costs nothing.
    """

    def open(self, filtered: Filtered) -> _Everything:
        """Return candidates that leave out nothing."""
        return _Everything(filtered.n_chunks)


@dataclass(frozen=True)
class _Everything:
    n_chunks: int

    def candidates(self, asked: Sequence[Asked]) -> Candidates:
        return Candidates.everything(len(asked), self.n_chunks)
