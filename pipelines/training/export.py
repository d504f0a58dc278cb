"""A trained encoder as a folder that sentence-transformers loads without this project."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from pipelines.aside import aside_name
from pipelines.errors import ConfigurationError, shorten, storage_errors
from pipelines.models.loading import Blend, blended, load_model
from pipelines.models.weights import model_folder
from pipelines.training.adapter_maps import Maps
from pipelines.training.card import CARD, RECORD, Measured, read_record
from pipelines.training.checkpoints import written
from pipelines.training.export_card import add_measured, card_text
from pipelines.training.export_modules import Exported, cut, mapped, merged_prompts

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer


@runtime_checkable
class Exportable(Protocol):
    """An embedder that was trained."""

    def exported(self) -> Exported:
        """Return what makes it."""
        ...


def write_model(component: object, fitted: Path, to: Path, measured: Sequence[Measured] = ()) -> None:
    """Write what learnt `fitted` into the new folder `to`, with a model card that also says what was `measured` since.

    Of an embedder, what is blended is merged, an adapter becomes the last modules, reached by `encode_query` and
    `encode_document`, and vectors are cut where the embedder cuts them; any other component's folder is copied. Only
    safetensors, JSON and text are written, aside, and put in place whole.

    Raises:
        ConfigurationError: when the folder holds something already, or the base cannot be loaded.
        StorageError: when the disk is full or refuses.
    """
    to = to.expanduser().resolve()
    refuse_filled(to)
    how = component.exported() if isinstance(component, Exportable) else None
    model = None if how is None else _model(how, fitted)
    aside = to.parent / aside_name(to.name)
    with written(to, "export the model"):
        try:
            if how is None or model is None:
                shutil.copytree(fitted, aside, ignore=shutil.ignore_patterns("manifest.json"))
                add_measured(aside, measured)
            else:
                aside.mkdir(parents=True)
                model.save_pretrained(str(aside), create_model_card=False, safe_serialization=True)
                shutil.copyfile(fitted / RECORD, aside / RECORD)
                (aside / CARD).write_text(card_text(model, how, read_record(fitted), measured), encoding="utf-8")
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
