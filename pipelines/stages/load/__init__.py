"""Load: the files of a dataset folder to documents, every character where the file has it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import ClassVar

from pipelines.component import Component, components
from pipelines.errors import DatasetError, shorten
from pipelines.records import Document, Documents
from pipelines.stages.load.files import DOCUMENTS_FILE, DOCUMENTS_FOLDER, document_files, ids_of
from pipelines.stages.load.reading import RuleError, clean, decode, named, read_bytes, read_text

__all__ = ["Loader", "clean", "decode", "document_files", "read_text", "readable_suffixes"]

Attempt = Iterator[Document | DatasetError]


class Loader(Component, stage="load"):
    """Turns files into documents. `suffixes` are the endings of the files it reads, in lower case."""

    suffixes: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def attempt(self, data: bytes, document_id: str, where: str) -> Attempt:
        """Yield what a file's bytes hold; what cannot be read is yielded as the error that says so, named `where`."""

    def loader_for(self, name: str) -> Loader:
        """Return the loader that reads a file of this name.

        Raises:
            DatasetError: when there is none.
        """
        if Path(name).suffix.lower() in self.suffixes:
            return self
        endings = ", ".join(self.suffixes)
        raise DatasetError(
            f"{shorten(name)} is not a file that the {self.name} loader reads ({endings}); "
            "choose the loader 'auto', convert the file, or take it out."
        )

    def parse(self, path: Path, document_id: str) -> list[Document]:
        """Read one file; a file of many rows names its documents itself.

        Raises:
            DatasetError: for what cannot be read.
        """
        return list(_strict(self.attempt(read_bytes(path), document_id, named(path))))

    def load(self, folder: Path) -> Documents:
        """Read the documents of a dataset folder: `documents.jsonl`, or else every file below `documents/`, by name.

        Raises:
            DatasetError: for the first thing that cannot be read, and for two documents with one id.
        """
        return Documents.of(list(_strict(self.attempt_folder(folder))))

    def attempt_folder(self, folder: Path) -> Attempt:
        """Yield every document of a dataset folder, and in the place of each that cannot be read, the error."""
        files = document_files(folder)
        if files[0] == folder / DOCUMENTS_FILE:
            return unique(loaders()["jsonl"]().attempt(read_bytes(files[0]), "", named(files[0])))
        return self.attempt_files(files, folder / DOCUMENTS_FOLDER)

    def attempt_files(self, files: list[Path], root: Path) -> Attempt:
        """Yield the documents of `files`, called by their path below `root`, and the errors in between."""
        names = [path.relative_to(root).as_posix() for path in files]
        return unique(self._each(files, ids_of(names)))

    def _each(self, files: list[Path], ids: list[str]) -> Attempt:
        for path, document_id in zip(files, ids, strict=True):
            try:
                yield from self.loader_for(str(path)).attempt(read_bytes(path), document_id, named(path))
            except DatasetError as error:
                yield error


def unique(attempts: Attempt) -> Attempt:
    """Let each document id pass once; the second is an error."""
    seen: dict[str, int] = {}
    for number, item in enumerate(attempts, start=1):
        if isinstance(item, Document) and seen.setdefault(item.id, number) != number:
            found = f"Documents {seen[item.id]} and {number} have the same id '{shorten(item.id, 60)}'"
            yield RuleError("duplicate-document-id", f"{found}; ids must differ: rename one, or take it out.")
        else:
            yield item


def _strict(attempts: Iterable[Document | DatasetError]) -> Iterator[Document]:
    for item in attempts:
        if isinstance(item, DatasetError):
            raise item
        yield item


def loaders() -> dict[str, type[Loader]]:
    """Return every loader by name."""
    return {name: loader for name, loader in components("load").items() if issubclass(loader, Loader)}


def readable_suffixes() -> tuple[str, ...]:
    """Return the endings of all files that some loader reads."""
    return tuple(sorted({suffix for loader in loaders().values() for suffix in loader.suffixes}))
