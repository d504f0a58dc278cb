"""How much memory a training takes, reckoned before it starts from the files of the base model alone."""

from __future__ import annotations

import ctypes
import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from pipelines.errors import ConfigurationError, shorten
from pipelines.models.weights import model_folder
from pipelines.training.methods import EncoderTraining

GROUP_TOKENS = 2048
"""Tokens of the texts that are computed together on a processor: what they need at a time stays near its caches."""
GPU_GROUP_TOKENS = 16384

_GIB = 1 << 30
_LIBRARIES = 700 << 20
_FLOAT = 4
_MOST_TOKENS = 8192
_HELD = {"float32": (36, 10), "bfloat16": (24, 9)}
"""Bytes that a layer holds for each token until the gradients are known, for each of its width and of its inner width.

Measured on MiniLM with torch 2.13: 28,800 in float32 and 23,000 in bfloat16 (autocast), where these say 29,184 and
23,040. Attention is fused or computed anew, so nothing grows with the square of the length.
"""


@dataclass(frozen=True)
class Shape:
    """What decides a model's memory: how many weights, in how many layers of which width, and how much it reads."""

    n_weights: int
    layers: int
    width: int
    inner: int
    tokens: int


@dataclass(frozen=True)
class Memory:
    """Bytes that a training takes at its height, by what they are for; `libraries` are those of the process itself."""

    libraries: int
    weights: int
    gradients: int
    optimizer: int
    activations: int
    teacher: int = 0

    @property
    def total(self) -> int:
        """Return all of them together."""
        return sum(asdict(self).values())

    def __str__(self) -> str:
        """Say it in one line."""
        parts = {name: value for name, value in asdict(self).items() if value}
        return f"{in_gib(self.total)} (" + ", ".join(f"{name} {in_gib(value)}" for name, value in parts.items()) + ")"


def training_memory(how: EncoderTraining, passages: int = 2, tokens: int | None = None) -> Memory:
    """Return what a training takes: `passages` a pair, its positive and negatives, of `tokens` at the most.

    Without `tokens` each passage is as long as the model reads. It is meant to be more than is taken, not less.

    Raises:
        ConfigurationError: when there is no such model, or one without safetensors weights.
    """
    shape = shape_of(how.base.model)
    longest = shape.tokens if tokens is None else min(tokens, shape.tokens)
    beside = how.lora_rank * shape.layers * (10 * shape.width + 2 * shape.inner)
    trained = shape.n_weights if how.method == "full" else beside
    question = min(longest, 32)
    held = how.batch * (passages * longest + question)
    if how.loss == "cached-mnrl":
        held = min(held, max(group_tokens(how.base.device), longest))
    copies = 2 * shape.n_weights if how.base.precision == "bfloat16" else 0
    return Memory(
        libraries=_LIBRARIES,
        weights=_FLOAT * shape.n_weights + copies,
        gradients=_FLOAT * trained,
        optimizer=2 * _FLOAT * trained,
        activations=held * held_bytes(shape, how.base.precision),
        teacher=_FLOAT * shape_of(Path(how.teacher)).n_weights if how.teacher else 0,
    )


def held_bytes(shape: Shape, precision: str) -> int:
    """Return how many bytes all layers hold for each token until the gradients are known."""
    width, inner = _HELD["bfloat16" if precision == "bfloat16" else "float32"]
    return shape.layers * (width * shape.width + inner * shape.inner)


def group_tokens(device: str) -> int:
    """Return how many tokens of texts are computed together; with bounded memory, those are held at once."""
    return GROUP_TOKENS if device == "cpu" else GPU_GROUP_TOKENS


def free_memory(device: str) -> int:
    """Return how many bytes are free where the training is to run: of the GPU, or of the machine or its container."""
    if device == "cuda":
        import torch

        return int(torch.cuda.mem_get_info()[0])
    import psutil

    return min(int(psutil.virtual_memory().available), _free_in_container())


def give_back() -> None:
    """Give memory that is free within this process back to the system, where its allocator can be told to (glibc).

    Each step's tensors have sizes of their own, so the allocator's free pieces seldom fit the next step's and it takes
    more and more: a training that holds 1 GiB between steps was seen to grow beyond 4. It takes some 0.2 s a step.
    """
    trim = _trim()
    if trim is not None:
        trim(0)


@cache
def _trim() -> Callable[[int], int] | None:
    try:
        found: Callable[[int], int] = ctypes.CDLL(None).malloc_trim
        return found
    except (OSError, AttributeError, TypeError):
        return None


def refuse_too_much(needed: Memory, free: int, how: EncoderTraining) -> None:
    """Raise when a training cannot fit.

    Raises:
        ConfigurationError: with what is needed, what is free, and what to do.
    """
    total = needed.total - (needed.libraries if how.base.device == "cuda" else 0)
    if total <= free:
        return
    smaller = [] if how.loss == "cached-mnrl" else ["choose the loss cached-mnrl"]
    if how.method == "full":
        smaller.append("choose the method lora")
    raise ConfigurationError(
        f"This training needs about {in_gib(total)} of memory, but {in_gib(free)} are free; set a smaller train_batch "
        f"than {how.batch}, " + "".join(f"{one}, " for one in smaller) + "or close other programs."
    )


def shape_of(model: Path) -> Shape:
    """Return the shape of a model, from its files; what they do not say is taken from the number of weights.

    Raises:
        ConfigurationError: when there is no such model, or one without safetensors weights.
    """
    folder = model_folder(str(model))
    n_weights = sum(_n_weights(path) for path in folder.rglob("*.safetensors"))
    config = _first(folder, "config.json")
    width = _number(config, ("hidden_size", "dim", "d_model"), 0)
    layers = _number(config, ("num_hidden_layers", "n_layers", "num_layers"), 0)
    inner = _number(config, ("intermediate_size", "hidden_dim", "d_ff"), 4 * width)
    read = _number(_first(folder, "tokenizer_config.json"), ("model_max_length",), _MOST_TOKENS)
    read = _number(_first(folder, "sentence_bert_config.json"), ("max_seq_length",), read)
    tokens = min(read, _number(config, ("max_position_embeddings",), _MOST_TOKENS), _MOST_TOKENS)
    return Shape(n_weights, layers, width, inner, tokens)


def in_gib(n_bytes: int) -> str:
    """Return "1.5 GiB"."""
    return f"{n_bytes / _GIB:.1f} GiB"


def _n_weights(path: Path) -> int:
    """Return how many numbers a safetensors file holds, from its header.

    Raises:
        ConfigurationError: for a file that was cut short.
    """
    try:
        with path.open("rb") as file:
            header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"The file {shorten(path)} cannot be read as safetensors, perhaps because it was cut short; copy or "
            "download the model anew."
        ) from error
    tensors = [one for name, one in header.items() if name != "__metadata__"]
    return sum(math.prod(one["shape"]) for one in tensors)


def _first(folder: Path, name: str) -> dict[str, object]:
    for path in sorted(folder.rglob(name), key=lambda path: len(path.parts)):
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(found, dict):
            return found
    return {}


def _number(config: dict[str, object], names: tuple[str, ...], default: int) -> int:
    return next((value for name in names if isinstance(value := config.get(name), int)), default)


def _free_in_container() -> int:
    """Return what a container's limit leaves; more than any machine has where there is none."""
    try:
        limit, used = (int(Path(f"/sys/fs/cgroup/memory.{name}").read_text()) for name in ("max", "current"))
    except (OSError, ValueError):
        return 1 << 62
    return max(0, limit - used)
