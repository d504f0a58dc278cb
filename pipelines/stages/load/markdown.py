"""Markdown files; YAML front matter becomes metadata."""

from __future__ import annotations

import re
from typing import Any, ClassVar

import yaml
from pydantic import Field

from pipelines.errors import DatasetError, shorten
from pipelines.records import Document, MetadataValue
from pipelines.stages.load import Attempt, Loader
from pipelines.stages.load.choices import EncodingKnob
from pipelines.stages.load.encodings import decoded
from pipelines.stages.load.markdown_marks import markdown_marks
from pipelines.stages.load.values import metadata_of

_FRONT_MATTER = re.compile(r"---[ \t]*\r?\n(.*?)(?<=\n)(?:---|\.\.\.)[ \t]*(?:\r?\n|\Z)", re.DOTALL)


class _PlainYaml(yaml.SafeLoader):
    """Reads no aliases: a few of them can stand for more than memory holds."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Refuse an alias, and compose anything else."""
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases are not read")
        return super().compose_node(parent, index)


_JOINT = "; "


class MarkdownLoader(Loader, name="markdown", version=4):
    """Read Markdown as it is; sections and tables are marked, leading YAML between `---` lines becomes metadata.

    `auto` takes it for such files; choose it by name where any other file is a mistake, which is then reported.
    Costs next to nothing.
    """

    suffixes: ClassVar[tuple[str, ...]] = (".md", ".markdown")
    verbatim: ClassVar[bool] = True
    bounded: ClassVar[bool] = False

    encoding: EncodingKnob = "auto"

    front_matter: bool = Field(True, description="Take leading YAML as metadata, out of the text")

    def attempt(self, data: bytes, document_id: str, where: str) -> Attempt:
        """Yield the one document; offsets count from after the front matter."""
        text, notes = decoded(data, where, self.encoding)
        yield from notes
        block = _FRONT_MATTER.match(text) if self.front_matter else None
        values = None if block is None else _fields(block[1], where)
        if block is None or values is None:
            yield Document(document_id, text, marks=markdown_marks(text))
        else:
            rest = text[block.end() :]
            yield Document(document_id, rest, values, markdown_marks(rest))


def _fields(block: str, where: str) -> dict[str, MetadataValue] | None:
    """Read the block; None where it is no list of fields, such as text between two rules."""
    try:
        values = yaml.load(block, Loader=_PlainYaml)  # noqa: S506, a safe loader
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = shorten(getattr(error, "problem", None) or error, 60)
        raise DatasetError(
            f"{where}: the front matter between the --- lines is not YAML ({reason}); "
            "mend it, or choose the markdown loader with front_matter: false."
        ) from error
    if values is None and not block.strip():
        return {}
    if not isinstance(values, dict):
        return None
    return metadata_of({name: _flat(value) for name, value in values.items()}, where, "front matter")


def _flat(value: object) -> object:
    """Return a list of plain values, such as tags, as one text with "; " between, which $contains looks into."""
    plain = isinstance(value, list) and all(isinstance(one, str | int | float) for one in value)
    return _JOINT.join(map(str, value)) or None if plain and isinstance(value, list) else value
