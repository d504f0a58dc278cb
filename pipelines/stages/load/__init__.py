"""Load: the files of a dataset folder to documents, with their pages, sections and tables."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import ClassVar, Literal, Self

from pydantic import Field

from pipelines.cache import Cache
from pipelines.component import Component, components, digest
from pipelines.errors import DatasetError, shorten
from pipelines.progress import Progress, silent
from pipelines.records import Document, Documents
from pipelines.stages.load.cleaning import Cleaning
from pipelines.stages.load.files import DOCUMENTS_FILE, DOCUMENTS_FOLDER, document_files, ids_of
from pipelines.stages.load.outcome import Failure, Loaded, Note, Outcome, Source
from pipelines.stages.load.reading import clean, decode, named, read_bytes, read_text

__all__ = [
    "Failure", "Loaded", "Loader", "Note", "Source", "clean", "decode", "document_files", "read_text",
    "readable_suffixes",
]  # fmt: skip

Attempt = Iterator[Document | DatasetError | Note]
Switch = Literal["auto", "always", "never"]
_PARSED = "auto: in formats that are parsed, not in text that is given"
_SHARED = ("join_hyphens", "drop_running_heads", "plain_ligatures", "tidy_white_space")


class Loader(Component, stage="load"):
    """Turns files into documents. `suffixes` are the endings of the files it reads, in lower case.

    A `verbatim` loader's text is the file's own, character by character, as long as nothing is cleaned. A `bounded`
    one works in a process of its own, for what it parses comes from others.
    """

    suffixes: ClassVar[tuple[str, ...]] = ()
    verbatim: ClassVar[bool] = False
    bounded: ClassVar[bool] = True

    join_hyphens: Switch = Field("auto", description=f"Join words that a line end broke ({_PARSED})")
    drop_running_heads: Switch = Field(
        "auto", description=f"Take out heads, feet and numbers that return from page to page ({_PARSED})"
    )
    plain_ligatures: Switch = Field("auto", description=f"Write ligatures such as \ufb01 as letters ({_PARSED})")
    tidy_white_space: Switch = Field("auto", description=f"One space, one line end or one empty line ({_PARSED})")
    duplicates: Literal["keep", "exact", "near"] = Field(
        "keep", description="Leave out documents that repeat an earlier one: none, the same words, nearly the same"
    )
    near_threshold: float = Field(
        0.9, ge=0.5, le=1.0, description="How much of their five-word sequences near-duplicates share"
    )
    max_seconds: int = Field(
        120, ge=1, le=3600, description="Computing time a file may take", json_schema_extra={"unit": "s"}
    )
    max_memory_mb: int = Field(
        2048, ge=512, le=65536, description="Memory that reading a file may take", json_schema_extra={"unit": "MB"}
    )

    @abstractmethod
    def attempt(self, data: bytes, document_id: str, where: str) -> Attempt:
        """Yield what a file's bytes hold, not cleaned yet.

        What cannot be read is yielded as the error that says so, named `where`; what is read otherwise than one might
        think, as a note.
        """

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

    def resolved(self) -> Self:
        """Return the loader with every `auto` of its cleaning replaced by what it means for this format."""
        meant = "never" if self.verbatim else "always"
        return self.model_copy(update={name: meant for name in _SHARED if getattr(self, name) == "auto"})

    def cleaning(self) -> Cleaning:
        """Return what is cleaned in the documents of this format."""
        actual = self.resolved()
        hyphens, heads, ligatures, spaces = (getattr(actual, name) == "always" for name in _SHARED)
        return Cleaning(hyphens, heads, ligatures, spaces)

    def parsing(self) -> str:
        """Return a digest of all that decides what `attempt` yields: cleaning does not, nor what ends it."""
        others = {*_SHARED, "duplicates", "near_threshold", "max_seconds", "max_memory_mb"}
        own = {name: value for name, value in self.settings().items() if name not in others}
        return digest({"version": self.version, **own, **self.extra_identity()})

    def as_given(self, name: str) -> bool:
        """Whether the text of a file of this name comes through character by character."""
        try:
            loader = self.loader_for(name)
        except DatasetError:
            return False
        return loader.verbatim and not loader.cleaning()

    def parse(self, path: Path, document_id: str) -> list[Document]:
        """Read one file in this process; a file of many rows names its documents itself.

        Raises:
            DatasetError: for what cannot be read.
        """
        cleaning = self.loader_for(path.name).cleaning()
        return [cleaning.of(d) for d in _strict(self.attempt(read_bytes(path), document_id, named(path)))]

    def load(self, folder: Path) -> Documents:
        """Return the documents of a dataset folder.

        Raises:
            DatasetError: as `read` does.
        """
        return Documents.of(self.read(folder).documents)

    def read(self, folder: Path, progress: Progress = silent, cache: Cache | None = None) -> Loaded:
        """Read the documents of a dataset folder: `documents.jsonl`, or else every file below `documents/`, by name.

        A file that cannot be read is left out and reported, but not a row of `documents.jsonl`. What was parsed is
        kept in `cache`, each file by its content.

        Raises:
            DatasetError: for the first row of `documents.jsonl` that is wrong; when no file at all can be read.
        """
        found = self.survey(folder, progress, cache)
        if found.failures and (not found.documents or folder_is_given(folder)):
            raise self._nothing(found)
        return found

    @staticmethod
    def _nothing(found: Loaded) -> DatasetError:
        first, others = found.failures[0].error, len(found.failures) - 1
        if found.documents or not others:
            return first
        return DatasetError(f"None of the {others + 1:,} files can be read. The first: {first}")

    def survey(self, folder: Path, progress: Progress = silent, cache: Cache | None = None) -> Loaded:
        """Read as `read` does, and report whatever is wrong instead of raising it.

        Raises:
            DatasetError: when there are no documents to read, or a symbolic link leads out of the folder.
        """
        from pipelines.stages.load.many import cleaned, gathered, outcomes

        files = document_files(folder)
        if folder_is_given(folder):
            loader = self.given_loader()
            data = read_bytes(files[0])
            outcome = cleaned(loader, Outcome.of(loader.attempt(data, "", named(files[0]))))
            return gathered(self, [(Source(named(files[0]), "", files[0]), outcome)])
        sources = sources_of(files, folder / DOCUMENTS_FOLDER)
        return gathered(self, outcomes(self, sources, progress, cache))

    def given_loader(self) -> Loader:
        """Return the loader of `documents.jsonl`, cleaning as this one does."""
        found = loaders()["jsonl"]
        return found(**{name: getattr(self, name) for name in Loader.model_fields})

    def attempt_folder(self, folder: Path) -> Iterator[Document | DatasetError]:
        """Yield every document of a dataset folder, then what could not be read."""
        return _flat(self.survey(folder))

    def attempt_files(self, files: list[Path], root: Path) -> Iterator[Document | DatasetError]:
        """Yield the documents of `files`, called by their path below `root`, then what could not be read."""
        return _flat(self.read_files(sources_of(files, root)))

    def read_files(self, sources: list[Source], progress: Progress = silent, cache: Cache | None = None) -> Loaded:
        """Read files, each on its own: what cannot be read is reported beside what can."""
        from pipelines.stages.load.many import gathered, outcomes

        return gathered(self, outcomes(self, sources, progress, cache))


def folder_is_given(folder: Path) -> bool:
    """Whether the texts of a dataset are given in `documents.jsonl`, and no files are parsed."""
    return (folder / DOCUMENTS_FILE).is_file()


def sources_of(files: list[Path], root: Path) -> list[Source]:
    """Name files by their path below `root`."""
    names = [path.relative_to(root).as_posix() for path in files]
    rows = zip(names, ids_of(names), files, strict=True)
    return [Source(f"{root.name}/{name}", document_id, path, name) for name, document_id, path in rows]


def _flat(found: Loaded) -> Iterator[Document | DatasetError]:
    yield from found.documents
    yield from (failure.error for failure in found.failures)


def _strict(attempts: Iterable[Document | DatasetError | Note]) -> Iterator[Document]:
    for item in attempts:
        if isinstance(item, DatasetError):
            raise item
        if isinstance(item, Document):
            yield item


def loaders() -> dict[str, type[Loader]]:
    """Return every loader by name."""
    return {name: loader for name, loader in components("load").items() if issubclass(loader, Loader)}


def readable_suffixes() -> tuple[str, ...]:
    """Return the endings of all files that some loader reads."""
    return tuple(sorted({suffix for loader in loaders().values() for suffix in loader.suffixes}))
