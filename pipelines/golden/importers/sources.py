"""The files an importer needs, and what is said when one is not there."""

from __future__ import annotations

from pathlib import Path

from pipelines.errors import DatasetError
from pipelines.stages.load.files import holds, refuse_link
from pipelines.stages.load.reading import named


def need_folder(path: Path, wanted: str) -> Path:
    """Return `path`, a folder; `wanted` says what such a folder holds.

    Raises:
        DatasetError: when it is none.
    """
    if path.is_dir():
        return path
    found = f"{named(path)} is a file, not a folder" if path.exists() else f"There is no folder {named(path)}"
    raise DatasetError(f"{found}; {wanted}: correct the path.")


def need_file(folder: Path, name: str, wanted: str) -> Path:
    """Return the file `name` of `folder`; `wanted` says what such a folder holds.

    Raises:
        DatasetError: when it is not there, naming what is.
    """
    path = folder / name
    refuse_link(path)
    if path.is_file():
        return path
    raise DatasetError(f"{named(folder)} has no {name} ({holds(folder)}); {wanted}: add the file.")
