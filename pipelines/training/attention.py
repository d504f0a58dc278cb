"""Attention for training on a processor: plain products, of which nothing is held that can be computed again.

On a processor torch's fused kernel is slow backwards: with it, MiniLM's steps on 256-token texts take a quarter more
processor time. Plain products would hold each text's square of lengths, so they are computed anew for the gradients.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

_NAME = "computed_anew"


@contextmanager
def plain_attention(transformer: Any, device: str) -> Iterator[None]:
    """Have a transformer on a processor attend by plain products while this lasts; others stay as they are."""
    before = getattr(getattr(transformer, "config", None), "_attn_implementation", None)
    if device != "cpu" or before != "sdpa" or not getattr(transformer, "_supports_attention_backend", False):
        yield
        return
    from transformers import AttentionInterface
    from transformers.masking_utils import AttentionMaskInterface, eager_mask

    AttentionInterface.register(_NAME, _attended)
    AttentionMaskInterface.register(_NAME, eager_mask)
    transformer.set_attn_implementation(_NAME)
    try:
        yield
    finally:
        as_loaded(transformer)


def as_loaded(transformer: Any) -> None:
    """Have a transformer that attends by plain products attend as it was loaded."""
    if getattr(getattr(transformer, "config", None), "_attn_implementation", None) == _NAME:
        transformer.set_attn_implementation("sdpa")


def _attended(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    **others: Any,
) -> tuple[torch.Tensor, None]:
    """Return what each token takes from the others, [n, length, heads, width of a head]; there is no dropout."""
    from torch.utils.checkpoint import checkpoint

    scale = query.size(-1) ** -0.5 if scaling is None else scaling
    found = checkpoint(_products, query, key, value, attention_mask, scale, use_reentrant=False)
    return found.transpose(1, 2).contiguous(), None


def _products(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, mask: torch.Tensor | None, scale: float
) -> torch.Tensor:
    scores = query @ key.transpose(2, 3) * scale
    shares: torch.Tensor = (scores if mask is None else scores + mask).softmax(dim=-1)
    return shares @ value
