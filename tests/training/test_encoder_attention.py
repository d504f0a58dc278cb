"""Attention that is computed anew: the same numbers as the library's, only while a training lasts."""

from __future__ import annotations

from pipelines.models.loading import load_model
from pipelines.training.attention import as_loaded, plain_attention

from .lessons import tiny_encoder

TEXTS = ["ships in the harbour", "the bank lent more money than ever", "snow"]


def test_vectors_and_gradients_are_the_same() -> None:
    import torch

    found = []
    for plainly in (False, True):
        model = load_model(str(tiny_encoder()), "cpu")
        transformer = model[0].auto_model
        with plain_attention(transformer if plainly else None, "cpu"):
            vectors = model(dict(model.preprocess(TEXTS)))["sentence_embedding"]
            (vectors * torch.arange(32.0)).sum().backward()
        gradients = {name: weight.grad for name, weight in model.named_parameters() if weight.grad is not None}
        found.append({"vectors": vectors.detach(), **gradients})
    assert found[0].keys() == found[1].keys()
    assert all(torch.allclose(found[0][name], found[1][name], atol=1e-4, rtol=1e-3) for name in found[0])


def test_it_ends_with_the_training_and_is_for_processors_alone() -> None:
    transformer = load_model(str(tiny_encoder()), "cpu")[0].auto_model
    with plain_attention(transformer, "cuda"):
        assert transformer.config._attn_implementation == "sdpa"
    with plain_attention(transformer, "cpu"):
        assert transformer.config._attn_implementation != "sdpa"
    assert transformer.config._attn_implementation == "sdpa"
    as_loaded(transformer)
    as_loaded(None)
    assert transformer.config._attn_implementation == "sdpa"
