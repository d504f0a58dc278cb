"""What can go wrong, in one family: each message is one sentence a user can act on."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rapidfuzz import process


class WorkbenchError(Exception):
    """What was found, what is allowed, where, and what to do; `exit_code` 2 is for what the user can mend."""

    exit_code = 2


class ConfigurationError(WorkbenchError):
    """A pipeline, component or knob that is not what the declarations allow."""


class DatasetError(WorkbenchError):
    """A dataset, or a file offered as one, that cannot be read as such."""


class ComparisonError(WorkbenchError):
    """Runs that cannot honestly be set side by side."""


class NotFoundError(WorkbenchError):
    """A run, dataset or question that is not there."""


class MissingExtraError(WorkbenchError):
    """An optional library that is not installed."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f"{package} is not installed; install it with: pip install 'rag-workbench[{extra}]'.")


class EndpointError(WorkbenchError):
    """A language model that gave no answer, or none that can be used; the answers before it are kept."""


class StorageError(WorkbenchError):
    """The disk or the run store refused; finished work is kept."""

    exit_code = 1


class Cancelled(WorkbenchError):
    """The user asked to stop; finished stages are kept."""

    exit_code = 130


class Paused(Cancelled):
    """The user asked to stand still until the work is resumed; finished stages are kept."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return " Did you mean 'x'?" for the nearest of `known`, or "" when nothing is near."""
    best = process.extractOne(name, sorted(known), score_cutoff=60)
    return f" Did you mean '{best[0]}'?" if best else ""


def shorten(text: object, limit: int = 80) -> str:
    """Return `text` on one line, printable, cut to `limit` characters: users' text within a message."""
    line = "".join(c if c.isprintable() else " " for c in str(text))
    line = " ".join(line.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def counted(n: int, noun: str) -> str:
    """Return "1 run", "2 runs"."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


@contextmanager
def storage_errors(path: Path, doing: str) -> Iterator[None]:
    """Turn what the operating system says of `path` into one sentence.

    Raises:
        StorageError: for a full disk, a missing permission or any other refusal.
    """
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            found = f"The disk that holds {path} is full"
            todo = "Free some space, or set RAG_WORKBENCH_HOME to another disk, and run again: finished work is kept"
        elif error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            found = f"{path} may not be written"
            todo = "Allow writing there, or set RAG_WORKBENCH_HOME to a folder of your own"
        elif error.errno in (errno.EEXIST, errno.ENOTDIR, errno.ENOENT):
            found = f"{path} lies where no folder can be made"
            todo = "Correct the path, or set RAG_WORKBENCH_HOME to a folder of your own"
        else:
            raise StorageError(f"Could not {doing} at {path}: {error.strerror or error}.") from error
        raise StorageError(f"{found}, so the workbench could not {doing}. {todo}.") from error
