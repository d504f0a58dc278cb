"""A cross-encoder that scores every pair of texts as if it were alone."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipelines.errors import ConfigurationError, shorten
from pipelines.models.batches import Batch, batches, one_by_one
from pipelines.models.devices import threads
from pipelines.models.weights import model_folder, not_loaded
from pipelines.progress import Keep, Progress
from pipelines.records import FloatArray, LongArray

if TYPE_CHECKING:
    import torch
    from sentence_transformers import CrossEncoder

Pair = tuple[str, str]
_ROWS_A_GROUP = 16
_MOST_PAIRS = 1024
_SCORING = ("ForSequenceClassification", "ForCausalLM")


@dataclass(frozen=True)
class PairScorerSpec:
    """What has to be loaded: a folder or hub name, the digest of its files, and the device as resolved."""

    model: str
    weights: str
    device: str


class PairScorer:
    """A loaded cross-encoder, in float32. Its scores are the model's own outputs: no sigmoid makes the best ones equal.

    A pair is padded to a width that its own length decides, and the head, which sees one row a pair, works on a fixed
    number of rows: so a pair's score does not depend on the pairs beside it.
    """

    def __init__(self, model: CrossEncoder) -> None:
        self._model = model
        _fix_rows(model)

    def score(
        self, pairs: Sequence[Pair], max_tokens: int, batch_size: int, progress: Progress, keep: Keep
    ) -> FloatArray:
        """Return the scores, float32 [n_pairs, 1], of pairs cut at `max_tokens`, or at what the model reads if less.

        Raises:
            ConfigurationError: when the model gives a pair no number.
        """
        limit = min(max_tokens, int(self._model.max_seq_length or max_tokens))
        lengths = self._lengths(pairs)
        scores = np.zeros((len(pairs), 1), dtype=np.float32)
        done = 0
        for batch in batches(lengths, limit, batch_size) if self._pads_freely else one_by_one(len(pairs)):
            at = batch.positions
            scores[at, 0] = self._forward([pairs[i] for i in at], batch)
            keep(at, scores[at])
            done += len(at)
            progress(done, len(pairs))
        return scores

    @property
    def _pads_freely(self) -> bool:
        """Whether the first module is a plain transformer over tokens, which can be told how wide to pad."""
        from sentence_transformers.base.modules import Transformer

        first = self._model[0]
        return isinstance(first, Transformer) and set(first.modality_config) == {"text"}

    def _lengths(self, pairs: Sequence[Pair]) -> LongArray:
        if not pairs:
            return np.zeros(0, dtype=np.int64)
        asked, texts = [question for question, _ in pairs], [text for _, text in pairs]
        encoded = self._model.tokenizer(asked, texts, truncation=False, padding=False, verbose=False)
        return np.asarray([len(ids) for ids in encoded["input_ids"]], dtype=np.int64)

    def _forward(self, pairs: list[Pair], batch: Batch) -> FloatArray:
        import torch

        torch.set_num_threads(threads())
        features = self._features(pairs, batch)
        device = self._model.device
        features = {k: v.to(device) if isinstance(v, torch.Tensor) else v for k, v in features.items()}
        with torch.inference_mode():
            scores: FloatArray = self._model(features)["scores"].float().reshape(len(pairs)).cpu().numpy()
        if not np.isfinite(scores).all():
            raise ConfigurationError("The cross-encoder gives some pairs no number; its weights are damaged.")
        return scores

    def _features(self, pairs: list[Pair], batch: Batch) -> dict[str, Any]:
        prompt = self._model.prompts.get(self._model.default_prompt_name)
        if not batch.width_tokens:
            return dict(self._model.preprocess(pairs, prompt=prompt))
        wide = {"text": {"padding": "max_length", "max_length": batch.width_tokens}}
        return dict(self._model.preprocess(pairs, prompt=prompt, processing_kwargs=wide))


def _fix_rows(model: CrossEncoder) -> None:
    """Have every linear layer work on rows in groups of one size: the bits of a product vary with their number."""
    import torch

    for module in model.modules():
        if isinstance(module, torch.nn.Linear):
            module.forward = partial(_in_groups, module)


def _in_groups(layer: torch.nn.Linear, rows: torch.Tensor) -> torch.Tensor:
    """Apply `layer`; rows of tokens, [n_pairs, n_tokens, n], are many and steady as they are."""
    import torch
    from torch.nn.functional import linear, pad

    if rows.dim() != 2 or len(rows) > _MOST_PAIRS:
        return linear(rows, layer.weight, layer.bias)
    groups = pad(rows, (0, 0, 0, -len(rows) % _ROWS_A_GROUP)).split(_ROWS_A_GROUP)
    return torch.cat([linear(group, layer.weight, layer.bias) for group in groups])[: len(rows)]


@lru_cache(maxsize=2)
def load_pair_scorer(spec: PairScorerSpec) -> PairScorer:
    """Load a model, never running code that comes with it.

    Raises:
        ConfigurationError: when the folder holds no cross-encoder with one score, or cannot be loaded.
    """
    folder = model_folder(spec.model)
    _check_kind(folder)
    from safetensors import SafetensorError
    from sentence_transformers import CrossEncoder
    from transformers.utils import logging

    logging.disable_progress_bar()
    try:
        model = CrossEncoder(
            str(folder), device=spec.device, trust_remote_code=False, model_kwargs={"use_safetensors": True}
        )
    except (OSError, ValueError, KeyError, TypeError, ImportError, RuntimeError, SafetensorError) as error:
        raise not_loaded(folder, "a cross-encoder", error) from error
    if model.num_labels != 1:
        raise ConfigurationError(
            f"The model in {shorten(folder)} gives {model.num_labels} numbers a pair; "
            "a reranker needs a cross-encoder that gives one score."
        )
    model.float().eval()
    return PairScorer(model)


def _check_kind(folder: Path) -> None:
    """Refuse what was not trained to score: its head would be made up at random when it is loaded."""
    try:
        kinds = json.loads((folder / "config.json").read_text(encoding="utf-8")).get("architectures") or [""]
    except (OSError, ValueError, AttributeError) as error:
        raise ConfigurationError(
            f"The model folder {shorten(folder)} has no config.json that can be read; save the cross-encoder anew."
        ) from error
    if not str(kinds[0]).endswith(_SCORING):
        raise ConfigurationError(
            f"The model in {shorten(folder)} is a {shorten(kinds[0]) or 'model of no stated kind'}, which scores no "
            "pairs; name a cross-encoder, or use it as an embedder."
        )
