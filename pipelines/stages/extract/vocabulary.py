"""The values of the dataset's own metadata, found in the texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from pipelines.errors import ConfigurationError, did_you_mean, shorten
from pipelines.records import Chunks, Column, Documents
from pipelines.stages.extract.texts import TextExtractor, commonest, joined, rows_to_columns
from pipelines.vocabulary.names import Names, text_values
from pipelines.vocabulary.time_fields import TimeFields

_MOST_VALUES = 5_000
_SAMPLE = 4_000
_MENTIONED = "_mentioned"


class VocabularyExtractor(TextExtractor, name="vocabulary", version=2):
    """Find the metadata's own values in the texts: which company, region or document type a chunk speaks of.

    Choose it where some documents lack a field that others have: it fills the gaps with the value that is mentioned
    most. `FIELD_mentioned` holds all values that a text mentions, also where the document's own is known. Names are
    known by shorter forms too, as the filter `inferred` knows them. About 1,000 chunks a second.
    """

    fields: tuple[Annotated[str, Field(min_length=1, max_length=200)], ...] = Field(
        (), description="Fields whose values are looked for; empty takes all of text", examples=[["company"]]
    )
    threshold: float = Field(
        0.6,
        ge=0.0,
        le=1.0,
        description="Confidence from which a value counts as mentioned",
        json_schema_extra={"unit": "share"},
    )

    def extract(self, documents: Documents, chunks: Chunks) -> Mapping[str, Column]:
        """Return each field, and what is mentioned of it.

        Raises:
            ConfigurationError: for a field that no document has.
        """
        values = {name: own for name in self._chosen(documents) if (own := list(text_values(documents.columns[name])))}
        values = {name: own for name, own in values.items() if len(own) <= _MOST_VALUES}
        names = self._weighed(Names.of(values), documents, chunks)
        reader = _Reader(names, tuple(values), self.threshold)
        if self.level == "chunk":
            return reader.columns(chunks.texts(documents))
        return {name: column.take(chunks.document) for name, column in reader.columns(documents.texts).items()}

    def read(self, texts: Sequence[str], ids: Sequence[str]) -> Mapping[str, Column]:
        """Return nothing: without the documents there is no vocabulary."""
        return {}

    def _chosen(self, documents: Documents) -> Sequence[str]:
        for name in self.fields:
            if name not in documents.columns:
                there = ", ".join(sorted(documents.columns)) or "none at all"
                raise ConfigurationError(
                    f"extract.vocabulary looks for values of the field '{shorten(name)}', which no document has; "
                    f"fields are: {shorten(there, 300)}.{did_you_mean(name, documents.columns)}"
                )
        times = TimeFields.of(documents.columns).names
        return self.fields or [name for name in documents.columns if name not in times]

    def _weighed(self, names: Names, documents: Documents, chunks: Chunks) -> Names:
        """Learn from some of the chunks how specific each name is."""
        if not len(chunks):
            return names
        rows = np.unique(np.linspace(0, len(chunks) - 1, _SAMPLE).astype(np.int32))
        texts = [chunks.text(documents, int(row)) for row in rows]
        own = {name: column.take(chunks.document[rows]) for name, column in documents.columns.items()}
        return names.weighed(texts, own)


class _Reader:
    def __init__(self, names: Names, fields: Sequence[str], threshold: float) -> None:
        self._names, self._fields, self._threshold = names, fields, threshold

    def columns(self, texts: Sequence[str]) -> dict[str, Column]:
        """Return, for each field, the value that is named most in each text, and all that are."""
        titles = [title for name in self._fields for title in (name, name + _MENTIONED)]
        return rows_to_columns(titles, [self._row(text) for text in texts])

    def _row(self, text: str) -> list[Any]:
        found: dict[str, list[str]] = {name: [] for name in self._fields}
        for place in self._names.found(text):
            sure = [one for one in place if one.confidence >= self._threshold]
            if len(sure) == 1:  # what may mean several says nothing
                found[sure[0].field].append(sure[0].value)
        return [value for own in found.values() for value in (commonest(own), joined(own))]
