"""A cross-encoder small enough to be made anew for a test session; its weights are drawn, so it knows nothing."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from pipelines.models.weights import minilm_folder

_TOKENIZER = ("tokenizer.json", "tokenizer_config.json", "vocab.txt", "special_tokens_map.json")


@cache
def cross_encoder_folder(seed: int = 7, n_labels: int = 1) -> Path:
    """The folder of a BERT of two small layers with MiniLM's tokenizer, saved as safetensors."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification
    from transformers.utils import logging

    logging.disable_progress_bar()
    folder = Path(tempfile.mkdtemp(prefix="tiny-cross-encoder-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    config = BertConfig(
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=128,
        num_labels=n_labels,
        initializer_range=0.4,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        BertForSequenceClassification(config).save_pretrained(folder, safe_serialization=True)
    for name in _TOKENIZER:
        shutil.copy(minilm_folder() / name, folder / name)
    return folder
