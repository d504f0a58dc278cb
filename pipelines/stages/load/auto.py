"""The loader that a file's ending asks for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from pipelines.errors import DatasetError
from pipelines.stages.load import Attempt, Loader, loaders, readable_suffixes
from pipelines.stages.load.reading import named


class AutoLoader(Loader, name="auto", version=1):
    """Read each file with the loader for its ending, knobs at their defaults."""

    suffixes: ClassVar[tuple[str, ...]] = ()

    def loader_for(self, name: str) -> Loader:
        """Return the loader that names the file's ending among its own.

        Raises:
            DatasetError: when none does.
        """
        suffix = Path(name).suffix.lower()
        for loader in loaders().values():
            if suffix in loader.suffixes:
                return loader()
        endings = ", ".join(readable_suffixes())
        found = f"{named(Path(name))} cannot be read as a document ({endings} can)"
        raise DatasetError(f"{found}; convert it to text, or take it out.")

    def attempt(self, data: bytes, document_id: str, where: str) -> Attempt:
        """Yield what the loader for `where`'s ending yields."""
        return self.loader_for(where).attempt(data, document_id, where)

    def extra_identity(self) -> Mapping[str, str]:
        """Return the fingerprints of all loaders: their next versions change what this one reads."""
        return {name: loader().fingerprint() for name, loader in loaders().items() if loader is not AutoLoader}
