"""Which texts are computed together: those whose own lengths ask for the same width, so that no text pads another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pipelines.records import LongArray

STEP_TOKENS = 16
"""Widths are multiples of this: a text's width follows from its own length, whatever else is embedded with it."""


@dataclass(frozen=True)
class Batch:
    """Positions of texts, and the width in tokens that all of them are padded to (0: as the model itself pads)."""

    positions: LongArray
    width_tokens: int


def widths(lengths: LongArray, limit_tokens: int | None) -> LongArray:
    """Return the padded width of every text, int64 [n_texts]: the next step above its length, at most the limit."""
    rounded = np.maximum(-(-lengths // STEP_TOKENS), 1) * STEP_TOKENS
    return rounded if limit_tokens is None else np.minimum(rounded, limit_tokens)


def batches(lengths: LongArray, limit_tokens: int | None, batch_size: int) -> Iterator[Batch]:
    """Yield batches of at most `batch_size` texts of one width, the widest first: a lack of memory shows at once."""
    width = widths(lengths, limit_tokens)
    for wide in np.unique(width)[::-1]:
        members = np.flatnonzero(width == wide)
        for at in range(0, len(members), batch_size):
            yield Batch(members[at : at + batch_size], int(wide))


def one_by_one(n_texts: int) -> Iterator[Batch]:
    """Yield every text alone: for models of which it is not known what they make of padding."""
    for position in range(n_texts):
        yield Batch(np.array([position], dtype=np.int64), 0)
