"""How much memory and disk a training takes, reckoned from its knobs and the files of its base model."""

from __future__ import annotations

from pathlib import Path

from pipelines.models.weights import minilm_folder, model_folder
from pipelines.stages.embed import TrainedEmbedder
from pipelines.stages.rerank import TrainedReranker
from pipelines.training.checkpoints import KEPT
from pipelines.training.memory import shape_of, training_memory
from pipelines.training.methods import Base, EncoderTraining
from pipelines.training.pair_memory import pair_memory
from pipelines.training.pair_methods import PairTraining

_FLOAT = 4
_CHECKPOINTS = KEPT + 2
"""Those of the last steps, that of the best epoch, and the one that is being written."""

_OF_MAPS = 16 << 20
_MINILM = "all-MiniLM-L6-v2"

Trained = TrainedEmbedder | TrainedReranker


def memory_of(component: Trained) -> int | None:
    """Return the bytes that a training takes at its height; None for one of kept vectors, which takes next to nothing.

    Raises:
        ConfigurationError: when the base model is not there, or has no weights that may be loaded.
    """
    if _is_map(component):
        return None
    passages = 1 + (0 if component.negatives == "none" else component.negatives_each)
    if isinstance(component, TrainedReranker):
        longest = passages + int(getattr(component, "random_negatives", 0))
        return pair_memory(_pair_training(component), longest).total
    return training_memory(_training(component), passages).total


def disk_of(component: Trained) -> int:
    """Return the bytes that a training writes at its height: its checkpoints, and the model."""
    if _is_map(component):
        return _OF_MAPS
    weights = _FLOAT * shape_of(_model(component)).n_weights
    trained = weights if getattr(component, "method", "full") == "full" else weights // 20
    return weights + _CHECKPOINTS * 3 * trained


def _is_map(component: Trained) -> bool:
    return getattr(component, "method", "full") == "adapter"


def _model(component: Trained) -> Path:
    name = str(getattr(component, "model", _MINILM))
    return minilm_folder() if name == _MINILM else model_folder(name)


def _pair_training(component: TrainedReranker) -> PairTraining:
    actual = component.resolved()
    return PairTraining(
        model=_model(component),
        device=getattr(actual, "device", "cpu"),
        precision="bfloat16" if getattr(actual, "precision", "") == "bfloat16" else "float32",
        loss=getattr(component, "loss", "listwise"),
        epochs=int(getattr(component, "epochs", 1)),
        batch=int(getattr(component, "train_batch", 1)),
        learning_rate=float(getattr(component, "learning_rate", 0.0)),
        warmup=0.0,
        patience=0,
        max_tokens=int(getattr(component, "max_tokens", 512)),
        random_negatives=int(getattr(component, "random_negatives", 0)),
        header=component.header,
        seed=component.seed,
    )


def _training(component: Trained) -> EncoderTraining:
    actual = component.resolved()
    return EncoderTraining(
        base=Base(_model(component), getattr(actual, "device", "cpu"), str(getattr(actual, "precision", "float32"))),
        method="lora" if getattr(component, "method", "full") == "lora" else "full",
        loss=getattr(component, "loss", "mnrl"),
        epochs=int(getattr(component, "epochs", 1)),
        batch=int(getattr(component, "train_batch", 32)),
        learning_rate=None,
        warmup=0.0,
        patience=0,
        matryoshka=(),
        teacher=str(getattr(component, "teacher", "")),
        lora_rank=int(getattr(component, "lora_rank", 0)),
        lora_alpha=0,
        lora_dropout=0.0,
        seed=component.seed,
    )
