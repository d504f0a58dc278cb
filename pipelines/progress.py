"""How long work reports how far it is, and learns that it should stop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from pipelines.records import FloatArray, LongArray

Keep = Callable[[LongArray, FloatArray], None]
"""Given finished work as it comes: positions in what was asked for, and their rows, float32 [n_positions, width]."""


class Progress(Protocol):
    """Told by a stage after each batch; may raise `Cancelled` to stop it there."""

    def __call__(self, done: int, total: int) -> None:
        """Report `done` of `total` units of work."""
        ...


def silent(done: int, total: int) -> None:
    """Report to nobody."""


def nothing(positions: LongArray, rows: FloatArray) -> None:
    """Keep no finished work: the caller reads it from the result."""
