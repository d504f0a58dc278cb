"""Markdown files; YAML front matter becomes metadata."""

from __future__ import annotations

import re
from typing import ClassVar

import yaml
from pydantic import Field

from pipelines.errors import DatasetError, shorten
from pipelines.records import Document, MetadataValue
from pipelines.stages.load import Attempt, Loader, decode
from pipelines.stages.load.values import metadata_of

_FRONT_MATTER = re.compile(r"---[ \t]*\r?\n(.*?)(?<=\n)(?:---|\.\.\.)[ \t]*(?:\r?\n|\Z)", re.DOTALL)


class MarkdownLoader(Loader, name="markdown", version=1):
    """Read Markdown as it is, marks and all; a leading block of YAML between `---` lines becomes metadata."""

    suffixes: ClassVar[tuple[str, ...]] = (".md", ".markdown")

    front_matter: bool = Field(True, description="Take leading YAML as metadata, out of the text")

    def attempt(self, data: bytes, document_id: str, where: str) -> Attempt:
        """Yield the one document; offsets count from after the front matter."""
        text = decode(data, where)
        block = _FRONT_MATTER.match(text) if self.front_matter else None
        values = None if block is None else _fields(block[1], where)
        if block is None or values is None:
            yield Document(document_id, text)
        else:
            yield Document(document_id, text[block.end() :], values)


def _fields(block: str, where: str) -> dict[str, MetadataValue] | None:
    """Read the block; None where it is no list of fields, such as text between two rules."""
    try:
        values = yaml.safe_load(block)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = shorten(getattr(error, "problem", None) or error, 60)
        raise DatasetError(
            f"{where}: the front matter between the --- lines is not YAML ({reason}); "
            "mend it, or choose the markdown loader with front_matter: false."
        ) from error
    if values is None and not block.strip():
        return {}
    return metadata_of(values, where, "front matter") if isinstance(values, dict) else None
