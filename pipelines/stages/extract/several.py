"""Several extractors, one after another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field, field_validator

from pipelines.component import build
from pipelines.errors import ConfigurationError
from pipelines.records import Chunks, Column, Documents
from pipelines.stages.extract import Extractor, Replacing
from pipelines.stages.extract.merging import merged


class SeveralExtractors(Replacing, name="several", version=1):
    """Run several extractors: `extractors: [{use: dates}, {use: path, folders: [kind]}]`.

    Where two find a value of one field, that of the earlier stands. Costs what all of them cost together.
    """

    extractors: tuple[dict[str, Any], ...] = Field(
        description="Extractors with their knobs, as a pipeline file holds them",
        min_length=1,
        examples=[[{"use": "path"}], [{"use": "section"}, {"use": "dates", "level": "chunk"}]],
    )

    @field_validator("extractors", mode="before")
    @classmethod
    def _named(cls, extractors: object) -> object:
        """Take a bare name for an extractor with its defaults, as a stage of a pipeline does."""
        if not isinstance(extractors, list | tuple):
            return extractors
        return [{"use": one} if isinstance(one, str) else one for one in extractors]

    @field_validator("extractors")
    @classmethod
    def _complete(cls, extractors: tuple[dict[str, Any], ...]) -> tuple[dict[str, Any], ...]:
        """Write every knob out, so that equal extractors have equal keys."""
        return tuple(_built(one).settings() for one in extractors)

    def extra_identity(self) -> Mapping[str, str]:
        """Return what decides each extractor."""
        return {str(i): one.fingerprint() for i, one in enumerate(self.parts())}

    def parts(self) -> list[Extractor]:
        """Return the extractors in order."""
        return [_built(one) for one in self.extractors]

    def extract(self, documents: Documents, chunks: Chunks) -> Mapping[str, Column]:
        """Return all their columns."""
        found: dict[str, Column] = {}
        for one in self.parts():
            found = merged(found, one.extract(documents, chunks), replace=False)
        return found


def _built(settings: Mapping[str, Any]) -> Extractor:
    """Build one of them.

    Raises:
        ValueError: for settings that are none, and for `replace`, which stands for all together.
    """
    if settings.get("use") == SeveralExtractors.name:
        raise ValueError("holds 'several' again; list all extractors in one")
    try:
        one = build("extract", settings, "none", "extract.several")
    except ConfigurationError as error:
        raise ValueError(f"holds an extractor that cannot be: {error}") from error
    if not isinstance(one, Extractor) or one.replaces():
        raise ValueError("holds an extractor with replace; set replace beside extractors, for all together")
    return one
