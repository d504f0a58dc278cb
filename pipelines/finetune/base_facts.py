"""What a model's folder tells without loading it: weights, size on disk, licence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from pipelines.component import Component
from pipelines.errors import WorkbenchError, shorten
from pipelines.models.weights import minilm_folder, model_folder
from pipelines.training.memory import shape_of

NO_FOLDER = "an endpoint does not tell"
NO_LICENCE = "the model card names none"
_LOADED = (".safetensors", ".json", ".txt", ".model")
_FLOAT, _LIBRARIES = 4, 700 << 20
_CARD_BYTES = 1 << 20


@dataclass(frozen=True)
class Facts:
    """Numbers in the weights, bytes of the files that are loaded, and the licence that the model card names, if any."""

    parameters: int
    disk_bytes: int
    licence: str | None

    @property
    def estimated_memory(self) -> int:
        """Bytes that a process takes with the weights in float32 and the libraries: a text's own are not counted."""
        return _FLOAT * self.parameters + _LIBRARIES


def folder_of(embedder: Component, fitted: Path | None) -> Path | None:
    """Return the folder that is loaded: what was made for it, or the model's own; None for an endpoint.

    Raises:
        ConfigurationError: when there is none, or when it holds no safetensors weights.
    """
    if hasattr(embedder, "endpoint"):
        return None
    if embedder.name == "static":
        return fitted
    return minilm_folder() if embedder.name == "minilm" else model_folder(str(getattr(embedder, "model", "")))


def facts(folder: Path, card: Path) -> Facts:
    """Return the facts of a folder; `card` is the folder with the model card, for a distilled one that of its teacher.

    Raises:
        WorkbenchError: when its weights cannot be read.
    """
    files = [path for path in folder.rglob("*") if path.is_file() and path.suffix in _LOADED]
    try:
        parameters = shape_of(folder).n_weights
    except (OSError, ValueError, KeyError, TypeError, AttributeError, MemoryError, OverflowError) as error:
        raise WorkbenchError(
            f"The weights in {shorten(folder)} cannot be read ({shorten(error, 60)}); save the model anew."
        ) from error
    return Facts(parameters, sum(path.stat().st_size for path in files), licence_of(card))


def licence_of(folder: Path) -> str | None:
    """Return the licence that the head of a folder's model card names."""
    found = _head(folder / "README.md").get("license")
    words = [str(one) for one in found] if isinstance(found, list) else [str(found)] if found else []
    return shorten(", ".join(words), 60) or None


def _head(card: Path) -> Mapping[str, Any]:
    try:
        with card.open(encoding="utf-8", errors="replace") as file:
            text = file.read(_CARD_BYTES)
        _, head, _ = text.split("---", 2) if text.startswith("---") else ("", "", "")
        found = yaml.safe_load(head)
    except (OSError, ValueError, yaml.YAMLError, RecursionError):
        return {}
    return found if isinstance(found, Mapping) else {}
