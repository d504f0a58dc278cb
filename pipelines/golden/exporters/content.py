"""What an exporter writes of, and what it writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipelines.golden.manifest import Manifest
from pipelines.records import Chunks, Documents, Evidence, Question


@dataclass(frozen=True, eq=False)
class Content:
    """A dataset: documents and questions with their evidence located in them; `chunks` where pieces are exported.

    `cut_by` says by what the chunks were cut.
    """

    manifest: Manifest
    documents: Documents
    questions: Sequence[Question]
    chunks: Chunks | None = None
    cut_by: str = ""

    def quote(self, item: Evidence) -> str:
        """Return the text of a piece of evidence; a lost quote as it was given."""
        position = self.documents.position.get(item.document_id)
        if position is None or (item.start is None and item.quote is not None):
            return item.quote or ""
        return self.documents.texts[position][slice(item.start, item.end)]


@dataclass(frozen=True)
class Written:
    """Files by their path below the folder, how many documents they hold, and what their user should know."""

    files: Mapping[str, str]
    n_documents: int
    notices: tuple[str, ...] = ()
