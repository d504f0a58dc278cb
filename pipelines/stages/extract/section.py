"""The headings above a chunk."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping

from pipelines.models.outline import sections
from pipelines.records import Chunks, Column, Documents, MetadataValue
from pipelines.stages.extract import Replacing
from pipelines.stages.extract.texts import rows_to_columns


class SectionExtractor(Replacing, name="section", version=2):
    """Say below which headings a chunk begins: "Risk > Liquidity", by the document's marks, or markdown headings.

    Choose it to filter by part of a document, or to see in a list where a hit stands. Costs next to nothing.
    """

    def extract(self, documents: Documents, chunks: Chunks) -> Mapping[str, Column]:
        """Return the fields `section` (the headings down to it), `section_title` (the last) and `section_level`."""
        found = [sections(documents[i]) for i in range(len(documents))]
        starts = [[start for start, _, _ in own] for own in found]
        rows: list[list[MetadataValue | None]] = []
        for document, start in zip(chunks.document.tolist(), chunks.start.tolist(), strict=True):
            at = bisect_right(starts[document], start) - 1
            path = found[document][at][2] if at >= 0 else ""
            parts = path.split(" > ")
            rows.append([path, parts[-1], len(parts)] if path else [None, None, None])
        return rows_to_columns(("section", "section_title", "section_level"), rows)
