"""By which names a table may speak of a document."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import PurePosixPath


class Aliases:
    """Finds a document's id by its id, its file's path or name, with or without the suffix."""

    def __init__(self, ids: Iterable[str], files: Iterable[tuple[str, str]] = ()) -> None:
        """Take all ids, and pairs of a file's path and the id of its document."""
        self._ids = set(ids)
        self._named: dict[str, set[str]] = defaultdict(set)
        for file, document_id in files:
            path = PurePosixPath(file)
            for alias in (file, path.name, path.stem, path.with_suffix("").as_posix()):
                self._named[alias].add(document_id)

    def find(self, name: str) -> str:
        """Return the id that `name` stands for; `name` itself where it stands for none, or for several."""
        plain = name.strip()
        if plain in self._ids:
            return plain
        path = plain.replace("\\", "/").removeprefix("./")
        for alias in (plain, path):
            found = self._named.get(alias, set())
            if len(found) == 1:
                return next(iter(found))
        return plain
