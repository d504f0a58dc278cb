"""The content-addressed artefact store: a folder a key, written aside, renamed into place, checked on read."""

from __future__ import annotations

import json
import shutil
import uuid
import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any, Generic, TypeVar

from pipelines.aside import aside_name
from pipelines.errors import storage_errors

T = TypeVar("T")
_MANIFEST = "manifest.json"


class DamagedArtefact(Exception):
    """An entry that cannot be used; whoever catches it calls `Cache.quarantine` and computes it again."""

    def __init__(self, stage: str, key: str, why: str) -> None:
        super().__init__(f"the stored {stage} {key[:12]} is damaged ({why})")
        self.stage, self.key, self.why = stage, key, why


@dataclass(frozen=True)
class Codec(Generic[T]):
    """How a stage's output is laid down in a folder and read again.

    `mutable` is for stores whose own library touches its files when it opens them: their bytes are not checked, so
    `load` itself must verify, and raise any exception when something is amiss. `moves` says that `save` takes the
    output away: whoever computed it must use what lies in the store.
    """

    save: Callable[[T, Path], None]
    load: Callable[[Path], T]
    mutable: bool = False
    moves: bool = False


@dataclass(frozen=True)
class Entry:
    """What the store remembers of an artefact besides its bytes: what it cost, and what its user should know.

    `made` is when it was published, in seconds since 1970.
    """

    seconds: float
    notes: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    made: float = 0.0


class Cache:
    """Artefacts under `root`, shared by any number of processes: equal keys hold equal bytes, so the first one wins."""

    def __init__(self, root: Path, on_damage: Callable[[str], None] = warnings.warn) -> None:
        self.root = root
        self.on_damage = on_damage

    def folder(self, stage: str, key: str) -> Path:
        """Return where the artefact lies, or would lie."""
        return self.root / stage / key

    def entry(self, stage: str, key: str) -> Entry | None:
        """Return what is remembered of an artefact, or None when it is not there or its manifest cannot be read."""
        try:
            raw: dict[str, Any] = json.loads((self.folder(stage, key) / _MANIFEST).read_text(encoding="utf-8"))
            made = datetime.fromisoformat(raw["made"]).timestamp()
            return Entry(float(raw["seconds"]), tuple(raw["notes"]), dict(raw["files"]), made)
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def has(self, stage: str, key: str) -> bool:
        """Return whether the artefact is there; whether it can be read shows when it is loaded."""
        return (self.folder(stage, key) / _MANIFEST).exists()

    def load(self, stage: str, key: str, codec: Codec[T]) -> T | None:
        """Return the artefact, or None when it is not there; a damaged one is quarantined with a warning, then None."""
        entry = self.entry(stage, key)
        folder = self.folder(stage, key)
        if entry is None:
            # Another process may have published it since: only a folder that still has no manifest is damaged.
            if folder.exists() and self.entry(stage, key) is None:
                self.quarantine(stage, key, "its manifest cannot be read")
            return None
        try:
            _check(folder, entry)
            return codec.load(folder)
        except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
            self.quarantine(stage, key, str(error) or type(error).__name__)
            return None

    def store(
        self, stage: str, key: str, codec: Codec[T], value: T, seconds: float, notes: tuple[str, ...] = ()
    ) -> None:
        """Write the artefact aside and publish it by rename; when another process was first, its copy is kept.

        Raises:
            StorageError: when the disk is full or refuses; nothing half-written is left behind.
        """
        place = self.folder(stage, key)
        aside = self.root / "incoming" / aside_name(key)
        try:
            with storage_errors(place, f"keep the output of the {stage} stage"):
                aside.mkdir(parents=True)
                codec.save(value, aside)
                _write_manifest(aside, seconds, notes, {} if codec.mutable else _sums(aside))
                place.parent.mkdir(parents=True, exist_ok=True)
                _publish(aside, place)
        finally:
            shutil.rmtree(aside, ignore_errors=True)

    def quarantine(self, stage: str, key: str, why: str) -> None:
        """Move an unusable artefact out of the way, for a person to look at, and say so.

        Raises:
            StorageError: when it can neither be moved nor be left.
        """
        aside = self.root / "quarantine" / f"{stage}-{key}-{uuid.uuid4().hex[:8]}"
        with storage_errors(aside, "put a damaged output aside"):
            aside.parent.mkdir(parents=True, exist_ok=True)
            with suppress(FileNotFoundError):  # another process may have been first
                self.folder(stage, key).replace(aside)
        self.on_damage(f"The stored {stage} output {key[:12]} was damaged ({why}); it is computed again.")


def _publish(aside: Path, place: Path) -> None:
    try:
        aside.rename(place)
    except OSError:
        if not (place / _MANIFEST).exists():
            raise


def _write_manifest(folder: Path, seconds: float, notes: tuple[str, ...], sums: Mapping[str, str]) -> None:
    made = datetime.now(UTC).isoformat()
    body = {"seconds": seconds, "notes": list(notes), "files": dict(sums), "made": made}
    (folder / _MANIFEST).write_text(json.dumps(body, indent=1), encoding="utf-8")


def _sums(folder: Path) -> dict[str, str]:
    return {path.name: _sum(path) for path in sorted(folder.iterdir()) if path.is_file()}


def _check(folder: Path, entry: Entry) -> None:
    for name, expected in entry.files.items():
        if _sum(folder / name) != expected:
            raise ValueError(f"{name} is not what was written")


def _sum(path: Path) -> str:
    total = blake2b(digest_size=16)
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            total.update(block)
    return total.hexdigest()


def clear(root: Path) -> None:
    """Remove the whole store; everything in it can be computed again."""
    shutil.rmtree(root, ignore_errors=True)
