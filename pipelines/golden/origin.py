"""Where the texts of a dataset come from: given as they are, or parsed from files, in one way among several."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from pipelines.records import Documents
from pipelines.stages.load import Loader, document_files, folder_is_given, loaders, sources_of
from pipelines.stages.load.duplicates import DUPLICATE_IDS, duplicate_ids
from pipelines.stages.load.files import DOCUMENTS_FOLDER


@dataclass(frozen=True)
class Origin:
    """`given` says that all texts are the user's own, character by character; else `files` says it of each file, by id.

    Evidence that does not fit a given text is an error of the dataset. In a parsed one it is found again by its quote,
    or else lost.
    """

    given: bool = True
    files: Mapping[str, bool] = field(default_factory=dict)

    def as_given(self, document_id: str) -> bool:
        """Whether a document's text is the user's own; the documents of a file of many are what that file is."""
        if not self.files:
            return self.given
        name = self.file_of(document_id)
        return self.given if name is None else self.files[name]

    def file_of(self, document_id: str) -> str | None:
        """Return the id of the file that a document comes from, as far as ids tell."""
        parts = document_id.split("/")
        names = ("/".join(parts[:n]) for n in range(len(parts), 0, -1))
        return next((name for name in names if name in self.files), None)


def origin_of(folder: Path, loader: Loader | None = None) -> Origin:
    """Say which texts of a dataset folder come through a loader as they were given; nothing is read for it.

    Raises:
        DatasetError: when there are no documents.
    """
    chosen = loader or loaders()["auto"]()
    if folder_is_given(folder):
        return Origin(given=not chosen.given_loader().cleaning())
    sources = sources_of(document_files(folder), folder / DOCUMENTS_FOLDER)
    return Origin(
        chosen.as_given("rows.jsonl"), {source.document_id: chosen.as_given(source.name) for source in sources}
    )


@dataclass(frozen=True, eq=False)
class Texts:
    """The documents that evidence is looked up in, and under which other ids they may be meant."""

    documents: Documents
    origin: Origin

    @cached_property
    def _stands_for(self) -> Mapping[str, int]:
        """The document that stayed for each duplicate that was left out."""
        column = self.documents.columns.get(DUPLICATE_IDS)
        if column is None:
            return {}
        rows = range(len(self.documents))
        return {name: row for row in rows for name in duplicate_ids(column[row])}

    @cached_property
    def _parts(self) -> Mapping[str, list[int]]:
        """The documents of each file of many."""
        found: dict[str, list[int]] = {}
        for row, document_id in enumerate(self.documents.ids):
            name = self.origin.file_of(document_id)
            if name is not None and name != document_id:
                found.setdefault(name, []).append(row)
        return found

    def instead(self, document_id: str) -> list[int]:
        """Return the documents that may hold what was in one that is not there.

        They are the document of which it was a duplicate, the rows of a file that was read as a whole, or the whole
        of one that was read row by row.
        """
        if document_id in self._stands_for:
            return [self._stands_for[document_id]]
        name = self.origin.file_of(document_id)
        if name is None:
            return []
        whole = self.documents.position.get(name)
        if whole is not None:
            return [whole]
        rows = self._parts.get(name, [])
        below = [row for row in rows if self.documents.ids[row].startswith(f"{document_id}/")]
        return below or rows
