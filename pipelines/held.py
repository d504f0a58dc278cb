"""An execution whose memory is bounded: some nodes are held for good, of the others those got last."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from pipelines.execution import Execution, Node
from pipelines.progress import Progress

T = TypeVar("T")
MOST_BYTES = 512 * 2**20


@dataclass
class HeldExecution(Execution):
    """Remembers, besides what is held for good, what was got last: at most `most_bytes` of it once told to `trim`.

    `refuse` is told of each stage that is about to work and report how far it is; it may raise to prevent that.
    """

    most_bytes: int = MOST_BYTES
    refuse: Callable[[str], None] = lambda stage: None
    _for_good: set[str] = field(default_factory=set)
    _latest: OrderedDict[str, int] = field(default_factory=OrderedDict)

    def __contains__(self, node: Node[Any]) -> bool:
        return node.key in self._for_good or node.key in self._latest

    def get(self, node: Node[T]) -> T:
        """Return the output of `node`, and note that it was wanted."""
        value = super().get(node)
        if node.key not in self._for_good:
            if node.key not in self._latest:
                self._latest[node.key] = size_bytes(value)
            self._latest.move_to_end(node.key)
        return value

    def progress(self, stage: str) -> Progress:
        """Return what a component reports to, unless its work is refused."""
        self.refuse(stage)
        return super().progress(stage)

    def hold(self, node: Node[Any]) -> None:
        """Get a node and all that it depends on, and hold them for good."""
        for one in node.upstream():
            self.get(one)
            self._for_good.add(one.key)
            self._latest.pop(one.key, None)

    def trim(self) -> None:
        """Let go of what was got longest ago, until the rest fits."""
        n_bytes, before = sum(self._latest.values()), len(self._latest)
        while self._latest and n_bytes > self.most_bytes:
            n_bytes -= self._latest.popitem(last=False)[1]
        if len(self._latest) < before:
            self.forget(but=self._for_good | self._latest.keys())


def size_bytes(value: object, seen: set[int] | None = None) -> int:
    """Return about how much memory a stage's output takes: arrays, texts, and whatever holds them."""
    seen = set() if seen is None else seen
    if id(value) in seen:
        return 0
    seen.add(id(value))
    if isinstance(value, np.ndarray):
        return int(value.nbytes)
    if isinstance(value, str | bytes):
        return len(value)
    if isinstance(value, Mapping):
        return sum(size_bytes(part, seen) for pair in value.items() for part in pair)
    if isinstance(value, list | tuple | set | frozenset):
        return 8 * len(value) + sum(size_bytes(part, seen) for part in value)
    return 8 + sum(size_bytes(part, seen) for part in getattr(value, "__dict__", {}).values())
