"""No extraction."""

from __future__ import annotations

from collections.abc import Mapping

from pipelines.records import Chunks, Column, Documents
from pipelines.stages.extract import Extractor


class NoExtractor(Extractor, name="none", version=1, identity=True):
    """Use the documents' own metadata, and nothing else.

    Choose it where these have all that you filter by. Costs nothing.
    """

    def extract(self, documents: Documents, chunks: Chunks) -> Mapping[str, Column]:
        """Return no column."""
        return {}
