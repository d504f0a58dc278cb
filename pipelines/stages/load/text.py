"""Plain text files, as they are."""

from __future__ import annotations

from typing import ClassVar

from pipelines.records import Document
from pipelines.stages.load import Attempt, Loader, decode


class TextLoader(Loader, name="text", version=1):
    """Read .txt files as they are, one document a file."""

    suffixes: ClassVar[tuple[str, ...]] = (".txt",)

    def attempt(self, data: bytes, document_id: str, where: str) -> Attempt:
        """Yield the one document."""
        yield Document(document_id, decode(data, where))
