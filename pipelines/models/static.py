"""Static embeddings: every token has one vector, taken once from a model, and a text has the mean of its tokens'.

The method is that of model2vec (Minish): the model reads each token of its vocabulary alone, the vectors are reduced by
principal components, and weighted so that frequent tokens count less. Some hundred times faster than the model.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipelines.errors import ConfigurationError, shorten, storage_errors
from pipelines.models.devices import threads
from pipelines.models.loading import load_model
from pipelines.progress import Progress
from pipelines.records import DoubleArray, FloatArray

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

STATIC_VERSION = 1
"""Raise it when the same model would give other static embeddings."""

_BATCH_TOKENS = 512
_SMOOTHING = 1e-4


def distil_static(model: str, dimensions: int, folder: Path, progress: Progress) -> None:
    """Write static embeddings of a model into `folder`, in the format of sentence-transformers.

    Raises:
        ConfigurationError: when the model does not read tokens, or has fewer `dimensions`.
    """
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding

    teacher = load_model(model, "cpu")
    tokenizer: Any = getattr(teacher, "tokenizer", None)
    fast = getattr(tokenizer, "backend_tokenizer", None)
    width = int(teacher.get_embedding_dimension() or 0)
    if fast is None or dimensions > width:
        why = f"gives vectors of {width} numbers only" if fast is not None else "does not read tokens"
        raise ConfigurationError(
            f"The model {shorten(model)} {why}, so that no static embeddings of {dimensions} can be made of it; "
            "choose fewer dimensions, or another model."
        )
    vectors = _weighted(_reduced(_of_tokens(teacher, tokenizer, progress), dimensions))
    fast.no_truncation()
    fast.no_padding()
    static = SentenceTransformer(modules=[StaticEmbedding(fast, embedding_weights=vectors)], device="cpu")
    with storage_errors(folder, "keep the static embeddings"):
        static.save_pretrained(str(folder), create_model_card=False)


def _of_tokens(teacher: SentenceTransformer, tokenizer: Any, progress: Progress) -> FloatArray:
    """Return the vector of every token of the vocabulary, read alone, float32 [n_tokens, width]."""
    import torch

    torch.set_num_threads(threads())
    n = len(tokenizer)
    modules = [module for module in teacher if type(module).__name__ != "Normalize"]
    before, after = _wrapping(tokenizer)
    found = []
    for start in range(0, n, _BATCH_TOKENS):
        ids = [[*before, i, *after] for i in range(start, min(start + _BATCH_TOKENS, n))]
        features: dict[str, Any] = {"input_ids": torch.tensor(ids)}
        features["attention_mask"] = torch.ones_like(features["input_ids"])
        if "token_type_ids" in tokenizer.model_input_names:
            features["token_type_ids"] = torch.zeros_like(features["input_ids"])
        with torch.inference_mode():
            for module in modules:
                features = module(features)
        found.append(features["sentence_embedding"].float().numpy())
        progress(min(start + _BATCH_TOKENS, n), n)
    return np.concatenate(found)


def _wrapping(tokenizer: Any) -> tuple[list[int], list[int]]:
    """Return the tokens that the model expects before and after a text."""
    whole, bare = (list(tokenizer("a", add_special_tokens=special)["input_ids"]) for special in (True, False))
    at = whole.index(bare[0]) if bare else len(whole)
    return whole[:at], whole[at + len(bare) :]


def _reduced(vectors: FloatArray, dimensions: int) -> DoubleArray:
    """Return the first principal components, float64 [n_tokens, dimensions]."""
    from sklearn.decomposition import PCA

    reduced: DoubleArray = PCA(dimensions, svd_solver="full").fit_transform(vectors.astype(np.float64))
    return reduced


def _weighted(vectors: DoubleArray) -> FloatArray:
    """Weight tokens by how rare they are, as their place in the vocabulary tells (Zipf's law)."""
    share = 1.0 / np.arange(2, len(vectors) + 2)
    share /= share.sum()
    rare = (_SMOOTHING / (_SMOOTHING + share))[:, None]
    weighted: FloatArray = np.ascontiguousarray(vectors * rare, dtype=np.float32)
    return weighted
