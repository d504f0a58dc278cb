"""A sentence-transformers model that encodes each distinct text once, in batches of similar length."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from pipelines.errors import ConfigurationError, shorten
from pipelines.models.weights import model_folder
from pipelines.progress import Progress
from pipelines.records import FloatArray

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer


@dataclass(frozen=True)
class EncoderSpec:
    """What has to be loaded: a folder or hub name, the digest of its files, and device and precision as resolved."""

    model: str
    weights: str
    device: str
    precision: str


class Encoder:
    """A loaded model. The transformer runs in the precision that was asked for; pooling and scaling in float32."""

    def __init__(self, model: SentenceTransformer) -> None:
        self._model = model
        self.max_tokens: int | None = model.get_max_seq_length()

    def encode(
        self, texts: Sequence[str], batch_size: int, normalize: bool, progress: Progress
    ) -> tuple[FloatArray, int]:
        """Return vectors float32 [n_texts, dimensions] and the number of texts that were cut at `max_tokens`."""
        distinct = list(dict.fromkeys(texts))
        lengths = self._lengths(distinct)
        order = np.argsort(-lengths, kind="stable")
        parts: list[FloatArray] = []
        for at in range(0, len(order), batch_size):
            parts.append(self._forward([distinct[i] for i in order[at : at + batch_size]], normalize))
            progress(min(at + batch_size, len(order)), len(order))
        vectors = np.concatenate(parts) if parts else np.zeros((0, self._dimensions), dtype=np.float32)
        return self._spread(vectors, order, distinct, texts), self._n_cut(lengths, distinct, texts)

    @property
    def _dimensions(self) -> int:
        return int(self._model.get_embedding_dimension() or 0)

    def _lengths(self, texts: Sequence[str]) -> np.ndarray[Any, np.dtype[np.int64]]:
        if not texts:
            return np.zeros(0, dtype=np.int64)
        encoded = self._model.tokenizer(list(texts), truncation=False, padding=False, verbose=False)
        return np.asarray([len(ids) for ids in encoded["input_ids"]], dtype=np.int64)

    def _forward(self, texts: list[str], normalize: bool) -> FloatArray:
        import torch

        features = self._model.preprocess(texts)
        device = self._model.device
        features = {k: v.to(device) if isinstance(v, torch.Tensor) else v for k, v in features.items()}
        with torch.inference_mode():
            features = self._model[0](features)
            features = {k: _single(v) for k, v in features.items()}
            for module in list(self._model)[1:]:
                features = module(features)
            vectors = features["sentence_embedding"].float()
            if normalize:
                vectors = torch.nn.functional.normalize(vectors, dim=1)
        result: FloatArray = vectors.cpu().numpy()
        return result

    def _spread(self, vectors: FloatArray, order: Any, distinct: Sequence[str], texts: Sequence[str]) -> FloatArray:
        """Undo the sorting, and give each text the vector of its distinct text."""
        place = np.empty(len(order), dtype=np.int64)
        place[order] = np.arange(len(order))
        row = {text: place[i] for i, text in enumerate(distinct)}
        return vectors[np.asarray([row[text] for text in texts], dtype=np.int64)]

    def _n_cut(self, lengths: Any, distinct: Sequence[str], texts: Sequence[str]) -> int:
        if self.max_tokens is None:
            return 0
        cut = {text for text, n in zip(distinct, lengths, strict=True) if n > self.max_tokens}
        return sum(text in cut for text in texts)


def _single(value: Any) -> Any:
    import torch

    return value.float() if isinstance(value, torch.Tensor) and value.is_floating_point() else value


@lru_cache(maxsize=2)
def load_encoder(spec: EncoderSpec) -> Encoder:
    """Load a model, never running code that comes with it.

    Raises:
        ConfigurationError: when the folder cannot be loaded as a sentence-transformers model.
    """
    folder = model_folder(spec.model)
    import torch
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    logging.disable_progress_bar()
    try:
        model = SentenceTransformer(
            str(folder), device=spec.device, trust_remote_code=False, model_kwargs={"use_safetensors": True}
        )
    except (OSError, ValueError, KeyError, TypeError, ImportError, RuntimeError) as error:
        raise ConfigurationError(
            f"The folder {shorten(folder)} cannot be loaded as a sentence-transformers model: {shorten(error, 200)}."
        ) from error
    model.float().eval()
    if spec.precision == "bfloat16":
        model[0].to(torch.bfloat16)
    return Encoder(model)
