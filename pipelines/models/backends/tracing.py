"""A transformer as a graph that another library can take over: which of its inputs count, and what it gives back."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_EXAMPLE = ("A short text.", "Another one, which is a good deal longer, so that the first has to be padded.")


def example(first: Any) -> dict[str, Any]:
    """Return the tensors that the model's own tokenizer makes of two texts, by name; the first text is padded.

    The padding matters: traced on full rows alone, some models leave their attention mask out of the graph.
    """
    import torch

    features = first.preprocess(list(_EXAMPLE))
    return {name: value for name, value in features.items() if isinstance(value, torch.Tensor)}


def traceable(first: Any, names: list[str]) -> Any:
    """Return a module that takes those tensors by position and gives the token embeddings [n_texts, width, hidden]."""
    import torch

    class Plain(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.first = first

        def forward(self, *tensors: Any) -> Any:
            return self.first(dict(zip(names, tensors, strict=True)))["token_embeddings"]

    return Plain().eval()


@contextmanager
def quiet() -> Iterator[None]:
    """Keep to itself what tracing warns of: shapes that it takes for constants are those of the model itself."""
    from transformers.utils import logging

    level = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.set_verbosity(level)
