"""What a question costs: the tokens of context that are handed on."""

from __future__ import annotations

from pipelines.records import LongArray
from pipelines.stages.score.measured import Measured
from pipelines.stages.score.retrieved import Cuts, Retrieved


def context_tokens(retrieved: Retrieved, cuts: Cuts) -> LongArray:
    """Return the tokens of the context of the first k chunks, overlap counted twice: that is what a model is sent.

    context_tokens = Σ tokens(c), over the first k chunks c
    """
    return cuts.total(retrieved.tokens)


def measure(retrieved: Retrieved, cuts: Cuts) -> dict[str, Measured]:
    """Return the context tokens of every question at every cut."""
    return {"context_tokens": Measured.of(context_tokens(retrieved, cuts))}
