"""Carry out stage executions: each looked up by its key, computed only when it is not there, timed, and kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, Protocol, TypeVar, cast

from pipelines.audit import audit
from pipelines.cache import Cache, Codec, DamagedArtefact
from pipelines.component import digest
from pipelines.errors import StorageError, shorten
from pipelines.progress import Progress

T = TypeVar("T")
Found = Literal["hit", "miss"]
_WAIT_S = 0.05


class Watch(Protocol):
    """Told how far a stage is; may raise `Cancelled` to stop the work there."""

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Report `done` of `total` units of work of `stage`."""
        ...


def unwatched(stage: str, done: int, total: int) -> None:
    """Report to nobody."""


class Claims(Protocol):
    """Who computes what, among several processes: a key is computed by the one that holds its claim."""

    def take(self, key: str) -> bool:
        """Claim a key; return False while another holds it. Taking one's own again is fine."""
        ...

    def give_back(self, key: str) -> None:
        """End a claim: the output is in the store, or will not be."""
        ...


class Unclaimed:
    """The claims of a process that works alone."""

    def take(self, key: str) -> bool:
        """Claim nothing: it is free."""
        return True

    def give_back(self, key: str) -> None:
        """Give back nothing."""


@dataclass(frozen=True, eq=False)
class Node(Generic[T]):
    """One stage execution: what it is called by, what it needs, and how it is done.

    Equal keys mean equal output. Without a codec the output is an opened handle: kept in memory, never stored.
    """

    stage: str
    key: str
    inputs: tuple[Node[Any], ...]
    work: Callable[[Execution], T]
    codec: Codec[T] | None = None

    def upstream(self) -> Iterator[Node[Any]]:
        """Return all nodes that this one depends on, each once, the nearest last, and at last itself."""
        return upstream((self,))


def upstream(nodes: Iterable[Node[Any]], seen: set[str] | None = None) -> Iterator[Node[Any]]:
    """Return all that `nodes` depend on, and themselves, each once, an input before what needs it.

    `seen` holds the keys to leave out with all below them; the keys that are returned are added to it.
    """
    known = set() if seen is None else seen
    for node in nodes:
        if node.key not in known:
            known.add(node.key)
            yield from upstream(node.inputs, known)
            yield node


def node_key(what: str, identity: object, inputs: tuple[Node[Any], ...]) -> str:
    """Return the content address: what is done, by what, to which inputs."""
    return digest({"what": what, "by": identity, "to": [node.key for node in inputs]})


@dataclass
class StageReport:
    """What a stage cost in this execution, and what its outputs cost when they were computed."""

    seconds: float = 0.0
    seconds_computed: float = 0.0
    found: Found = "hit"


