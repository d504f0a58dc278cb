"""Checkpoints of a training: written aside and put in place whole, so that a kill while writing leaves the former one.

Tensors are kept as safetensors and all else as JSON: nothing is unpickled, and only what this training wrote is read.
"""

from __future__ import annotations

import errno
import json
import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.aside import aside_name
from pipelines.errors import storage_errors

WEIGHTS, TENSORS, STATE, TRAINER_STATE = (
    "weights.safetensors",
    "tensors.safetensors",
    "state.json",
    "trainer_state.json",
)
KEPT = 2
"""How many of the last checkpoints are kept, besides that of the best weights so far."""
_NAME = "step-{:08d}"


@dataclass(frozen=True)
class Checkpoints:
    """The checkpoints in `root`; those that were written under another `identity` do not fit and are not seen."""

    root: Path
    identity: str

    def prepare(self) -> None:
        """Make the place of the checkpoints.

        Raises:
            StorageError: when the disk refuses.
        """
        with written(self.root, "keep checkpoints of the training"):
            self.root.mkdir(parents=True, exist_ok=True)

    def save(
        self, step: int, weights: Mapping[str, Any], tensors: Mapping[str, Any], state: Mapping[str, Any], trainer: str
    ) -> None:
        """Keep the state after `step`; `trainer` is what the trainer itself reads to go on.

        Raises:
            StorageError: when the disk is full or refuses; the checkpoints before are kept.
        """
        from safetensors.torch import save_file

        aside = self.root / aside_name("checkpoint")
        with written(self.root, "keep a checkpoint of the training"):
            try:
                aside.mkdir(parents=True)
                save_file(dict(weights), str(aside / WEIGHTS))
                save_file(dict(tensors), str(aside / TENSORS))
                (aside / TRAINER_STATE).write_text(trainer, encoding="utf-8")
                self._write_state(aside, step, state)
                shutil.rmtree(self.folder(step), ignore_errors=True)
                aside.rename(self.folder(step))
            finally:
                shutil.rmtree(aside, ignore_errors=True)

    def amend(self, step: int, state: Mapping[str, Any]) -> None:
        """Change a part of the state of a checkpoint.

        Raises:
            StorageError: when the disk is full or refuses.
        """
        with written(self.root, "keep a checkpoint of the training"):
            self._write_state(self.folder(step), step, {**(self._state(self.folder(step)) or {}), **state})

    def newest(self) -> tuple[Path, dict[str, Any]] | None:
        """Return the newest checkpoint that is whole and fits, with its state; None where there is none."""
        for folder in sorted(self.root.glob("step-*"), reverse=True):
            state = self._state(folder)
            if state is not None and _whole(folder):
                return folder, state
        return None

    def folder(self, step: int) -> Path:
        """Return where the checkpoint of a step lies."""
        return self.root / _NAME.format(step)

    def prune(self, also: Collection[int] = ()) -> None:
        """Remove all but the last, and those of the steps in `also`; what does not fit, and what a kill left half."""
        found = [folder for folder in sorted(self.root.glob("step-*")) if self._state(folder) is not None]
        keep = {*found[-KEPT:], *(self.folder(step) for step in also)}
        for folder in self.root.iterdir():
            if folder not in keep:
                shutil.rmtree(folder, ignore_errors=True)

    def clear(self) -> None:
        """Remove all of them: the model is written."""
        shutil.rmtree(self.root, ignore_errors=True)

    def _write_state(self, folder: Path, step: int, state: Mapping[str, Any]) -> None:
        body = json.dumps({**state, "identity": self.identity, "step": step}, allow_nan=False)
        aside = folder / aside_name(STATE)
        aside.write_text(body, encoding="utf-8")
        aside.replace(folder / STATE)

    def _state(self, folder: Path) -> dict[str, Any] | None:
        try:
            state = json.loads((folder / STATE).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        fits = isinstance(state, dict) and state.get("identity") == self.identity
        return state if fits else None


def tensors_of(path: Path) -> dict[str, Any]:
    """Return the tensors of a file, by name."""
    from safetensors.torch import load_file

    found: dict[str, Any] = load_file(str(path))
    return found


@contextmanager
def written(path: Path, doing: str) -> Iterator[None]:
    """Turn what the operating system or safetensors says while something is written into one sentence.

    Raises:
        StorageError: for a full disk, a missing permission or any other refusal.
    """
    from safetensors import SafetensorError

    with storage_errors(path, doing):
        try:
            yield
        except SafetensorError as error:
            full = "os error 28" in str(error) or "No space left" in str(error)
            raise OSError(errno.ENOSPC if full else errno.EIO, str(error)) from error


def _whole(folder: Path) -> bool:
    """Return whether the tensor files can be opened: one that was cut short by a power failure cannot."""
    from safetensors import SafetensorError, safe_open

    try:
        for name in (WEIGHTS, TENSORS):
            with safe_open(str(folder / name), framework="pt") as file:
                file.keys()
    except (OSError, SafetensorError):
        return False
    return (folder / TRAINER_STATE).is_file()
