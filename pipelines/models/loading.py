"""Models loaded for encoding: by torch, OpenVINO or ONNX Runtime, and tried for whether their rows stand alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipelines.models.backends import Transform, Way
from pipelines.models.devices import threads
from pipelines.models.encoder import Encoder, Encoding
from pipelines.models.weights import model_folder, not_loaded, refuse_no_encoder
from pipelines.progress import nothing, silent

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_ROWS_ON_A_GPU = 32
_TRIED_ROWS = 12


@dataclass(frozen=True)
class Blend:
    """Weights between two models of one shape: `share` of the loaded one, the rest of the `base`."""

    base: str
    share: float


@dataclass(frozen=True)
class EncoderSpec:
    """What has to be loaded: a folder or hub name, the digest of its files, and how it is computed.

    `fitted` is the folder of the calibrated transformer, for int8; `n_threads` changes no vector.
    """

    model: str
    weights: str
    way: Way
    fitted: Path | None = None
    blend: Blend | None = None
    n_threads: int = field(default_factory=threads)


@lru_cache(maxsize=2)
def load_encoder(spec: EncoderSpec) -> Encoder:
    """Load a model, never running code that comes with it.

    Raises:
        ConfigurationError: when it cannot be loaded, or not be computed in the way that is asked for.
    """
    model = load_model(spec.model, spec.way.device)
    if spec.blend is not None:
        blended(model, spec.blend)
    transform = _transform(model[0], spec)
    return Encoder(model, transform, fixed_rows(model, transform, spec.way.device))


def load_model(name: str, device: str) -> SentenceTransformer:
    """Return the model in float32, as sentence-transformers loads it.

    Raises:
        ConfigurationError: when the folder cannot be loaded as a sentence-transformers model.
    """
    folder = model_folder(name)
    refuse_no_encoder(folder)
    from safetensors import SafetensorError
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    logging.disable_progress_bar()
    try:
        model = SentenceTransformer(
            str(folder), device=device, trust_remote_code=False, model_kwargs={"use_safetensors": True}
        )
    except (OSError, ValueError, KeyError, TypeError, ImportError, RuntimeError, SafetensorError) as error:
        raise not_loaded(folder, "a sentence-transformers model", error) from error
    return model.float().eval()


def blended(model: SentenceTransformer, blend: Blend) -> None:
    """Move the weights of a loaded model towards those of the base, in place."""
    import torch

    base = load_model(blend.base, "cpu").state_dict()
    with torch.no_grad():
        for name, weight in model.state_dict().items():
            if weight.is_floating_point():
                weight.lerp_(base[name].to(weight.device), 1.0 - blend.share)


def fixed_rows(model: SentenceTransformer, transform: Transform, device: str) -> int | None:
    """Return of how many rows every batch must be, lest a text's vector depend on the others; None where none need be.

    A GPU chooses its kernels by the shape, and rows cost it little. On a processor, models of the measured shape need
    nothing; another model is tried, and computed text by text unless the vectors are the same to the bit.
    """
    if device != "cpu":
        return _ROWS_ON_A_GPU
    if measured_shape(model):
        return None
    free, alone = Encoder(model, transform), Encoder(model, transform, 1)
    if not free.pads_freely:
        return None
    for n_words in (4, 50, 140):
        texts = [f"{i} " + "word " * (n_words + i % 5) for i in range(_TRIED_ROWS)]
        for queries in _sides(model):
            expected = alone.encode(texts, Encoding(queries), silent, nothing)[0]
            for batch_size in (2, 5, _TRIED_ROWS):
                found = free.encode(texts, Encoding(queries, batch_size=batch_size), silent, nothing)[0]
                if not np.array_equal(found, expected):
                    return 1
    return None


def _sides(model: SentenceTransformer) -> tuple[bool, ...]:
    """Return whether queries have to be tried apart from documents: where a module takes another route for them."""
    apart = any("task" in getattr(module, "forward_kwargs", ()) for module in model)
    return (False, True) if apart else (False,)


def measured_shape(model: SentenceTransformer) -> bool:
    """Return whether the model is of the shape that docs/embedding.md is about, and ends in plain pooling."""
    kinds = {type(module).__name__ for module in list(model)[1:]}
    config = getattr(model[0], "config", None)
    shape = (getattr(config, name, None) for name in ("model_type", "hidden_size", "intermediate_size"))
    return tuple(shape) == ("bert", 384, 1536) and kinds <= {"Pooling", "Normalize"}


def _transform(first: Any, spec: EncoderSpec) -> Transform:
    """Return what computes the first module."""
    way = spec.way
    if way.backend == "openvino":
        from pipelines.models.backends.openvino_transformer import OpenVinoTransformer, convert

        if spec.fitted is not None:
            return OpenVinoTransformer.read(spec.fitted, way.precision, spec.n_threads)
        return OpenVinoTransformer(convert(first), way.precision, spec.n_threads)
    if way.backend == "onnx":
        from pipelines.models.backends.onnx_transformer import OnnxTransformer, export

        return OnnxTransformer(export(first), spec.n_threads)
    from pipelines.models.backends.torch_transformer import TorchTransformer

    if way.precision == "bfloat16":
        first.bfloat16()
    return TorchTransformer(first, spec.n_threads)
