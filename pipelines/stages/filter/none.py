"""No filter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipelines.records import Candidates, Column
from pipelines.stages.filter import Asked, Filter


class NoFilter(Filter, name="none", version=1, identity=True):
    """Search every chunk."""

    def candidates(self, asked: Sequence[Asked], columns: Mapping[str, Column], n_chunks: int) -> Candidates:
        """Return candidates that leave out nothing."""
        return Candidates.everything(len(asked), n_chunks)
