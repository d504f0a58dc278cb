"""Importers: golden sets in other people's formats, one file a format."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pipelines.errors import DatasetError, did_you_mean, shorten
from pipelines.golden.importers.draft import Draft, Problem
from pipelines.golden.importers.report import ImportReport, finish
from pipelines.stages.load.reading import reading

__all__ = ["Draft", "ImportReport", "Importer", "Problem", "import_dataset", "importer", "importers"]


@dataclass(frozen=True)
class Importer:
    """A format: its name, what its source is, and what reads it."""

    name: str
    source: str
    read: Callable[[Path], Draft]


_REGISTRY: dict[str, Importer] = {}


def importer(name: str, source: str) -> Callable[[Callable[[Path], Draft]], Callable[[Path], Draft]]:
    """Register a function that reads a source as the importer `name`; `source` says what it reads."""

    def register(read: Callable[[Path], Draft]) -> Callable[[Path], Draft]:
        _REGISTRY[name] = Importer(name, source, read)
        return read

    return register


@cache
def _discover() -> None:
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")


def importers() -> dict[str, Importer]:
    """Return all importers by name, in alphabetical order."""
    _discover()
    return dict(sorted(_REGISTRY.items()))


def import_dataset(
    format: str, src: str | Path, dest: str | Path, name: str | None = None, *, overwrite: bool = False
) -> ImportReport:
    """Import `src` as a dataset folder `dest`; what cannot be imported is in the report, the rest is there.

    Raises:
        DatasetError: for an unknown format, a source that is not of it, or a place that is taken.
        StorageError: when the disk refuses.
    """
    known = importers()
    if format not in known:
        guess = did_you_mean(format, known)
        raise DatasetError(f"There is no import format '{shorten(format)}'; there are {', '.join(known)}.{guess}")
    with reading(Path(src)):
        draft = known[format].read(Path(src))
    return finish(draft, dest, name, overwrite)
