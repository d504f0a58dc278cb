"""The distinct pieces of work of many evaluations: what is in the store already, and what hangs on it, left out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipelines.cache import Cache
from pipelines.execution import Execution, Node


@dataclass(frozen=True, eq=False)
class Piece:
    """Something that one worker does in one go, after the pieces with the keys in `needs`.

    `group` is the chunking that it belongs to, None for what several share: a worker holds in memory what one group
    needs. `do` is told which needed pieces have failed; it is only called with some where `copes`. `n_runs` is how many
    runs it writes. Pieces of one `kind` need the same to be got ready, such as a model; it is empty for most.
    """

    key: str
    stage: str
    group: str | None
    needs: frozenset[str]
    do: Callable[[Execution, frozenset[str]], object]
    done: Callable[[], bool]
    copes: bool = False
    n_runs: int = 0
    kind: str = ""


@dataclass
class Graph:
    """Stage executions by key, each once, with what they depend on; built from any number of evaluations.

    `kinds` tells, by key, of what kind the work of a node is.
    """

    cache: Cache
    kinds: Mapping[str, str] = field(default_factory=dict)
    _pieces: dict[str, Piece] = field(default_factory=dict)
    _nearest: dict[str, frozenset[str]] = field(default_factory=dict)
    _chunkings: dict[str, frozenset[str]] = field(default_factory=dict)

    def add(self, nodes: Iterable[Node[Any]]) -> frozenset[str]:
        """Enter what `nodes` lack; return the keys of the pieces on which they wait."""
        return frozenset().union(*(self._enter(node) for node in nodes))

    def pieces(self) -> list[Piece]:
        """Return the pieces, what is needed before what needs it."""
        return list(self._pieces.values())

    def shared(self) -> frozenset[str]:
        """Return the keys of the nodes that depend on no chunking."""
        return frozenset(key for key, chunkings in self._chunkings.items() if not chunkings)

    def group(self, nodes: Sequence[Node[Any]]) -> str | None:
        """Return the one chunking that all of `nodes` depend on, None where it is none or several."""
        found: frozenset[str] = frozenset().union(*(self._below(node) for node in nodes))
        return next(iter(found)) if len(found) == 1 else None

    def _enter(self, node: Node[Any]) -> frozenset[str]:
        known = self._nearest.get(node.key)
        if known is not None:
            return known
        if node.codec is not None and self.cache.has(node.stage, node.key):
            waits: frozenset[str] = frozenset()
        else:
            waits = self.add(node.inputs)
            if node.codec is not None:
                self._pieces[node.key] = self._piece(node, waits)
                waits = frozenset({node.key})
        self._nearest[node.key] = waits
        return waits

    def _piece(self, node: Node[Any], needs: frozenset[str]) -> Piece:
        def done() -> bool:
            return self.cache.has(node.stage, node.key)

        kind = self.kinds.get(node.key, "")
        return Piece(node.key, node.stage, self.group([node]), needs, lambda run, _: run.get(node), done, kind=kind)

    def _below(self, node: Node[Any]) -> frozenset[str]:
        known = self._chunkings.get(node.key)
        if known is None:
            known = frozenset().union(*(self._below(one) for one in node.inputs))
            if node.stage == "chunk" and node.codec is not None:
                known = frozenset({node.key})
            self._chunkings[node.key] = known
        return known
