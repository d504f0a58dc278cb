"""Exporters: a dataset in other people's formats, one file a format."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pipelines.errors import DatasetError, did_you_mean, shorten, storage_errors
from pipelines.golden.exporters.content import Content, Written
from pipelines.golden.write import publish_files
from pipelines.stages.load.reading import named

__all__ = ["Content", "ExportReport", "Exporter", "Written", "export_content", "exporter", "exporters"]


@dataclass(frozen=True)
class Exporter:
    """A format: its name, what is written, and what writes it."""

    name: str
    about: str
    write: Callable[[Content], Written]


@dataclass(frozen=True)
class ExportReport:
    """What was written where; `notices` tell what the format cannot hold, or holds otherwise than one might think."""

    path: Path
    format: str
    files: tuple[str, ...]
    n_documents: int
    n_questions: int
    notices: tuple[str, ...]

    def summary(self) -> str:
        """Say in one sentence what is there now."""
        what = f"{self.n_documents:,} documents and {self.n_questions:,} questions"
        shown = ", ".join(name for name in self.files[:6]) + (" and more" if len(self.files) > 6 else "")
        return f"Wrote {what} as {self.format} to {self.path}: {shown}."


_REGISTRY: dict[str, Exporter] = {}


def exporter(name: str, about: str) -> Callable[[Callable[[Content], Written]], Callable[[Content], Written]]:
    """Register a function that writes the format `name`."""

    def register(write: Callable[[Content], Written]) -> Callable[[Content], Written]:
        _REGISTRY[name] = Exporter(name, about, write)
        return write

    return register


@cache
def _discover() -> None:
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")


def exporters() -> Mapping[str, Exporter]:
    """Return all exporters by name, in alphabetical order."""
    _discover()
    return dict(sorted(_REGISTRY.items()))


def export_content(format: str, content: Content, dest: str | Path) -> ExportReport:
    """Write a dataset's content in another format into a folder of its own, all of it or nothing.

    Raises:
        DatasetError: for an unknown format, a place that is taken, or content that the format cannot hold.
        StorageError: when the disk refuses.
    """
    known, folder = exporters(), Path(dest).expanduser()
    if format not in known:
        guess = did_you_mean(format, known)
        raise DatasetError(f"There is no export format '{shorten(format)}'; there are {', '.join(known)}.{guess}")
    if folder.is_symlink() or (folder.exists() and (not folder.is_dir() or any(folder.iterdir()))):
        raise DatasetError(f"{named(folder)} is there already and not empty; choose another place to export to.")
    written = known[format].write(content)
    with storage_errors(folder, "export the dataset"):
        publish_files(folder, written.files)
    return ExportReport(
        folder, format, tuple(written.files), written.n_documents, len(content.questions), written.notices
    )