@dataclass
class Execution:
    """Gets nodes, remembering what it has got; one execution serves any number of pipelines over the same store.

    With `keep` false the store is read and not written to. `on_computed` is told of each output that was computed, with
    its seconds, once it is kept; `on_worked` of work whose amount only its doer knows: what, how many units, seconds;
    `on_learnt` of each point of a training's curve, with the key of what is trained.
    """

    cache: Cache
    watch: Watch = unwatched
    reports: dict[str, StageReport] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    keep: bool = True
    claims: Claims = field(default_factory=Unclaimed)
    on_computed: Callable[[Node[Any], float], None] = lambda node, seconds: None
    on_worked: Callable[[str, float, float], None] = lambda what, units, seconds: None
    on_learnt: Callable[[str, Mapping[str, object]], None] = lambda key, point: None
    _memory: dict[str, Any] = field(default_factory=dict)
    _noted: list[list[str]] = field(default_factory=lambda: [[]])

    def __post_init__(self) -> None:
        """Have the store tell this execution's notes of damage."""
        self.cache.on_damage = self.notes.append

    def get(self, node: Node[T]) -> T:
        """Return the output of `node`: from memory, from the store, or by doing its work."""
        if node.key in self._memory:
            return cast("T", self._memory[node.key])
        value = self._looked_up(node)
        if value is None:
            value = self._computed(node)
        self._memory[node.key] = value
        return value

    def forget(self, but: Container[str] = ()) -> None:
        """Let go of what is held in memory, except for the nodes with these keys."""
        self._memory = {key: value for key, value in self._memory.items() if key in but}

    def note(self, text: str) -> None:
        """Remember, with the output that is being computed, what its user should know."""
        self._noted[-1].append(text)

    def progress(self, stage: str) -> Progress:
        """Return what a component calls to report how far it is."""

        def tell(done: int, total: int) -> None:
            self.watch(stage, done, total)

        return tell

    def report(self, stage: str) -> StageReport:
        """Return the report of a stage, made when it is first asked for."""
        return self.reports.setdefault(stage, StageReport())

    def account_for(self, *nodes: Node[Any]) -> None:
        """Enter every stage below `nodes` in the reports, and its notes, also those that nothing had to be read of."""
        for one in upstream(nodes):
            if one.codec is None:
                continue
            self.report(one.stage)
            entry = self.cache.entry(one.stage, one.key)
            if entry is not None:
                self.report(one.stage).seconds_computed += entry.seconds
                self.notes += [note for note in entry.notes if note not in self.notes]

    def _looked_up(self, node: Node[T]) -> T | None:
        if node.codec is None:
            return None
        started = time.perf_counter()
        value = self.cache.load(node.stage, node.key, node.codec)
        if value is not None:
            self.report(node.stage).seconds += time.perf_counter() - started
        return value

    def _computed(self, node: Node[T]) -> T:
        if node.codec is None or not self.keep:
            return self._mended(node)
        while not self.claims.take(node.key):
            self.watch(node.stage, 0, 0)
            time.sleep(_WAIT_S)
        try:
            # Whoever held the claim before may have published the output.
            found = self._looked_up(node)
            return self._mended(node) if found is None else found
        finally:
            self.claims.give_back(node.key)

    def _mended(self, node: Node[T]) -> T:
        try:
            return self._worked(node)
        except DamagedArtefact as damage:
            self.cache.quarantine(damage.stage, damage.key, damage.why)
            self._forget_handles(node, damage.key)
            return self._worked_again(node)

    def _worked_again(self, node: Node[T]) -> T:
        try:
            return self._worked(node)
        except DamagedArtefact as damage:
            raise StorageError(
                f"The {damage.stage} output was computed anew and is damaged again ({shorten(damage.why, 200)}); "
                "see that the disk is sound, or choose another component for that stage."
            ) from damage

    def _worked(self, node: Node[T]) -> T:
        for needed in node.inputs:
            self.get(needed)
        self.watch(node.stage, 0, 0)
        audit("begun" if node.codec else "opened", node.stage, node.key)
        self._noted.append([])
        started = time.perf_counter()
        try:
            value = node.work(self)
        finally:
            notes = tuple(self._noted.pop())
        seconds = time.perf_counter() - started
        report = self.report(node.stage)
        report.seconds += seconds
        if node.codec is None:
            return value
        report.found = "miss"
        if not self.keep and not node.codec.moves:
            return value
        kept = self._kept(node, node.codec, value, seconds, notes)
        audit("kept", node.stage, node.key)
        self.on_computed(node, seconds)
        return kept

    def _kept(self, node: Node[T], codec: Codec[T], value: T, seconds: float, notes: tuple[str, ...]) -> T:
        self.cache.store(node.stage, node.key, codec, value, seconds, notes)
        if not codec.moves:
            return value
        return codec.load(self.cache.folder(node.stage, node.key))

    def _forget_handles(self, node: Node[Any], damaged: str) -> None:
        for one in node.upstream():
            if one.codec is None or one.key == damaged:
                self._memory.pop(one.key, None)
