"""The model that a cross-encoder's training begins with: a cross-encoder, or an encoder that is given a head."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.errors import ConfigurationError, shorten
from pipelines.models.weights import model_folder, not_loaded, refuse_no_tokenizer
from pipelines.training.pair_methods import PairTraining

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

_HEADED = "ForSequenceClassification"


def base_of(how: PairTraining) -> CrossEncoder:
    """Return the model in float32, never running code that comes with it; a head that it lacks is drawn by the seed.

    Raises:
        ConfigurationError: when the folder holds no weights, only pickled ones, or no model that can read pairs.
    """
    folder = transformer_folder(model_folder(str(how.model)))
    _check_head(folder)
    refuse_no_tokenizer(folder)
    import torch
    from safetensors import SafetensorError
    from sentence_transformers import CrossEncoder
    from transformers.utils import logging

    logging.disable_progress_bar()
    before = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(how.seed)
            model = CrossEncoder(
                str(folder),
                num_labels=1,
                device=how.device,
                trust_remote_code=False,
                model_kwargs={"use_safetensors": True},
            )
    except (OSError, ValueError, KeyError, TypeError, ImportError, RuntimeError, SafetensorError) as error:
        raise not_loaded(folder, "an encoder to train as a cross-encoder", error) from error
    finally:
        logging.set_verbosity(before)
    model.max_seq_length = min(how.max_tokens, int(model.max_seq_length or how.max_tokens))
    return model.float()


def transformer_folder(folder: Path) -> Path:
    """Return where the transformer of a model lies: of a sentence-transformers model, its first module.

    Raises:
        ConfigurationError: when the first module is no transformer, as with static embeddings.
    """
    listed = folder / "modules.json"
    if not listed.exists():
        return folder
    try:
        modules: list[dict[str, Any]] = json.loads(listed.read_text(encoding="utf-8"))
        first = min(modules, key=lambda module: int(module["idx"]))
        kind, path = str(first["type"]), str(first["path"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(
            f"The model folder {shorten(folder)} has a modules.json that cannot be read; save the model anew."
        ) from error
    if not kind.endswith(".Transformer"):
        raise ConfigurationError(
            f"The model in {shorten(folder)} begins with {shorten(kind.rpartition('.')[2])}, which cannot read "
            "question and text together; choose a model that begins with a transformer."
        )
    return folder / path


def _check_head(folder: Path) -> None:
    """Refuse a head with other than one score: it is no reranker's, and would be thrown away."""
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        kind = str((config.get("architectures") or [""])[0])
        n_labels = len(config["id2label"]) if "id2label" in config else int(config.get("num_labels", 2))
    except (OSError, ValueError, AttributeError, TypeError, IndexError) as error:
        raise ConfigurationError(
            f"The model folder {shorten(folder)} has no config.json that can be read; save the model anew."
        ) from error
    if kind.endswith(_HEADED) and n_labels != 1:
        raise ConfigurationError(
            f"The model in {shorten(folder)} gives {n_labels} numbers a pair, and a reranker one; train an encoder, or "
            "a cross-encoder that gives one score."
        )
