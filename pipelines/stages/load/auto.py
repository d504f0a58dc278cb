"""The loader that a file's ending asks for."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import ClassVar, Self

from pipelines.errors import DatasetError
from pipelines.stages.load import Attempt, Loader, loaders, readable_suffixes
from pipelines.stages.load.choices import EncodingKnob, MainTextKnob, NotesKnob, SheetsKnob
from pipelines.stages.load.code import CodeLoader
from pipelines.stages.load.reading import named


class AutoLoader(Loader, name="auto", version=2):
    """Read each file with the loader for its ending; knobs that this one lacks are at their defaults there.

    Choose it for folders of files, of one kind or many. It costs what the loaders that it takes cost.
    """

    suffixes: ClassVar[tuple[str, ...]] = ()

    encoding: EncodingKnob = "auto"
    sheets: SheetsKnob = "sheet"
    notes: NotesKnob = True
    main_text: MainTextKnob = True

    def loader_for(self, name: str) -> Loader:
        """Return the loader that names the file's ending among its own.

        Raises:
            DatasetError: when none does.
        """
        suffix = Path(name).suffix.lower()
        for loader in loaders().values():
            if suffix in loader.suffixes:
                shared = loader.model_fields.keys() & AutoLoader.model_fields.keys()
                return loader(**{name: getattr(self, name) for name in shared})
        endings = ", ".join(suffix for suffix in readable_suffixes() if suffix not in CodeLoader.suffixes)
        found = f"{named(Path(name))} cannot be read as a document ({endings} and source code can)"
        raise DatasetError(f"{found}; convert it, or take it out.")

    def attempt(self, data: bytes, document_id: str, where: str) -> Attempt:
        """Yield what the loader for `where`'s ending yields."""
        return self.loader_for(where).attempt(data, document_id, where)

    def resolved(self) -> Self:
        """Return the loader as it is: what `auto` means is each format's own."""
        return self

    def extra_identity(self) -> Mapping[str, str]:
        """Return the fingerprints of all loaders: their next versions change what this one reads."""
        return _fingerprints()


@cache
def _fingerprints() -> Mapping[str, str]:
    """Return those of all other loaders, by name: a sweep asks for them many times a configuration."""
    return {name: loader().fingerprint() for name, loader in loaders().items() if loader is not AutoLoader}
