"""How much an extraction found, and how much of it is what the documents' own metadata say."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from pipelines.errors import shorten
from pipelines.records import PADDING, Chunks, Column, Documents, MetadataValue
from pipelines.stages.extract import Extractor
from pipelines.stages.extract.merging import same

_EXAMPLES = 5
_COMMONEST = 5


@dataclass(frozen=True)
class Disagreement:
    """A document of which the extraction says something else than its metadata."""

    document_id: str
    extracted: MetadataValue
    known: MetadataValue


@dataclass(frozen=True)
class FieldReport:
    """One extracted field over the chunks.

    `found` chunks of `n_chunks` have an extracted value, of which there are `n_values` distinct ones; `commonest` are
    the most frequent with their chunks. `known` chunks have the field in the documents' own metadata; of the `both`
    that have either, `equal` agree. `accuracy` is equal / both, None with `reason` where nothing can be compared.
    """

    field: str
    n_chunks: int
    found: int
    n_values: int
    commonest: tuple[tuple[MetadataValue, int], ...]
    known: int
    both: int
    equal: int
    reason: str | None = None
    disagreements: tuple[Disagreement, ...] = ()

    @property
    def coverage(self) -> float | None:
        """The share of the chunks with an extracted value; None without chunks."""
        return self.found / self.n_chunks if self.n_chunks else None

    @property
    def accuracy(self) -> float | None:
        """The share of the values that could be compared which are equal."""
        return self.equal / self.both if self.both else None


@dataclass(frozen=True)
class ExtractionReport:
    """What a pipeline's extract stage found in a dataset; `seconds` is what it took, without loading and cutting."""

    component: str
    n_documents: int
    n_chunks: int
    seconds: float
    fields: tuple[FieldReport, ...]

    @property
    def chunks_per_s(self) -> float | None:
        """How fast it was; None where it took no time that could be measured."""
        return self.n_chunks / self.seconds if self.seconds > 0 else None

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        fields = [{**asdict(one), "coverage": one.coverage, "accuracy": one.accuracy} for one in self.fields]
        return {**asdict(self), "chunks_per_s": self.chunks_per_s, "fields": fields}


def reported(extractor: Extractor, documents: Documents, chunks: Chunks) -> ExtractionReport:
    """Extract, and compare with the columns that the chunks have already."""
    started = time.perf_counter()
    extracted = extractor.extract(documents, chunks)
    seconds = time.perf_counter() - started
    fields = tuple(field_report(name, column, documents, chunks) for name, column in extracted.items())
    return ExtractionReport(extractor.name, len(documents), len(chunks), seconds, fields)


def field_report(name: str, column: Column, documents: Documents, chunks: Chunks) -> FieldReport:
    """Compare one extracted column with what the documents' own metadata hold in that field."""
    has = column.codes != PADDING
    counts = Counter(column.codes[has].tolist())
    commonest = tuple((column.values[code], n) for code, n in counts.most_common(_COMMONEST))
    own = chunks.columns.get(name)
    if own is None:
        reason = f"the dataset has no field '{shorten(name)}' to compare with"
        return FieldReport(name, len(chunks), int(has.sum()), len(counts), commonest, 0, 0, 0, reason)
    known = own.codes != PADDING
    both, equal = has & known, same(column, own)
    why = None if both.any() else "no chunk has both an extracted and a known value"
    other = _disagreements(np.flatnonzero(both & ~equal), column, own, documents, chunks)
    numbers = int(known.sum()), int(both.sum()), int(equal.sum())
    return FieldReport(name, len(chunks), int(has.sum()), len(counts), commonest, *numbers, why, other)


def _disagreements(
    rows: np.ndarray[Any, Any], column: Column, own: Column, documents: Documents, chunks: Chunks
) -> tuple[Disagreement, ...]:
    found: dict[str, Disagreement] = {}
    for row in rows.tolist():
        document = documents.ids[int(chunks.document[row])]
        extracted, known = column[row], own[row]
        if extracted is not None and known is not None and len(found) < _EXAMPLES:
            found.setdefault(document, Disagreement(document, extracted, known))
    return tuple(found.values())


def extraction_notes(extracted: Mapping[str, Column], documents: Documents, chunks: Chunks) -> list[str]:
    """Say of each field how many chunks have it and how much of it agrees with what was known."""
    reports = [field_report(name, column, documents, chunks) for name, column in extracted.items()]
    return [_told(one) for one in reports]


def _told(one: FieldReport) -> str:
    share = f"{one.found:,} of {one.n_chunks:,} chunks"
    if one.accuracy is None:
        return f"Extracted {shorten(one.field)} for {share}; {one.reason}."
    return (
        f"Extracted {shorten(one.field)} for {share}; of {one.both:,} that the documents' metadata know as well, "
        f"{one.accuracy:.1%} agree."
    )
