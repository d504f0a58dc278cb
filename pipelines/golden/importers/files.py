"""The files of an import, read as the load stage reads them: what can be read is taken, what can't is listed."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.errors import DatasetError
from pipelines.golden.importers.draft import Draft, Problem
from pipelines.stages.load import Source, loaders
from pipelines.stages.load.outcome import Loaded


def take_files(draft: Draft, sources: Sequence[Source]) -> None:
    """Add the documents of `sources` to a draft; a file that cannot be read, wholly or in part, is `unread`.

    A broken file of a known format is among the `files` to be kept: it is listed wherever the dataset is read, and
    evidence in it counts as missed.

    Raises:
        DatasetError: when no file at all gives a document.
    """
    found = loaders()["auto"]().read_files(list(sources))
    if found.failures and not found.documents:
        raise _nothing(found)
    draft.files += [source for source in sources if _readable(source)]
    draft.documents += found.documents
    draft.notices += [note for _, note in found.notes]
    draft.unread += [Problem(None, str(failure.error)) for failure in found.failures]


def _readable(source: Source) -> bool:
    try:
        loaders()["auto"]().loader_for(source.path.name)
    except DatasetError:
        return False
    return True


def _nothing(found: Loaded) -> DatasetError:
    n_files = len({failure.file for failure in found.failures})
    first = found.failures[0].error
    return first if n_files == 1 else DatasetError(f"None of the {n_files:,} files can be read. The first: {first}")
