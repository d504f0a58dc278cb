"""What became of the files of a dataset: which could not be read, and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from pipelines.cache import Cache
from pipelines.errors import shorten
from pipelines.golden.dataset import Dataset
from pipelines.progress import Progress, silent
from pipelines.settings import cache_folder
from pipelines.stages.load import Loaded, Loader, document_files, loaders

_TOLD = 5
_MOST_CHARS = 300


@dataclass(frozen=True)
class LoadRow:
    """One thing to know of a file: it, or a row of it, was "left out", or read with a "note". `why` is a sentence."""

    file: str
    kind: Literal["left out", "note"]
    why: str


@dataclass(frozen=True)
class LoadReport:
    """How many files there are and how many documents they gave, and a row for each thing to know, worst first."""

    n_files: int
    n_documents: int
    rows: tuple[LoadRow, ...]

    @property
    def n_left_out(self) -> int:
        """How many files could not be read as a whole."""
        return len({row.file for row in self.rows if row.kind == "left out"})


def load_report(
    dataset: Dataset, loader: Loader | None = None, progress: Progress = silent, cache: Cache | None = None
) -> LoadReport:
    """Read the files of a dataset and report on each that could not be read, or not as one might think.

    What was parsed before is looked up. Nothing in the files stops the report.

    Raises:
        DatasetError: when there are no documents at all, or a symbolic link leads out of the folder.
    """
    chosen = loader or loaders()["auto"]()
    found = chosen.survey(dataset.path, progress, cache or Cache(cache_folder()))
    return LoadReport(len(document_files(dataset.path)), len(found.documents), tuple(_rows(found)))


def _rows(found: Loaded) -> Iterator[LoadRow]:
    yield from (LoadRow(failure.file, "left out", str(failure.error)) for failure in found.failures)
    yield from (LoadRow(file, "note", note) for file, note in found.notes)


def notes_on_files(found: Loaded) -> Iterator[str]:
    """Say in a few sentences what the user of a run should know of its files."""
    failed = list(dict.fromkeys(failure.file for failure in found.failures))
    if failed:
        shown = " ".join(shorten(failure.error, _MOST_CHARS) for failure in found.failures[:_TOLD])
        more = (
            f" And {len(found.failures) - _TOLD:,} more; 'rag-workbench check' lists all."
            if len(found.failures) > _TOLD
            else ""
        )
        yield f"Files that could not be read, wholly or in part, and were left out (n: {len(failed):,}): {shown}{more}"
    for _, note in found.notes[:_TOLD]:
        yield note
    if len(found.notes) > _TOLD:
        yield f"There are {len(found.notes) - _TOLD:,} more notes on files; 'rag-workbench check' lists all."
