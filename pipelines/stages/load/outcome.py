"""What became of files: their documents, what of them could not be read, and what else their user should know."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.errors import DatasetError
from pipelines.records import Document
from pipelines.stages.load.reading import RuleError


@dataclass(frozen=True)
class Note:
    """One sentence on a file that was read otherwise than one might think."""

    text: str


@dataclass(frozen=True)
class Source:
    """A file to read: what it is called in reports, what its document is called, and where it lies.

    `file` is its name within a dataset's folder of documents.
    """

    name: str
    document_id: str
    path: Path
    file: str = ""

    @property
    def where(self) -> str:
        """The name for messages."""
        return self.name if len(self.name) <= 200 else "…" + self.name[-199:]


@dataclass(frozen=True)
class Outcome:
    """What one file gave: documents, errors and notes, in order. `certain` says that it would give the same again."""

    documents: tuple[Document, ...] = ()
    errors: tuple[DatasetError, ...] = ()
    notes: tuple[str, ...] = ()
    certain: bool = True

    @classmethod
    def of(cls, items: Iterable[Document | DatasetError | Note]) -> Outcome:
        """Sort what a loader yields."""
        found = list(items)
        return cls(
            tuple(item for item in found if isinstance(item, Document)),
            tuple(item for item in found if isinstance(item, DatasetError)),
            tuple(item.text for item in found if isinstance(item, Note)),
        )

    @classmethod
    def failed(cls, message: str, *, certain: bool = True) -> Outcome:
        """Return the outcome of a file that gave nothing."""
        return cls(errors=(DatasetError(message),), certain=certain)

    def as_json(self) -> dict[str, Any]:
        """Return plain values, which `from_json` reads."""
        return {
            "documents": [
                [d.id, d.text, dict(d.metadata), {kind: list(marks) for kind, marks in d.marks.items()}]
                for d in self.documents
            ],
            "errors": [[getattr(error, "code", None), str(error)] for error in self.errors],
            "notes": list(self.notes),
            "certain": self.certain,
        }

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Outcome:
        """Read what `as_json` gave."""
        documents = (
            Document(i, text, values, {kind: [(a, b, v) for a, b, v in rows] for kind, rows in marks.items()})
            for i, text, values, marks in raw["documents"]
        )
        errors = (DatasetError(text) if code is None else RuleError(code, text) for code, text in raw["errors"])
        return cls(tuple(documents), tuple(errors), tuple(raw["notes"]), bool(raw["certain"]))


@dataclass(frozen=True)
class Failure:
    """What could not be read: of which file, and why, in one sentence."""

    file: str
    error: DatasetError


@dataclass(frozen=True)
class Loaded:
    """The documents of many files, what could not be read, and what their user should know (file, sentence)."""

    documents: tuple[Document, ...]
    failures: tuple[Failure, ...] = ()
    notes: tuple[tuple[str, str], ...] = ()
