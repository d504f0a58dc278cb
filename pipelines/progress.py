"""How long work reports how far it is, and learns that it should stop."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Told by a stage after each batch; may raise `Cancelled` to stop it there."""

    def __call__(self, done: int, total: int) -> None:
        """Report `done` of `total` units of work."""
        ...


def silent(done: int, total: int) -> None:
    """Report to nobody."""
