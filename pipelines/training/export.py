"""A trained encoder as a folder that sentence-transformers loads without this project."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from pipelines.aside import aside_name
from pipelines.errors import ConfigurationError, shorten, storage_errors
from pipelines.models.loading import Blend, blended, load_model
from pipelines.models.weights import model_folder
from pipelines.training.adapter_maps import Maps
from pipelines.training.card import CARD, RECORD
from pipelines.training.checkpoints import written
from pipelines.training.export_card import card_text
from pipelines.training.export_modules import cut, mapped, merged_prompts

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer


@dataclass(frozen=True)
class Exported:
    """What makes a trained encoder: the base's folder, the method, and how its vectors are shaped."""

    base: Path
    method: str
    blend: float = 1.0
    dimensions: int | None = None
    query_prompt: str | None = None
    document_prompt: str | None = None


class Exportable(Protocol):
    """An embedder that was trained."""

    def exported(self) -> Exported:
        """Return what makes it."""
        ...


def write_model(embedder: Exportable, fitted: Path, to: Path, card: Mapping[str, Any]) -> None:
    """Write the embedder that learnt `fitted` into the new folder `to`, with a model card of what `card` says.

    What is blended is merged, an adapter becomes the last modules, reached by `encode_query` and `encode_document`, and
    vectors are cut where the embedder cuts them. Safetensors and JSON alone are written, aside, and put in place whole.

    Raises:
        ConfigurationError: when the folder holds something already, or the base cannot be loaded.
        StorageError: when the disk is full or refuses.
    """
    refuse_filled(to)
    how = embedder.exported()
    model = _model(how, fitted)
    aside = to.parent / aside_name(to.name)
    with written(to, "export the model"):
        try:
            aside.mkdir(parents=True)
            model.save_pretrained(str(aside), create_model_card=False, safe_serialization=True)
            (aside / CARD).write_text(card_text(model, how.base.name, how.method, card), encoding="utf-8")
            if (fitted / RECORD).is_file():
                shutil.copyfile(fitted / RECORD, aside / RECORD)
            if to.is_dir():
                to.rmdir()
            aside.rename(to)
        finally:
            shutil.rmtree(aside, ignore_errors=True)


def refuse_filled(to: Path) -> None:
    """Refuse to write over anything.

    Raises:
        ConfigurationError: when `to` is a file, or a folder that is not empty.
        StorageError: when it cannot be looked into.
    """
    with storage_errors(to, "look for room for the model"):
        if not to.exists() or (to.is_dir() and not any(to.iterdir())):
            return
    what = "a folder that is not empty" if to.is_dir() else "a file"
    raise ConfigurationError(f"{shorten(to)} is {what}, and nothing is written over; name a new folder to export to.")


def _model(how: Exported, fitted: Path) -> SentenceTransformer:
    """Return the trained encoder as one model, on the processor."""
    if how.method == "adapter" or how.blend == 0.0:
        model = load_model(str(how.base), "cpu")
        maps = Maps.read(fitted) if how.method == "adapter" else Maps()
        model = mapped(model, maps.blended(how.blend))
    else:
        model = load_model(str(fitted), "cpu")
        if how.blend < 1.0:
            blended(model, Blend(str(model_folder(str(how.base))), how.blend))
    model.prompts = merged_prompts(model, how.query_prompt, how.document_prompt)
    return model if how.dimensions is None else cut(model, how.dimensions)
