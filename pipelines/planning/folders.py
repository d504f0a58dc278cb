"""Outputs that are folders: made aside, moved into the store; and an index that is condemned when a search fails."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.aside import aside_name
from pipelines.cache import Codec, DamagedArtefact
from pipelines.errors import storage_errors
from pipelines.execution import Execution, Node
from pipelines.records import FloatArray, Rankings, Searchable


def _move_in(made: Path, folder: Path) -> None:
    for path in made.iterdir():
        shutil.move(str(path), folder / path.name)
    made.rmdir()


FOLDER: Codec[Path] = Codec(_move_in, lambda folder: folder, moves=True)
LIVING_FOLDER: Codec[Path] = Codec(_move_in, lambda folder: folder, mutable=True, moves=True)
"""A folder whose own library touches its files when it opens them."""


def made_aside(run: Execution, what: str, make: Callable[[Path], None]) -> Path:
    """Return a fresh folder that `make` has filled; nothing of it stays when that fails.

    Raises:
        StorageError: when the disk is full or refuses.
    """
    folder = run.cache.root / "incoming" / aside_name(what)
    with storage_errors(folder, f"make room for the {what}"):
        folder.mkdir(parents=True)
    try:
        make(folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return folder


@dataclass(frozen=True)
class GuardedIndex:
    """An index on disk: whatever goes wrong while it is searched condemns the folder, which is then built again."""

    searchable: Searchable
    built: Node[Path]

    def search(self, queries: FloatArray, depth: int, allowed: Any) -> Rankings:
        """Search, as the index does.

        Raises:
            DamagedArtefact: when it cannot be searched.
        """
        try:
            return self.searchable.search(queries, depth, allowed)
        except RuntimeError as error:
            raise DamagedArtefact("index", self.built.key, str(error)) from error
